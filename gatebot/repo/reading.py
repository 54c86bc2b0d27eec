# SPDX-License-Identifier: Apache-2.0
"""Reads of git objects and references, by pygit2, straight from the object store.

Floor 2. Nothing here writes. `store` is a project or the store of a queue; ids and references are
text. What is not there is None or empty, unless the caller said that it must be there.
"""

from __future__ import annotations

import itertools

import pygit2
from pygit2.enums import ObjectType, SortMode

from ..errors import NotFound
from . import diffs
from .model import CommitInfo, FileChange, FileDiff, Person
from .stores import Stores


class Reading(Stores):
    """What can be asked about the content of repositories."""

    def branches(self, project: str) -> dict[str, str]:
        """Short branch name -> commit id."""
        return {name.removeprefix("refs/heads/"): at for name, at in self.references(project, "refs/heads/").items()}

    def references(self, store: str, prefix: str = "refs/") -> dict[str, str]:
        """Every reference below `prefix` with what it points to."""
        found: dict[str, str] = {}
        for raw in self._open(store).raw_listall_references():
            name = raw.decode("utf-8", "surrogateescape")
            if name.startswith(prefix):
                at = self.resolve(store, name)
                if at is not None:
                    found[name] = at
        return found

    def default_branch(self, project: str) -> str:
        """The short name of the branch that HEAD names; it need not exist yet."""
        target = self._open(project).lookup_reference("HEAD").target
        return str(target).removeprefix("refs/heads/")

    def resolve(self, store: str, ref: str) -> str | None:
        """The id that a full reference name (or HEAD, or an id) stands for; tags are not peeled."""
        repository = self._open(store)
        if len(ref) == 40 and set(ref) <= set("0123456789abcdef"):
            return ref if pygit2.Oid(hex=ref) in repository.odb else None
        try:
            return str(repository.lookup_reference(ref).resolve().target)
        except (KeyError, pygit2.GitError, ValueError):
            return None

    def commit(self, store: str, commit: str) -> CommitInfo:
        """One commit, by id; a tag is peeled."""
        return _info(self._commit(store, commit))

    def read_file(self, store: str, commit: str, path: str) -> bytes | None:
        """The content of a file, or None when there is no file at that path."""
        found = self._entry(store, commit, path)
        return found.data if isinstance(found, pygit2.Blob) else None

    def list_files(self, store: str, commit: str, prefix: str = "") -> tuple[tuple[str, str], ...]:
        """(path, blob id) of every file below a directory, or the file itself; submodules are left out."""
        found = self._entry(store, commit, prefix.strip("/"))
        if isinstance(found, pygit2.Blob):
            return ((prefix.strip("/"), str(found.id)),)
        if not isinstance(found, pygit2.Tree):
            return ()
        return tuple(_walk(found, f"{prefix.strip('/')}/" if prefix.strip("/") else ""))

    def is_ancestor(self, store: str, ancestor: str, descendant: str) -> bool:
        """Whether `descendant` contains `ancestor`; a commit contains itself."""
        return contains(self._open(store), descendant, ancestor)

    def merge_base(self, store: str, one: str, other: str) -> str | None:
        """The best common ancestor, or None for unrelated histories."""
        found = self._open(store).merge_base(pygit2.Oid(hex=one), pygit2.Oid(hex=other))
        return str(found) if found else None

    def log(self, store: str, tip: str, *, without: tuple[str, ...] = (), limit: int = 1000) -> tuple[CommitInfo, ...]:
        """Commits that `tip` contains and `without` do not, children before parents, at most `limit`."""
        return walk(self._open(store), tip, without, limit)

    def changed_files(self, store: str, commit: str) -> tuple[FileChange, ...]:
        """What a commit changes against its first parent; a root commit adds everything."""
        found = self._commit(store, commit)
        old = str(found.parent_ids[0]) if found.parent_ids else None
        return tuple(change.change for change in self.diff(store, old, commit, lines=0))

    def diff(
        self, store: str, old: str | None, new: str, path: str | None = None, *, lines: int = 20_000, context: int = 3
    ) -> tuple[FileDiff, ...]:
        """The difference between two commits (`old` None: nothing), renames found, at most `lines` lines shown."""
        repository = self._open(store)
        before = None if old is None else self._commit(store, old).tree
        return diffs.compare(repository, before, self._commit(store, new).tree, path, lines=lines, context=context)

    def _commit(self, store: str, commit: str) -> pygit2.Commit:
        try:
            found = self._open(store)[commit]
            return found.peel(pygit2.Commit)
        except (KeyError, ValueError, pygit2.GitError) as error:
            raise NotFound(f"there is no commit {commit} in {store}") from error

    def _entry(self, store: str, commit: str, path: str) -> pygit2.Object | None:
        tree = self._commit(store, commit).tree
        if not path:
            return tree
        try:
            return tree[path]
        except (KeyError, ValueError):
            return None


def _walk(tree: pygit2.Tree, prefix: str) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    for entry in tree:
        if entry.type == ObjectType.TREE and isinstance(entry, pygit2.Tree):
            found += _walk(entry, f"{prefix}{entry.name}/")
        elif entry.type == ObjectType.BLOB:
            found.append((f"{prefix}{entry.name}", str(entry.id)))
    return found


def _person(signature: pygit2.Signature) -> Person:
    return Person(signature.name, signature.email, signature.time, signature.offset)


def _info(commit: pygit2.Commit) -> CommitInfo:
    return CommitInfo(
        str(commit.id),
        str(commit.tree_id),
        tuple(str(parent) for parent in commit.parent_ids),
        _person(commit.author),
        _person(commit.committer),
        commit.message,
    )


def contains(repository: pygit2.Repository, commit: str, ancestor: str) -> bool:
    """Whether `commit` is or descends from `ancestor`."""
    if commit == ancestor:
        return True
    return repository.descendant_of(pygit2.Oid(hex=commit), pygit2.Oid(hex=ancestor))


def walk(repository: pygit2.Repository, tip: str, without: tuple[str, ...], limit: int) -> tuple[CommitInfo, ...]:
    """Commits that `tip` contains and `without` do not, children before parents, at most `limit`."""
    walker = repository.walk(pygit2.Oid(hex=tip), SortMode.TOPOLOGICAL | SortMode.TIME)
    for base in without:
        if pygit2.Oid(hex=base) in repository.odb:
            walker.hide(pygit2.Oid(hex=base))
    return tuple(_info(commit) for commit in itertools.islice(walker, limit))
