# SPDX-License-Identifier: Apache-2.0
"""What a patch set has in it, for the rules that ask: the files it touches and the lines it changes; what it stands on.

Read from git when it is asked, and remembered: what is in a commit never changes.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from ..errors import GatebotError
from ..repo import Repositories
from .labels.model import Content, Touched
from .model import branch_ref

_REMEMBERED = 2048


class RepositoryContents:
    """Implements `ports.Contents`."""

    def __init__(self, repositories: Repositories) -> None:
        self._repositories = repositories
        self.files = lru_cache(maxsize=_REMEMBERED)(self._files)
        self.lines = lru_cache(maxsize=_REMEMBERED)(self._lines)
        self._within: dict[tuple[str, str, str], None] = {}

    def of(self, project: str, commit: str) -> Content:
        """The content of a commit; nothing is read before it is asked for."""
        return _Content(self, project, commit)

    def within(self, project: str, commit: str, branch: str) -> bool:
        """Whether a branch contains a commit. What it contained once it is taken to contain: landing asks git again."""
        key = (project, branch, commit)
        if key in self._within:
            return True
        try:
            tip = self._repositories.resolve(project, branch_ref(branch))
            if tip is not None and not self._repositories.is_ancestor(project, commit, tip):
                return False
        except GatebotError:
            return True
        if len(self._within) >= _REMEMBERED:
            self._within.clear()
        self._within[key] = None
        return True

    def _files(self, project: str, commit: str) -> tuple[Touched, ...]:
        changed = self._repositories.changed_files(project, commit)
        return tuple(
            Touched(file.path, file.old_path if file.old_path != file.path else "", file.added, file.deleted)
            for file in changed
        )

    def _lines(self, project: str, commit: str, path: str) -> tuple[str, ...]:
        parents = self._repositories.commit(project, commit).parents
        found = self._repositories.diff(project, parents[0] if parents else None, commit, path)
        lines = (line for file in found for hunk in file.hunks for line in hunk.lines)
        return tuple(line.text for line in lines if line.sign in "+-")


@dataclass(frozen=True, slots=True)
class _Content:
    of: RepositoryContents
    project: str
    commit: str

    def files(self) -> tuple[Touched, ...]:
        """The files it touches."""
        return self.of.files(self.project, self.commit)

    def changed_lines(self, path: str) -> tuple[str, ...]:
        """The lines that it adds to or takes from a file."""
        return self.of.lines(self.project, self.commit, path)
