# SPDX-License-Identifier: Apache-2.0
"""Whether the files of a change call for a job: `files`, `irrelevant-files`, and what the change alters of the job.

Every answer has its reason, for a job that runs as for one that does not. What other jobs need is in `graph.py`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ...reasons import Reason, reason
from .draft import Draft
from .model import Matchers, Pattern

COMMIT_MESSAGE = "/COMMIT_MSG"


@dataclass(frozen=True, slots=True)
class Call:
    """Whether a job is called for, and why or why not."""

    runs: bool
    why: Reason


class Changed:
    """The changed files of an item; `paths` is empty where they are not known.

    Most jobs have the matchers of another one; each are asked once.
    """

    def __init__(self, files: Iterable[str] | None) -> None:
        self.paths = tuple(path for path in files or () if path != COMMIT_MESSAGE)
        self._wanted: dict[tuple[Pattern, ...], tuple[str, Pattern] | None] = {}
        self._relevant: dict[tuple[Pattern, ...], str | None] = {}

    def wanted(self, patterns: tuple[Pattern, ...]) -> tuple[str, Pattern] | None:
        """The first file that matches any, and the pattern that it matches."""
        if patterns not in self._wanted:
            found = ((path, pattern) for path in self.paths for pattern in patterns if pattern.matches(path))
            self._wanted[patterns] = next(found, None)
        return self._wanted[patterns]

    def relevant(self, patterns: tuple[Pattern, ...]) -> str | None:
        """The first file that matches none."""
        if patterns not in self._relevant:
            found = (path for path in self.paths if not any(pattern.matches(path) for pattern in patterns))
            self._relevant[patterns] = next(found, None)
        return self._relevant[patterns]


def call(draft: Draft, changed: Changed) -> Call:
    """What the matchers of a job say about the changed files."""
    job = draft.name
    if not draft.files and not draft.irrelevant_files:
        return Call(True, reason("config.run-always", job=job))
    if not changed.paths:
        return Call(True, reason("config.run-no-files", job=job))
    wanted = changed.wanted(draft.files)
    if draft.files and wanted is None:
        return Call(False, reason("config.skip-files", job=job))
    relevant = changed.relevant(draft.irrelevant_files)
    if draft.irrelevant_files and relevant is None:
        return Call(False, reason("config.skip-irrelevant-files", job=job))
    if wanted is not None:
        path, pattern = wanted
        return Call(True, reason("config.run-files", job=job, file=path, regex=pattern.regex))
    return Call(True, reason("config.run-relevant", job=job, file=relevant or ""))


def matchers(draft: Draft) -> Matchers:
    """What `call` goes by."""
    return Matchers(draft.files, draft.irrelevant_files, draft.match_on_config_updates)


def altered_file(job: Draft, project: str, files: Sequence[str]) -> str:
    """A changed file of the item's project that the job is made of: a playbook, or one of variables; "" none."""
    own = [file.path for file in job.include_vars if file.project in ("", project)]
    own += [book.path for book in job.books if book.project == project]
    return next((path for path in own if path in files), "")
