# SPDX-License-Identifier: Apache-2.0
"""The tree of a verdict: requirements, how each stands, who can do what about it.

Pure values, made by `told.py` for submit requirements and by `verdict.py` for the rest.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from ...reasons import Reason
from ..model import Vote


class Outcome(StrEnum):
    """BLOCKED is worse than UNSATISFIED: somebody said no, and more approval does not help."""

    SATISFIED = "SATISFIED"
    UNSATISFIED = "UNSATISFIED"
    BLOCKED = "BLOCKED"
    NOT_APPLICABLE = "NOT_APPLICABLE"
    OVERRIDDEN = "OVERRIDDEN"
    ERROR = "ERROR"

    @property
    def passes(self) -> bool:
        """Whether it keeps nothing from being merged."""
        return self in (Outcome.SATISFIED, Outcome.NOT_APPLICABLE, Outcome.OVERRIDDEN)


_WORST_FIRST = (Outcome.BLOCKED, Outcome.ERROR, Outcome.UNSATISFIED)


@dataclass(frozen=True, slots=True)
class Requirement:
    """A leaf, or a node whose outcome is the worst of its parts.

    `who` can make `takes` happen; both are there exactly when a leaf does not pass. `label` is the label that a leaf is
    about and `vote` the vote that satisfies or blocks it. `gate`: only the gate's own vote is missing or against it.
    """

    name: str
    outcome: Outcome
    says: Reason
    who: Reason | None = None
    takes: Reason | None = None
    parts: tuple[Requirement, ...] = ()
    label: str = ""
    vote: Vote | None = None
    gate: bool = False

    def leaves(self) -> Iterator[Requirement]:
        """The requirements that have no parts, in order."""
        if not self.parts:
            yield self
        for part in self.parts:
            yield from part.leaves()


def node(name: str, parts: tuple[Requirement, ...], says: Reason | None = None, *, gate: bool = False) -> Requirement:
    """A requirement of several parts, as bad as the worst of them; it says what the first of the worst says."""
    for outcome in _WORST_FIRST:
        worst = next((part for part in parts if part.outcome is outcome), None)
        if worst is not None:
            return Requirement(name, outcome, says or worst.says, parts=parts, gate=gate)
    return Requirement(name, Outcome.SATISFIED, says or parts[-1].says, parts=parts, gate=gate)
