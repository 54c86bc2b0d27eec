# SPDX-License-Identifier: Apache-2.0
"""Reads objects that a push has brought and that git still keeps in quarantine.

Floor 2. A quarantine is a directory of objects that nobody sees until the push is accepted; it is
read here beside the repository's own objects, for one push and one thread.
"""

from __future__ import annotations

from pathlib import Path
from typing import cast

import pygit2
from pygit2.enums import ObjectType

from .model import CommitInfo
from .reading import contains, walk

_SIGNED = "-----BEGIN "  # of an OpenPGP or SSH signature
_KINDS = {ObjectType.COMMIT: "commit", ObjectType.TAG: "tag"}


class Incoming:
    """A repository as it will be when the push is accepted."""

    def __init__(self, path: Path, quarantine: str) -> None:
        self._repository = pygit2.Repository(str(path))
        where = Path(quarantine)
        if quarantine and where.is_relative_to(path) and where.is_dir():
            self._repository.odb.add_disk_alternate(quarantine)

    def kind(self, name: str) -> str:
        """What this is: `commit`, `tag` (an annotated one), `signed tag`, `other`, or "" when it is not there."""
        found = self._repository.get(name)
        if isinstance(found, pygit2.Tag) and _SIGNED in (found.message or ""):
            return "signed tag"
        return "" if found is None else _KINDS.get(ObjectType(found.type), "other")

    def is_commit(self, name: str) -> bool:
        """Whether this is a commit and not a tag, tree or blob."""
        return self.kind(name) == "commit"

    def commit_of(self, name: str) -> str:
        """The commit that this is, or that it is a tag of; "" when it is none."""
        found = self._repository.get(name)
        try:
            return str(found.peel(pygit2.Commit).id) if found is not None else ""
        except (pygit2.GitError, ValueError):
            return ""

    def exists(self, name: str) -> bool:
        """Whether there is such an object."""
        return bool(self.kind(name))

    def read_file(self, commit: str, name: str) -> bytes | None:
        """A file at the top of a commit's directory; None: there is none."""
        tree = self._repository[commit].peel(pygit2.Tree)
        try:
            found = tree[name]
        except KeyError:
            return None
        return found.data if isinstance(found, pygit2.Blob) else None

    def log(self, tip: str, *, without: tuple[str, ...], limit: int) -> tuple[CommitInfo, ...]:
        """Commits that `tip` has and `without` have not, children first."""
        return walk(self._repository, tip, without, limit)

    def is_ancestor(self, ancestor: str, descendant: str) -> bool:
        """Whether `descendant` contains `ancestor`."""
        return contains(self._repository, descendant, ancestor)

    def is_related(self, one: str, other: str) -> bool:
        """Whether two commits have a common ancestor."""
        found = self._repository.merge_base(pygit2.Oid(hex=one), pygit2.Oid(hex=other))
        return cast("pygit2.Oid | None", found) is not None
