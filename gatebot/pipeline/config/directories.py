# SPDX-License-Identifier: Apache-2.0
"""Repositories below a directory, for looking at configuration without a server: DIRECTORY/PROJECT.

A project is a git repository, with or without a work tree, whose branches are read; or a plain directory, whose files
are those of its only branch. Nothing is written.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

import pygit2

from ...errors import Invalid
from ...reasons import reason
from ...repo.reading import Reading

PLAIN = "files"  # stands for the commit of a plain directory
_REMOTE = "refs/remotes/origin/"


class Directories(Reading):
    """A `ConfigSource` of what lies below `root`. `branch` is that of plain directories.

    A project that is also below `over` is taken from there.
    """

    def __init__(self, root: Path, branch: str = "master", over: Path | None = None) -> None:
        super().__init__(root)
        self._branch = branch
        self._over = over

    def _top(self, project: str) -> Path:
        """The directory of a project."""
        found = (self._over or self.root) / project
        return found if found.is_dir() or found.with_name(f"{found.name}.git").is_dir() else self.root / project

    def store_path(self, store: str) -> Path:
        """Where git's part of a project is, else its directory."""
        top = self._top(store)
        places = (top / ".git", top, top.with_name(f"{top.name}.git"))
        return next((place for place in places if (place / "HEAD").is_file()), top)

    def exists(self, project: str) -> bool:
        return self._top(project).is_dir() or self._versioned(project)

    def default_branch(self, project: str) -> str:
        return super().default_branch(project) if self._versioned(project) else self._branch

    def branches(self, project: str) -> dict[str, str]:
        """Branches of a repository; those of a clone's origin count where there is none of the name here."""
        if not self._versioned(project):
            return {self._branch: PLAIN}
        origin = self.references(project, _REMOTE)
        there = {name.removeprefix(_REMOTE): at for name, at in origin.items() if not name.endswith("/HEAD")}
        return there | super().branches(project)

    def tags(self, project: str) -> dict[str, str]:
        """Tags of a repository, by their full names."""
        return self.references(project, "refs/tags/") if self._versioned(project) else {}

    def list_files(self, store: str, commit: str, prefix: str = "") -> tuple[tuple[str, str], ...]:
        if commit != PLAIN:
            return super().list_files(store, commit, prefix)
        top = self._top(store)
        below = top / prefix
        found = [below] if below.is_file() else sorted(path for path in below.rglob("*") if path.is_file())
        return tuple((path.relative_to(top).as_posix(), _blob(path.read_bytes())) for path in found)

    def read_file(self, store: str, commit: str, path: str) -> bytes | None:
        if commit != PLAIN:
            return super().read_file(store, commit, path)
        file = self._top(store) / path
        return file.read_bytes() if file.is_file() else None

    def _open(self, store: str) -> pygit2.Repository:
        try:
            return super()._open(store)
        except pygit2.GitError:
            raise Invalid(reason=reason("config.broken-repository", path=str(self.store_path(store)))) from None

    def _versioned(self, project: str) -> bool:
        return (self.store_path(project) / "objects").is_dir()


def _blob(data: bytes) -> str:
    return hashlib.sha1(data, usedforsecurity=False).hexdigest()
