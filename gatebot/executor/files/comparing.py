# SPDX-License-Identifier: Apache-2.0
"""What the tests of a build say: how many of each outcome, the failed ones first, what is new against another run.

Pure functions over the outcomes of two runs.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from .model import Outcome, TestCase, TestRun

_ORDER = {Outcome.FAILED: 0, Outcome.ERROR: 0, Outcome.SKIPPED: 1, Outcome.PASSED: 2}
BROKEN = (Outcome.FAILED, Outcome.ERROR)


class Mark(StrEnum):
    """What is to be said of a test beside the run before."""

    NEWLY_FAILING = "newly failing"
    NEWLY_PASSING = "newly passing"
    NEW = "new"
    KNOWN = "failed before, too"


@dataclass(frozen=True, slots=True)
class Compared:
    """A run beside the one before it: names of tests that fail or pass now and did not, fail as then, came, went."""

    newly_failing: frozenset[str] = frozenset()
    newly_passing: frozenset[str] = frozenset()
    known: frozenset[str] = frozenset()
    added: frozenset[str] = frozenset()
    gone: frozenset[str] = frozenset()

    def mark(self, case: TestCase) -> Mark | None:
        """What is to be said of a test; None: it is as it was, or there is nothing to compare it with."""
        if case.name in self.known:
            return Mark.KNOWN if case.outcome in BROKEN else None
        marked = {
            Mark.NEWLY_FAILING: self.newly_failing,
            Mark.NEWLY_PASSING: self.newly_passing,
            Mark.NEW: self.added,
        }
        return next((mark for mark, names in marked.items() if case.name in names), None)


def counts(run: TestRun) -> Mapping[Outcome, int]:
    """How many tests ended how."""
    return {outcome: sum(case.outcome is outcome for case in run.cases) for outcome in Outcome}


def ordered(run: TestRun, compared: Compared) -> list[TestCase]:
    """Failed ones first, of these those that did not fail before; then skipped ones, then the slowest."""
    fresh = (Mark.NEWLY_FAILING, Mark.NEW)

    def place(case: TestCase) -> tuple[object, ...]:
        mark = compared.mark(case) if case.outcome in BROKEN else None
        return _ORDER[case.outcome], fresh.index(mark) if mark in fresh else len(fresh), -case.seconds, case.name

    return sorted(run.cases, key=place)


def compare(run: TestRun, before: TestRun | None) -> Compared:
    """A run beside an earlier one of the same job."""
    if before is None or not before.cases:
        return Compared()
    now, then = _by_name(run), _by_name(before)
    both = now.keys() & then.keys()
    return Compared(
        frozenset(name for name in both if now[name] in BROKEN and then[name] not in BROKEN),
        frozenset(name for name in both if now[name] is Outcome.PASSED and then[name] in BROKEN),
        frozenset(name for name in both if now[name] in BROKEN and then[name] in BROKEN),
        frozenset(now.keys() - then.keys()),
        frozenset(then.keys() - now.keys()),
    )


def _by_name(run: TestRun) -> dict[str, Outcome]:
    """One outcome for each name: of several the worst."""
    found: dict[str, Outcome] = {}
    for case in run.cases:
        if case.name not in found or _ORDER[case.outcome] < _ORDER[found[case.name]]:
            found[case.name] = case.outcome
    return found
