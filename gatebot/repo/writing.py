# SPDX-License-Identifier: Apache-2.0
"""Writes: references by compare-and-swap, merges, commits, and copies from a queue's store to a project.

Floor 2. There is one merge function for everything, `git merge-tree`: what the gate tested and what
lands must never come from two engines. Objects are on the disk before a reference names them.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import cast

import pygit2
from pygit2.enums import FileMode, ObjectType

from ..errors import Invalid, NotFound
from . import messages, program
from .model import (
    EMPTY_TREE,
    PICKS,
    ZERO,
    CommitInfo,
    FinalCommit,
    GitError,
    MergeConflict,
    MergedTree,
    NotFastForward,
    Person,
)
from .reading import Reading

_CLEAN, _CONFLICT = 0, 1
_EMPTY = pygit2.Oid(hex=EMPTY_TREE)
_REMEMBERED = 20_000  # final commits
_LOCK_SECONDS = 1.0


class Repositories(Reading):
    """Everything the server does with its repositories."""

    def __init__(self, root: Path) -> None:
        super().__init__(root)
        self._made: dict[str, tuple[str, str]] = {}
        self.moved: list[Callable[[str, str], None]] = []
        """Told of every reference of this process's moving, by store and name: who remembers what it says forgets."""

    def update_ref(self, store: str, ref: str, old: str, new: str) -> bool:
        """Move a reference from `old` to `new` if it is at `old`, under git's own lock; False: it is elsewhere.

        `old` ZERO creates, `new` ZERO deletes. Another writer's lock is waited for, as git does, for a moment.
        """
        if not ref.startswith("refs/") or not pygit2.reference_is_valid_name(ref):
            raise Invalid(f"{ref!r} is not a full reference name")
        if new != ZERO and pygit2.Oid(hex=new) not in self._open(store).odb:
            raise NotFound(f"{store} has no object {new}")
        deadline = time.monotonic() + _LOCK_SECONDS
        while True:
            try:
                moved = self._move(store, ref, old, new)
                for told in self.moved if moved else ():
                    told(store, ref)
                return moved
            except pygit2.GitError as error:
                if "lock" not in str(error) or time.monotonic() > deadline:
                    raise GitError(f"{ref} of {store} cannot be moved: {error}") from error
            time.sleep(0.005)

    def _move(self, store: str, ref: str, old: str, new: str) -> bool:
        with self._open(store).transaction() as transaction:
            transaction.lock_ref(ref)
            if (self.resolve(store, ref) or ZERO) != old:
                return False
            if new == ZERO:
                transaction.remove(ref)
            else:
                transaction.set_target(ref, new)
        return True

    def merge(self, store: str, ours: str, theirs: str, *, unrelated: bool = False) -> MergedTree | MergeConflict:
        """Merge two commits as `git merge` would; the tree is written to `store`. Attributes are those of `ours`.

        `unrelated`: also where they have no commit in common.
        """
        more = ["--allow-unrelated-histories"] if unrelated else []
        path = self.store_path(store)
        done = program.run(
            ["merge-tree", "--write-tree", "-z", "--name-only", "--no-messages", *more, ours, theirs],
            git_dir=path,
            config=self._attributes(store, ours),
            answers=(_CLEAN, _CONFLICT),
        )
        tree, *paths = done.stdout.decode("utf-8", "replace").split("\0")
        if done.returncode == _CLEAN:
            return MergedTree(tree)
        return MergeConflict(tuple(dict.fromkeys(name for name in paths if name)), tree)

    def pick(self, store: str, commit: str, onto: str) -> MergedTree | MergeConflict:
        """The tree of `onto` with what `commit` changes against its first parent.

        git 2.39 cannot name a merge's base, so `onto` is stood for by a commit with its tree and the pick's parent:
        the base of the two is then that parent.
        """
        source, target = self.commit(store, commit), self.commit(store, onto)
        if not source.parents:
            raise Invalid(f"{commit} has no parent: it cannot be picked")
        stand_in = self.write_commit(store, target.tree, source.parents[:1], _NOBODY, _NOBODY, "stand-in")
        return self.merge(store, stand_in, commit)

    def write_tree(self, store: str, files: Mapping[str, bytes], onto: str = "") -> str:
        """Store a directory: the files given, and beside them what the tree or commit `onto` has at its top."""
        repository = self._open(store)
        base = repository[onto].peel(pygit2.Tree) if onto else None
        builder = repository.TreeBuilder(base) if base is not None else repository.TreeBuilder()
        for name, content in files.items():
            builder.insert(name, repository.create_blob(content), FileMode.BLOB)
        return str(builder.write())

    def write_commit(
        self, store: str, tree: str, parents: tuple[str, ...], author: Person, committer: Person, message: str
    ) -> str:
        """Store a commit; the same arguments give the same id."""
        return str(
            self._open(store).create_commit(None, _signature(author), _signature(committer), message, tree, [*parents])
        )

    def write_tag(self, store: str, name: str, commit: str, tagger: Person, message: str) -> str:
        """Store a tag of a commit that has an object of its own; no reference names it yet."""
        zone = f"{'-' if tagger.offset < 0 else '+'}{abs(tagger.offset) // 60:02d}{abs(tagger.offset) % 60:02d}"
        who = f"{tagger.name} <{tagger.email}> {tagger.time} {zone}"
        text = f"object {commit}\ntype commit\ntag {name}\ntagger {who}\n\n{message}"
        return str(self._open(store).odb.write(int(ObjectType.TAG), text.encode()))

    def set_head(self, project: str, branch: str) -> None:
        """Make a branch the one that HEAD names."""
        self._open(project).set_head(f"refs/heads/{branch}")

    def final_commit(
        self,
        store: str,
        submit_type: str,
        commit: str,
        onto: str,
        *,
        branch: str,
        committer: Person,
        into: bool = False,
        footers: tuple[str, ...] = (),
    ) -> FinalCommit | MergeConflict | NotFastForward:
        """The very commit that lands when `commit` goes onto `onto`, by Gerrit's submit types, made in `store`.

        `into` adds the branch to a merge's message, for branches that are not the project's default. `footers` are
        added by CHERRY_PICK and REBASE_ALWAYS. A change that `onto` contains already, or that would change nothing
        there when it is picked, gives `onto`. A merge is never picked: as in Gerrit it is merged if necessary.
        """
        if submit_type not in SUBMIT_TYPES:
            raise Invalid(f"{submit_type} is not a submit type of this site; choose one of {', '.join(SUBMIT_TYPES)}")
        change = self.commit(store, commit)
        if self.descends(store, onto, commit):
            return FinalCommit(onto, self.commit(store, onto).tree)
        if submit_type in PICKS:
            stays = submit_type == "REBASE_IF_NECESSARY" and change.parents == (onto,)
            if len(change.parents) == 1 and not stays:
                added = () if submit_type == "REBASE_IF_NECESSARY" else footers
                return self._picked(store, change, onto, committer, added)
            submit_type = "MERGE_IF_NECESSARY"
        # Where its one parent is in `onto`, that is the base of the merge: nobody need walk history to find it.
        based = len(change.parents) == 1 and self.descends(store, onto, change.parents[0])
        forward = onto == change.parents[0] if based else self.is_ancestor(store, onto, commit)
        if forward and submit_type != "MERGE_ALWAYS":
            return self._known(FinalCommit(commit, change.tree), onto, change, based)
        if submit_type == "FAST_FORWARD_ONLY":
            return NotFastForward()
        if forward:
            merged: MergedTree | MergeConflict = MergedTree(change.tree)
        else:
            merged = self.pick(store, commit, onto) if based else self.merge(store, onto, commit)
        if isinstance(merged, MergeConflict):
            return merged
        message = messages.merge(change.subject, branch if into else None)
        made = self.write_commit(store, merged.tree, (onto, commit), committer, committer, message)
        return self._known(FinalCommit(made, merged.tree), onto, change, based)

    def descends(self, store: str, commit: str, ancestor: str) -> bool:
        """`is_ancestor` for the long chains of a queue: the merges that were made here are not read again."""
        while commit in self._made:
            onto, change = self._made[commit]
            if ancestor in (commit, change):
                return True
            commit = onto
        return self.is_ancestor(store, ancestor, commit)

    def _known(self, final: FinalCommit, onto: str, change: CommitInfo, based: bool) -> FinalCommit:
        """Remember what a final commit adds to `onto`, where that is the change alone."""
        if based:
            if len(self._made) > _REMEMBERED:
                self._made.clear()
            self._made[final.commit] = (onto, change.id)
        return final

    def copy_objects(self, store: str, commit: str, project: str) -> int:
        """Give the project every object of `commit` that it lacks, children first; the number copied.

        Children first: whatever a crash leaves, an object that is there has all that it names.
        """
        source, target = self._open(store).odb, self._open(project).odb
        seen: set[pygit2.Oid] = set()
        copied = 0
        waiting = [(pygit2.Oid(hex=commit), False)]
        while waiting:
            oid, children_done = waiting.pop()
            if children_done:
                # git knows the empty tree without having it, libgit2 does not.
                kind, data = (ObjectType.TREE, b"") if oid == _EMPTY else source.read(oid)
                target.write(int(kind), data)
                copied += 1
            elif oid not in seen and oid not in target:
                seen.add(oid)
                waiting.append((oid, True))
                waiting += [(child, False) for child in _children(self._open(store), oid)]
        return copied

    def _picked(
        self, store: str, change: CommitInfo, onto: str, committer: Person, footers: tuple[str, ...]
    ) -> FinalCommit | MergeConflict:
        picked = self.pick(store, change.id, onto)
        if isinstance(picked, MergeConflict):
            return picked
        if picked.tree == self.commit(store, onto).tree:
            return FinalCommit(onto, picked.tree)  # it would be empty: Gerrit marks such a change as merged
        message = messages.with_footers(change.message, footers)
        made = self.write_commit(store, picked.tree, (onto,), change.author, committer, message)
        return FinalCommit(made, picked.tree)

    def _attributes(self, store: str, commit: str) -> dict[str, str]:
        """The setting that makes a merge honour the `.gitattributes` at the root of `commit`.

        A bare repository has no other attributes. The file is named by its content, so merges of several projects
        in one store never see each other's.
        """
        text = self.read_file(store, commit, ".gitattributes")
        if text is None:
            return {}
        path: Path = self.store_path(store) / "info" / f"attributes-{hashlib.sha256(text).hexdigest()[:16]}"
        if not path.exists():
            draft = path.with_suffix(f".{id(text)}")
            draft.write_bytes(text)
            draft.replace(path)
        return {"core.attributesFile": str(path)}


SUBMIT_TYPES = ("MERGE_IF_NECESSARY", "MERGE_ALWAYS", "FAST_FORWARD_ONLY", *PICKS)
_NOBODY = Person("gatebot", "gatebot", 0)


def _signature(person: Person) -> pygit2.Signature:
    return pygit2.Signature(person.name, person.email, person.time, person.offset)


def _children(repository: pygit2.Repository, oid: pygit2.Oid) -> list[pygit2.Oid]:
    """What an object needs: a commit its parents and tree, a tree its entries (a submodule's commit is elsewhere)."""
    if oid == _EMPTY:
        return []
    found = cast("pygit2.Commit | pygit2.Tree | pygit2.Blob", repository[oid])
    if isinstance(found, pygit2.Commit):
        return [found.tree_id, *found.parent_ids]
    if isinstance(found, pygit2.Tree):
        return [entry.id for entry in found if entry.type != ObjectType.COMMIT]
    return []
