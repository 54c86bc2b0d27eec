# SPDX-License-Identifier: Apache-2.0
"""The jobs of an item against each other: dependencies that must run too, that are missing, that go in circles.

What one job is by itself has been decided before, in `freeze.py`; here only their names and dependencies count.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from ...reasons import Reason, reason
from .draft import Draft
from .matching import Call
from .model import ConfigError, Skipped
from .objects import Variant


@dataclass(frozen=True, slots=True)
class Candidate:
    """A job that the item may run: whether the changed files call for it, and why. `errors` count if it runs."""

    draft: Draft
    listed: Variant
    call: Call
    errors: tuple[ConfigError, ...] = ()


@dataclass(frozen=True, slots=True)
class Connected:
    """The jobs that run, in order, each with why; the others with their reasons; what is wrong between jobs."""

    runs: Mapping[str, Reason]
    skipped: tuple[Skipped, ...]
    errors: tuple[tuple[str, Reason], ...]


def connect(candidates: Iterable[Candidate]) -> Connected:
    """A job that does not match runs all the same when one that runs has a hard dependency on it."""
    known = {candidate.draft.name: candidate for candidate in candidates}
    wanted = {name: candidate.call.why for name, candidate in known.items() if candidate.call.runs}
    for name in tuple(wanted):
        for needed in _needed(known, name):
            wanted.setdefault(needed, reason("config.run-needed", job=needed, by=name))
    runs = {name: wanted[name] for name in known if name in wanted}
    skipped = tuple(Skipped(name, candidate.call.why) for name, candidate in known.items() if name not in wanted)
    # As in Zuul, a job that is not called for is no less wrong.
    errors = [
        (name, reason("config.dependency-not-run", job=name, needs=dependency.name))
        for name, candidate in known.items()
        for dependency in candidate.draft.dependencies
        if not dependency.soft and dependency.name not in known
    ]
    errors += [
        (name, reason("config.dependency-cycle", job=name)) for name in runs if name in _needed(known, name, True)
    ]
    return Connected(runs, skipped, tuple(errors))


def _needed(known: Mapping[str, Candidate], name: str, soft: bool = False) -> Iterator[str]:
    """Every job that one depends on, through others too."""
    seen: set[str] = set()
    waiting = [name]
    while waiting:
        for dependency in known[waiting.pop()].draft.dependencies:
            if dependency.name in known and dependency.name not in seen and (soft or not dependency.soft):
                seen.add(dependency.name)
                waiting.append(dependency.name)
                yield dependency.name
