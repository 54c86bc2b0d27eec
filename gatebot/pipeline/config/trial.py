# SPDX-License-Identifier: Apache-2.0
"""What a change of configuration does to every graph of a tenant: jobs added, removed, and changed in which attributes.

Pure: two layouts are given. Graphs are frozen for a change whose files are not known, so every job that a project lists
is looked at, and when files would call for it; on each branch that either layout knows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, fields, replace
from typing import cast

from ...assignment import FrozenJob
from ...reasons import Reason
from .explained import error_json
from .freeze import freeze
from .layout import Layout
from .model import ConfigError, FrozenGraph, Matchers, Pattern

_WORDS = frozenset({"definition", "description", "name"})
_SHORT = 200  # characters of a value that is shown


@dataclass(frozen=True, slots=True)
class Place:
    """Where a graph is frozen."""

    project: str
    pipeline: str
    branch: str


@dataclass(frozen=True, slots=True)
class Altered:
    """An attribute that differs, as it is called in configuration; with its values where these are short."""

    attribute: str
    before: str = ""
    after: str = ""


@dataclass(frozen=True, slots=True)
class Difference:
    """One graph before and after. `changed` has what differs of each job, `errors` are those that are new."""

    place: Place
    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    changed: Mapping[str, tuple[Altered, ...]] = field(default_factory=dict[str, "tuple[Altered, ...]"])
    errors: tuple[ConfigError, ...] = ()


@dataclass(frozen=True, slots=True)
class JobDifference:
    """The same for one job: what becomes of it, and in which graphs; `sign` is `-`, `~` or `+`."""

    sign: str
    job: str
    altered: tuple[Altered, ...]
    places: tuple[Place, ...]


def places(before: Layout, after: Layout) -> tuple[Place, ...]:
    """Every place of two layouts where there may be a graph."""
    pipelines = dict.fromkeys((*before.pipelines, *after.pipelines))
    return tuple(
        Place(project, pipeline, branch)
        for project in dict.fromkeys((*before.projects, *after.projects))
        for pipeline in pipelines
        for branch in dict.fromkeys((*_branches(before, project), *_branches(after, project)))
    )


def differences(before: Layout, after: Layout) -> Iterator[Difference]:
    """Every graph that differs."""
    for place in places(before, after):
        old, new = (freeze(layout, place.pipeline, place.project, place.branch) for layout in (before, after))
        found = _compared(place, old, new)
        if found.added or found.removed or found.changed or found.errors:
            yield found


def by_job(found: Iterable[Difference]) -> tuple[JobDifference, ...]:
    """What happens to each job, once for all graphs where the same does: what goes first, then what happens most."""
    places: dict[tuple[str, str, tuple[Altered, ...]], list[Place]] = {}
    for one in found:
        said = [("-", name, ()) for name in one.removed] + [("+", name, ()) for name in one.added]
        for key in (*said, *(("~", name, altered) for name, altered in one.changed.items())):
            places.setdefault(key, []).append(one.place)
    every = (JobDifference(*key, tuple(at)) for key, at in places.items())
    return tuple(sorted(every, key=lambda one: ("-~+".index(one.sign), -len(one.places), one.job)))


def _branches(layout: Layout, project: str) -> tuple[str, ...]:
    return layout.sources.branches.get(project, ())


def _compared(place: Place, old: FrozenGraph, new: FrozenGraph) -> Difference:
    before, after = {job.name: job for job in old.jobs}, {job.name: job for job in new.jobs}
    known = {(error.reason, replace(error.at, line=0)) for error in old.errors}
    both = [name for name in after if name in before]
    altered = {
        name: (*_altered(before[name], after[name]), *_altered(old.matchers[name], new.matchers[name])) for name in both
    }
    return Difference(
        place,
        added=tuple(name for name in after if name not in before),
        removed=tuple(name for name in before if name not in after),
        changed={name: found for name, found in altered.items() if found},
        errors=tuple(error for error in new.errors if (error.reason, replace(error.at, line=0)) not in known),
    )


def _altered(old: FrozenJob | Matchers, new: FrozenJob | Matchers) -> tuple[Altered, ...]:
    """The attributes in which two frozen jobs, or their matchers, differ."""
    if old == new:
        return ()
    names = (one.name for one in fields(old) if one.name not in _WORDS)
    values = ((name.replace("_", "-"), getattr(old, name), getattr(new, name)) for name in names)
    return tuple(Altered(name, *_shown(one, other)) for name, one, other in values if one != other)


def _shown(before: object, after: object) -> tuple[str, str]:
    told = _text(before), _text(after)
    return ("", "") if None in told or len("".join(map(str, told))) > _SHORT else (str(told[0]), str(told[1]))


def _text(value: object) -> str | None:
    """A value as it is written in configuration; None: it is not one word or a few."""
    match value:
        case bool():
            return "true" if value else "false"
        case None:
            return "-"
        case int() | str():
            return str(value)
        case Pattern(regex, negate):
            return f"not {regex}" if negate else regex
        case tuple():
            parts = [_text(one) for one in cast("tuple[object, ...]", value)]
            return None if None in parts else ", ".join(map(str, parts)) or "-"
        case _:
            return None


def difference_json(found: Difference, say: Callable[[Reason], str]) -> dict[str, object]:
    """For programs; `values` are those before and after, of attributes whose values are short."""
    return {
        "project": found.place.project,
        "pipeline": found.place.pipeline,
        "branch": found.place.branch,
        "added": list(found.added),
        "removed": list(found.removed),
        "changed": {name: [one.attribute for one in altered] for name, altered in found.changed.items()},
        "values": {
            name: {one.attribute: [one.before, one.after] for one in altered if one.before or one.after}
            for name, altered in found.changed.items()
        },
        "errors": [error_json(error, say) for error in found.errors],
    }
