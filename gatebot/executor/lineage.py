# SPDX-License-Identifier: Apache-2.0
"""What a build was tested with: the changes, and every repository with its commit; kept beside its log.

Pure: the text of the file `tested.json` and back, and which repositories are not what the job asked for. Whoever
reads a build's page years later finds the exact state here, whatever became of the queue.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import cast

from ..assignment import Assignment
from ..reasons import Reason, reason

FILE = "tested.json"


@dataclass(frozen=True, slots=True)
class TestedChange:
    """A change that was in the tested state; the last of them is the build's own."""

    number: int
    patch_set: int
    project: str
    subject: str


@dataclass(frozen=True, slots=True)
class TestedCommit:
    """A repository as the job saw it. `required` is false for those that are there for playbooks only."""

    project: str
    branch: str
    commit: str
    required: bool


@dataclass(frozen=True, slots=True)
class Lineage:
    changes: tuple[TestedChange, ...] = ()
    commits: tuple[TestedCommit, ...] = ()


def to_text(assignment: Assignment) -> str:
    """What an assignment says of this, as the file keeps it."""
    changes = [
        {"number": one.number, "patch_set": one.patch_set, "project": one.project, "subject": one.subject}
        for one in assignment.changes
    ]
    commits = [
        {"project": one.project, "branch": one.branch, "commit": one.commit, "required": one.required}
        for one in assignment.checkouts
    ]
    return json.dumps({"changes": changes, "commits": commits}, ensure_ascii=False, indent=1) + "\n"


def fallbacks(assignment: Assignment) -> Iterator[Reason]:
    """The repositories that have no branch or tag of the name by which the job overrides what is checked out.

    As in Zuul the job goes on without; a name that was spelled wrong would be found by nobody.
    """
    job = assignment.job
    own = {one.project: one.override_checkout for one in job.required_projects if one.override_checkout}
    for one in assignment.checkouts:
        asked = own.get(one.project, job.override_checkout).removeprefix("refs/tags/")
        has = one.branch.removeprefix("refs/tags/")
        if one.required and asked and has != asked:
            yield reason("executor.checkout-lacks", project=one.project, asked=asked, has=has)


def from_text(text: str) -> Lineage:
    """What the file says."""
    said = cast(Mapping[str, list[dict[str, object]]], json.loads(text))
    changes = (
        TestedChange(cast(int, one["number"]), cast(int, one["patch_set"]), str(one["project"]), str(one["subject"]))
        for one in said["changes"]
    )
    commits = (
        TestedCommit(str(one["project"]), str(one["branch"]), str(one["commit"]), bool(one["required"]))
        for one in said["commits"]
    )
    return Lineage(tuple(changes), tuple(commits))
