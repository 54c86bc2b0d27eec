# SPDX-License-Identifier: Apache-2.0
"""The schedule at the tip of its branch: read from git when the branch has moved, else as it was read before.

Nothing is kept in the database: what is merged is what is planned. Synchronous and safe from any thread.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import UTC, datetime
from threading import Lock

from ...repo import GitError, Repositories
from .model import Schedule
from .reading import read

log = logging.getLogger(__name__)
_MOST_FILES = 500
_EMPTY = Schedule()
_NEVER = datetime(2021, 1, 4, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Known:
    """The schedule as it is now; without a `commit` nobody has written one yet."""

    schedule: Schedule = _EMPTY
    commit: str = ""
    revised: datetime = _NEVER


class Tip:
    """Where the files are, and what they say; without a project there is no schedule."""

    def __init__(self, repositories: Repositories, project: str, branch: str, directory: str) -> None:
        self._repositories = repositories
        self.project = project
        self._branch = branch
        self.directory = directory.strip("/")
        self._known = Known()
        self._lock = Lock()

    def now(self) -> Known:
        """The schedule at this moment."""
        if not self.project:
            return self._known
        with self._lock:
            try:
                self._read()
            except (GitError, OSError, LookupError):
                # A repository that is being moved or made anew: what was known goes on being planned.
                log.warning("the schedule of %s cannot be read now", self.project, exc_info=True)
            return self._known

    def _read(self) -> None:
        if not self._repositories.exists(self.project):
            self._known = Known()
            return
        branch = self._branch or self._repositories.default_branch(self.project)
        commit = self._repositories.resolve(self.project, f"refs/heads/{branch}") or ""
        if commit == self._known.commit:
            return
        self._known = self._at(commit) if commit else Known()

    def _at(self, commit: str) -> Known:
        paths = [path for path, _ in self._repositories.list_files(self.project, commit, self.directory)]
        wanted = [path for path in paths if path.endswith((".yaml", ".yml"))][:_MOST_FILES]
        files = {path: self._repositories.read_file(self.project, commit, path) or b"" for path in wanted}
        made = self._repositories.commit(self.project, commit).committer
        return Known(read(files), commit, made.when.astimezone(UTC))
