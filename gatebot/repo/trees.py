# SPDX-License-Identifier: Apache-2.0
"""Trees with one file more, less or other: what a change edit writes.

Floor 2. Objects are written to one repository and named by nobody; the caller makes a commit of them.
"""

from __future__ import annotations

from pathlib import Path

import pygit2
from pygit2.enums import FileMode

from ..errors import Invalid, NotFound


class Trees:
    """Trees of one repository."""

    def __init__(self, path: Path) -> None:
        self._repository = pygit2.Repository(str(path))

    def with_file(self, commit: str, path: str, data: bytes, mode: int = 0) -> str:
        """The tree of a commit with a file at a path; its mode stays, a new file is a plain one."""
        index = self._index(commit)
        kept = index[path].mode if path in index else FileMode.BLOB
        if kept == FileMode.COMMIT:
            raise Invalid(f"{path} is another repository, not a file.")
        try:
            index.add(pygit2.IndexEntry(check_path(path), self._repository.create_blob(data), FileMode(mode or kept)))
        except pygit2.GitError as error:
            raise Invalid(f"{path} cannot be a file here: {error}.") from error
        return str(index.write_tree(self._repository))

    def without_file(self, commit: str, path: str) -> str:
        """The tree of a commit without a file."""
        index = self._index(commit)
        if path not in index:
            raise NotFound(f"There is no file {path}.")
        index.remove(path)
        return str(index.write_tree(self._repository))

    def mode(self, commit: str, path: str) -> int:
        """The mode of a file; 0 where there is none."""
        index = self._index(commit)
        return int(index[path].mode) if path in index else 0

    def _index(self, commit: str) -> pygit2.Index:
        index = pygit2.Index()
        index.read_tree(self._repository[commit].peel(pygit2.Tree))
        return index


def check_path(path: str) -> str:
    """The path itself when a file may be called so."""
    parts = path.split("/")
    if not path or len(path) > 4000 or any(part in ("", ".", "..") or part.lower() == ".git" for part in parts):
        raise Invalid(f"{path!r} cannot be the name of a file in a repository.")
    return path
