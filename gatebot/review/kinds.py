# SPDX-License-Identifier: Apache-2.0
"""What a new patch set is to the one before it, found out with real merges.

Asks git, in a store of its own, and lets `rules.kind_of` decide.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from ..repo import CommitInfo, MergedTree, Repositories
from .model import Kind
from .receive import Plan, Step
from .rules import Rules, Shape, kind_of


@dataclass(frozen=True, slots=True)
class Compared:
    """The kind of a patch set, and whether it touches the same files as the one before, in the same ways."""

    kind: Kind
    unchanged_files: bool


def compare(
    repositories: Repositories, project: str, before: str, after: str, store: str = "", *, files: bool = True
) -> Compared:
    """Compare two commits of a project; `store` has both where the project has not. Without `files` nobody asks which
    files they touch."""
    place = store or repositories.speculation("receive", (project,)).store
    old, new = repositories.commit(place, before), repositories.commit(place, after)
    kind = kind_of(_shape(old), _shape(new), _rebased(repositories, place, old, new))
    same = kind in (Kind.NO_CHANGE, Kind.NO_CODE_CHANGE)
    if files and not same:
        same = _files(repositories, place, before) == _files(repositories, place, after)
    return Compared(kind, same)


def with_kinds(repositories: Repositories, project: str, planned: Plan, rules: Rules) -> Plan:
    """A push with the kinds of its patch sets: which votes they keep follows from them."""
    files = any("unchanged-files" in label.copy_condition for label in rules.labels)
    steps: list[Step] = []
    for step in planned.steps:
        if step.existing is not None and step.kind is Kind.REWORK:
            found = compare(repositories, project, step.existing.current.id, step.commit.id, files=files)
            step = replace(step, kind=found.kind, unchanged_files=found.unchanged_files)
        steps.append(step)
    return replace(planned, steps=tuple(steps))


def _shape(commit: CommitInfo) -> Shape:
    return Shape(commit.tree, commit.parents, commit.message)


def _rebased(repositories: Repositories, place: str, old: CommitInfo, new: CommitInfo) -> str | None:
    """The tree that the old commit has on the new one's parent: picked, or merged again where it is a merge."""
    if old.parents == new.parents or not old.parents or len(old.parents) != len(new.parents):
        return None
    made = repositories.pick(place, old.id, new.parents[0])
    return made.tree if isinstance(made, MergedTree) else None


def _files(repositories: Repositories, place: str, commit: str) -> frozenset[tuple[str, str]]:
    return frozenset((file.path, file.status) for file in repositories.changed_files(place, commit))
