# SPDX-License-Identifier: Apache-2.0
"""What the tests of a build say: how many of each outcome, the failed ones first, what is new against another run.

Pure functions over the outcomes of two runs.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from .model import Outcome, TestCase, TestRun

_ORDER = {Outcome.FAILED: 0, Outcome.ERROR: 0, Outcome.SKIPPED: 1, Outcome.PASSED: 2}
BROKEN = (Outcome.FAILED, Outcome.ERROR)


@dataclass(frozen=True, slots=True)
class Compared:
    """A run beside the one before it: names of tests that fail or pass now and did not, that came and that went."""

    newly_failing: frozenset[str] = frozenset()
    newly_passing: frozenset[str] = frozenset()
    added: int = 0
    gone: int = 0


def counts(run: TestRun) -> Mapping[Outcome, int]:
    """How many tests ended how."""
    return {outcome: sum(case.outcome is outcome for case in run.cases) for outcome in Outcome}


def ordered(run: TestRun, compared: Compared) -> list[TestCase]:
    """Failed ones first, of these those that are new; then skipped ones, then the slowest."""
    return sorted(
        run.cases,
        key=lambda case: (_ORDER[case.outcome], case.name not in compared.newly_failing, -case.seconds, case.name),
    )


def compare(run: TestRun, before: TestRun | None) -> Compared:
    """A run beside an earlier one of the same job."""
    if before is None or not before.cases:
        return Compared()
    now, then = _by_name(run), _by_name(before)
    both = now.keys() & then.keys()
    return Compared(
        frozenset(name for name in both if now[name] in BROKEN and then[name] not in BROKEN),
        frozenset(name for name in both if now[name] is Outcome.PASSED and then[name] in BROKEN),
        len(now.keys() - then.keys()),
        len(then.keys() - now.keys()),
    )


def _by_name(run: TestRun) -> dict[str, Outcome]:
    """One outcome for each name: of several the worst."""
    found: dict[str, Outcome] = {}
    for case in run.cases:
        if case.name not in found or _ORDER[case.outcome] < _ORDER[found[case.name]]:
            found[case.name] = case.outcome
    return found
