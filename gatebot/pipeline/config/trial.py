# SPDX-License-Identifier: Apache-2.0
"""What a change of configuration does to every graph of a tenant: jobs added, removed, and changed in which attributes.

Pure: two layouts are given. Graphs are frozen for a change whose files are not known, so every job that a project lists
is looked at; on each branch that either layout knows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, fields, replace

from ...assignment import FrozenJob
from ...reasons import Reason
from .explained import error_json
from .freeze import freeze
from .layout import Layout
from .model import ConfigError, FrozenGraph

_WORDS = frozenset({"definition", "description", "name"})


@dataclass(frozen=True, slots=True)
class Difference:
    """One graph before and after. `changed` names the attributes of each job, `errors` are those that are new."""

    project: str
    pipeline: str
    branch: str
    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    changed: Mapping[str, tuple[str, ...]] = field(default_factory=dict[str, "tuple[str, ...]"])
    errors: tuple[ConfigError, ...] = ()


def differences(before: Layout, after: Layout, only: Iterable[str] | None = None) -> Iterator[Difference]:
    """Every graph that differs, of all projects or of `only` some."""
    for project in dict.fromkeys((*before.projects, *after.projects)) if only is None else only:
        branches = dict.fromkeys((*_branches(before, project), *_branches(after, project)))
        for pipeline in dict.fromkeys((*before.pipelines, *after.pipelines)):
            for branch in branches:
                old, new = freeze(before, pipeline, project, branch), freeze(after, pipeline, project, branch)
                if (found := _compared(project, pipeline, branch, old, new)) is not None:
                    yield found


def _branches(layout: Layout, project: str) -> tuple[str, ...]:
    return layout.sources.branches.get(project, ())


def _compared(project: str, pipeline: str, branch: str, old: FrozenGraph, new: FrozenGraph) -> Difference | None:
    before, after = {job.name: job for job in old.jobs}, {job.name: job for job in new.jobs}
    known = {(error.reason, replace(error.at, line=0)) for error in old.errors}
    found = Difference(
        project,
        pipeline,
        branch,
        added=tuple(name for name in after if name not in before),
        removed=tuple(name for name in before if name not in after),
        changed={
            name: differing
            for name, job in after.items()
            if name in before and (differing := _attributes(before[name], job))
        },
        errors=tuple(error for error in new.errors if (error.reason, replace(error.at, line=0)) not in known),
    )
    return found if found.added or found.removed or found.changed or found.errors else None


def _attributes(old: FrozenJob, new: FrozenJob) -> tuple[str, ...]:
    """The attributes in which two frozen jobs differ, as they are called in configuration."""
    if old == new:
        return ()
    names = (one.name for one in fields(FrozenJob) if one.name not in _WORDS)
    return tuple(name.replace("_", "-") for name in names if getattr(old, name) != getattr(new, name))


def difference_json(found: Difference, say: Callable[[Reason], str]) -> dict[str, object]:
    """For programs."""
    return {
        "project": found.project,
        "pipeline": found.pipeline,
        "branch": found.branch,
        "added": list(found.added),
        "removed": list(found.removed),
        "changed": {name: list(attributes) for name, attributes in found.changed.items()},
        "errors": [error_json(error, say) for error in found.errors],
    }
