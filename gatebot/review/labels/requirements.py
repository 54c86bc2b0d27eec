# SPDX-License-Identifier: Apache-2.0
"""How a submit requirement stands for a change, with the atoms that hold and those that do not.

Pure. The order of the questions is Gerrit's: an error anywhere is an error; then whether it applies, whether it is
overridden, whether it is met.
"""

from __future__ import annotations

from dataclasses import dataclass

from . import atoms as judges
from . import expression
from .expression import Atom, BadExpression, Node, holds
from .model import Facts, State, SubmitRequirement


@dataclass(frozen=True, slots=True)
class Evaluation:
    """One expression on one change. `error` is why it could not be judged; without `evaluated` nobody asked, and Gerrit
    calls it fulfilled."""

    text: str
    fulfilled: bool = False
    passing: tuple[str, ...] = ()
    failing: tuple[str, ...] = ()
    error: str = ""
    evaluated: bool = True

    @property
    def status(self) -> str:
        """Gerrit's word."""
        if self.error:
            return "ERROR"
        return ("PASS" if self.fulfilled else "FAIL") if self.evaluated else "NOT_EVALUATED"


@dataclass(frozen=True, slots=True)
class Result:
    """How a requirement stands. An expression that the requirement does not have is None."""

    requirement: SubmitRequirement
    state: State
    submittable: Evaluation
    applicable: Evaluation | None = None
    override: Evaluation | None = None


def result(requirement: SubmitRequirement, facts: Facts) -> Result:
    """Judge a change by one requirement."""
    applicable = evaluation(requirement.applicable_if, facts) if requirement.applicable_if else None
    if applicable is not None and not applicable.error and not applicable.fulfilled:
        left = Evaluation(requirement.submittable_if, fulfilled=True, evaluated=False)
        override = (
            Evaluation(requirement.override_if, fulfilled=True, evaluated=False) if requirement.override_if else None
        )
        return Result(requirement, State.NOT_APPLICABLE, left, applicable, override)
    submittable = evaluation(requirement.submittable_if, facts)
    override = evaluation(requirement.override_if, facts) if requirement.override_if else None
    asked = (applicable, override, submittable)
    if any(one is not None and one.error for one in asked):
        state = State.ERROR
    elif override is not None and override.fulfilled:
        state = State.OVERRIDDEN
    else:
        state = State.SATISFIED if submittable.fulfilled else State.UNSATISFIED
    return Result(requirement, state, submittable, applicable, override)


def evaluation(text: str, facts: Facts) -> Evaluation:
    """Judge a change by one expression. Every atom is asked, also where the outcome is clear without it."""
    try:
        node = expression.parse(text)
        asked = {atom: judges.is_true(atom, facts) for atom in expression.atoms(node)}
    except BadExpression as bad:
        return Evaluation(text, error=str(bad))
    passing = tuple(dict.fromkeys(atom.text for atom, yes in asked.items() if yes))
    failing = tuple(dict.fromkeys(atom.text for atom, yes in asked.items() if not yes))
    return Evaluation(text, holds(node, asked.__getitem__), passing, failing)


def problem(text: str) -> str:
    """What is wrong with an expression whatever the change; "" if nothing is."""
    try:
        node = expression.parse(text)
        for atom in expression.atoms(node):
            _known(atom)
    except BadExpression as bad:
        return str(bad)
    return ""


def _known(atom: Atom) -> None:
    """Ask an atom of nothing: labels are looked up only where the project is known."""
    if atom.operator == "label":
        judges.voting.read(atom.value)
    else:
        judges.is_true(atom, Facts(0, 0))


def labels_in(text: str) -> tuple[str, ...]:
    """The labels that an expression names."""
    try:
        node: Node = expression.parse(text)
    except BadExpression:
        return ()
    found: list[str] = []
    for atom in expression.atoms(node):
        try:
            found += [judges.voting.read(atom.value).label] if atom.operator == "label" else []
        except BadExpression:
            continue
    return tuple(dict.fromkeys(found))
