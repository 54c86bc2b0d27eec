# SPDX-License-Identifier: Apache-2.0
"""Reads objects that a push has brought and that git still keeps in quarantine.

Floor 2. A quarantine is a directory of objects that nobody sees until the push is accepted; it is
read here beside the repository's own objects, for one push and one thread.
"""

from __future__ import annotations

from pathlib import Path

import pygit2
from pygit2.enums import ObjectType

from .model import CommitInfo
from .reading import contains, walk


class Incoming:
    """A repository as it will be when the push is accepted."""

    def __init__(self, path: Path, quarantine: str) -> None:
        self._repository = pygit2.Repository(str(path))
        where = Path(quarantine)
        if quarantine and where.is_relative_to(path) and where.is_dir():
            self._repository.odb.add_disk_alternate(quarantine)

    def is_commit(self, name: str) -> bool:
        """Whether this is a commit and not a tag, tree or blob."""
        found = self._repository.get(name)
        return found is not None and found.type == ObjectType.COMMIT

    def log(self, tip: str, *, without: tuple[str, ...], limit: int) -> tuple[CommitInfo, ...]:
        """Commits that `tip` has and `without` have not, children first."""
        return walk(self._repository, tip, without, limit)

    def is_ancestor(self, ancestor: str, descendant: str) -> bool:
        """Whether `descendant` contains `ancestor`."""
        return contains(self._repository, descendant, ancestor)
