# SPDX-License-Identifier: Apache-2.0
"""Whether the files of a change call for a job: `files`, `irrelevant-files`, and what the change alters of the job.

Every answer has its reason, for a job that runs as for one that does not. What other jobs need is in `graph.py`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ...assignment import FrozenJob
from ...reasons import Reason, reason
from .draft import Draft

COMMIT_MESSAGE = "/COMMIT_MSG"


@dataclass(frozen=True, slots=True)
class Call:
    """Whether a job is called for, and why or why not."""

    runs: bool
    why: Reason


def call(draft: Draft, files: Sequence[str] | None) -> Call:
    """What the matchers of a job say about changed files; None: which files changed is not known."""
    job = draft.name
    if not draft.files and not draft.irrelevant_files:
        return Call(True, reason("config.run-always", job=job))
    if not files:
        return Call(True, reason("config.run-no-files", job=job))
    wanted = next(
        ((path, pattern) for path in files for pattern in draft.files if pattern.matches(path)),
        None,
    )
    if draft.files and wanted is None:
        return Call(False, reason("config.skip-files", job=job))
    relevant = next((path for path in files if not any(p.matches(path) for p in draft.irrelevant_files)), None)
    if draft.irrelevant_files and relevant is None:
        return Call(False, reason("config.skip-irrelevant-files", job=job))
    if wanted is not None:
        path, pattern = wanted
        return Call(True, reason("config.run-files", job=job, file=path, regex=pattern.regex))
    return Call(True, reason("config.run-relevant", job=job, file=relevant or ""))


def altered_file(job: FrozenJob, project: str, files: Sequence[str]) -> str:
    """A changed file of the item's project that the job is made of: a playbook, or one of variables; "" none."""
    books = (*job.pre_run, *job.run, *job.post_run, *job.cleanup_run)
    own = [file.path for file in job.include_vars if file.project in ("", project)]
    own += [book.path for book in books if book.project == project]
    return next((path for path in own if path in files), "")
