# SPDX-License-Identifier: Apache-2.0
"""How a submit requirement stands, told: each atom that matters as a leaf with its reason and who can do what.

Pure. Vetoes come first. What holds and needs nobody (no veto, the right branch) is left out, unless nothing else is
there to tell.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TypeAlias

from ...reasons import Reason, reason
from ..model import Vote
from . import atoms, expression, voting
from .expression import All, Any, Atom, Node, Not
from .model import Facts, State
from .outcome import Outcome, Requirement, node
from .requirements import Result, evaluation
from .voting import NON_CONTRIBUTOR, NON_UPLOADER, Ask

VERIFIED = "Verified"
GATED = "is:gated"
_SOMEBODY, _SOMETIME = -1, datetime(2000, 1, 1, tzinfo=UTC)
#: The groups whose members may cast a vote of a label.
Electors: TypeAlias = Callable[[str, int], tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Telling:
    """What is known beside the facts. `gate` is the gate's user name; `team_of_one`: its own votes count here."""

    facts: Facts
    electors: Electors
    gate: str = ""
    team_of_one: bool = False

    def name(self, account: int) -> str:
        """How sentences call an account."""
        return self.facts.names.get(account, f"account {account}")

    def is_gates(self, vote: Vote) -> bool:
        """Whether a vote is the gate's own: CIs elsewhere vote under the same label."""
        return not self.gate or self.facts.names.get(vote.account) == self.gate


def tree(found: Result, telling: Telling) -> Requirement:
    """A requirement as people are told of it."""
    wanted = found.requirement
    match found.state:
        case State.NOT_APPLICABLE:
            says = reason("review.not-applicable", rule=wanted.applicable_if)
            if wanted.applicable_if == GATED:
                says = reason("review.no-gate", label=wanted.name)
            return Requirement(wanted.name, Outcome.NOT_APPLICABLE, says)
        case State.OVERRIDDEN:
            return Requirement(wanted.name, Outcome.OVERRIDDEN, reason("review.overridden", rule=wanted.override_if))
        case State.ERROR:
            asked = (found.applicable, found.override, found.submittable)
            why = next(one.error for one in asked if one is not None and one.error)
            says = reason("review.requirement-error", name=wanted.name, why=why)
            who, takes = reason("review.who-project-owner"), reason("review.takes-correct-rule")
            return Requirement(wanted.name, Outcome.ERROR, says, who, takes)
        case _:
            teller = _Teller(wanted.name, telling)
            parts = teller.parts(expression.parse(wanted.submittable_if), wanted=True)
    vetoes = tuple(part for part in parts if part.outcome is Outcome.BLOCKED)
    gate = found.state is State.UNSATISFIED and _waits_for_gate(wanted.submittable_if, telling.facts, telling.gate)
    # When the gate says no, more of its votes is not the way out: its veto tells what is.
    rest = () if gate and vetoes else tuple(part for part in parts if part not in vetoes)
    if not vetoes and not rest:
        met = reason("review.requirement-met", rule=wanted.submittable_if)
        return Requirement(wanted.name, Outcome.SATISFIED, met)
    return node(wanted.name, (*vetoes, *rest), gate=gate)


def _waits_for_gate(text: str, facts: Facts, gate: str) -> bool:
    """Whether a vote of the gate is all that is missing."""
    label = facts.labels.get(VERIFIED.lower())
    if not facts.gated or label is None or label.name.lower() not in text.lower():
        return False
    others = tuple(vote for vote in facts.votes if vote.label != label.name)
    account = next((id for id, name in facts.names.items() if gate and name == gate), _SOMEBODY)
    own = Vote(label.name, label.highest, account, _SOMETIME, 0)
    return evaluation(text, replace(facts, votes=(*others, own), names={account: gate, **facts.names})).fulfilled


@dataclass(frozen=True, slots=True)
class _Teller:
    """Tells of the atoms of one requirement."""

    name: str
    telling: Telling

    def parts(self, found: Node, *, wanted: bool) -> tuple[Requirement, ...]:
        """What there is to tell of an expression that has to be `wanted`."""
        match found:
            case Atom():
                return self._atom(found, wanted=wanted)
            case Not(part):
                return self.parts(part, wanted=not wanted)
            case All(parts) if wanted:
                return tuple(leaf for part in parts for leaf in self.parts(part, wanted=True))
            case Any(parts) if not wanted:
                return tuple(leaf for part in parts for leaf in self.parts(part, wanted=False))
            case All(parts) | Any(parts):
                ways = [self.parts(part, wanted=wanted) for part in parts]
                fine = next((way for way in ways if all(leaf.outcome.passes for leaf in way)), None)
                if fine is not None:
                    return fine
                failing = tuple(leaf for way in ways for leaf in way if not leaf.outcome.passes)
                return (node(self.name, failing, reason("review.one-of", *(leaf.says for leaf in failing))),)

    def _atom(self, atom: Atom, *, wanted: bool) -> tuple[Requirement, ...]:
        facts = self.telling.facts
        true = atoms.is_true(atom, facts)
        if atom.operator == "label":
            ask = voting.read(atom.value)
            cast = voting.counted(ask, facts)
            if wanted:
                return self._approved(ask, cast) if true else (self._approval(ask),)
            if true and cast:
                return tuple(self._veto(vote) for vote in cast)
        if true is wanted:
            return ()
        return (self._other(atom, wanted=wanted),)

    def _other(self, atom: Atom, *, wanted: bool) -> Requirement:
        owner = reason("review.who-owner", name=self.telling.name(self.telling.facts.owner))
        says = reason("review.unmet" if wanted else "review.met", rule=atom.text)
        if atom.text == "has:unresolved" and not wanted:
            says = reason("review.threads-unresolved")
            who, takes = reason("review.who-reviewers-here"), reason("review.takes-resolve")
        elif atom.operator in atoms.ABOUT_VOTES:
            who, takes = reason("review.who-reviewers-here"), reason("review.takes-votes")
        elif atom.operator in atoms.ABOUT_STATE:
            who, takes = owner, reason("review.takes-words")
        elif atom.text in ("is:false", "is:true"):
            who, takes = reason("review.who-project-owner"), reason("review.takes-correct-rule")
        else:
            who, takes = owner, reason("review.takes-other-patch-set")
        return Requirement(self.name, Outcome.UNSATISFIED, says, who, takes)

    def _veto(self, vote: Vote) -> Requirement:
        name = self.telling.name(vote.account)
        says = reason("review.vetoed", label=vote.label, value=signed(vote.value), name=name)
        of_gate = vote.label == VERIFIED and self.telling.facts.gated
        takes = reason("review.takes-recheck") if of_gate else reason("review.takes-withdrawal", label=vote.label)
        who = reason("review.who-anybody") if of_gate else reason("review.who-account", name=name)
        return Requirement(self.name, Outcome.BLOCKED, says, who, takes, label=vote.label, vote=vote)

    def _approved(self, ask: Ask, cast: tuple[Vote, ...]) -> tuple[Requirement, ...]:
        if not cast:
            return ()
        by, facts = cast[0], self.telling.facts
        own = by.account == facts.uploader and by.label != VERIFIED
        because = (reason("review.team-of-one"),) if own and self.telling.team_of_one else ()
        name = self.telling.name(by.account)
        says = reason("review.approved", *because, label=by.label, value=signed(by.value), name=name)
        return (Requirement(self.name, Outcome.SATISFIED, says, label=by.label, vote=by),)

    def _approval(self, ask: Ask) -> Requirement:
        """A vote that is missing."""
        facts = self.telling.facts
        label = voting.label_of(ask, facts)
        if label is None:
            says = reason("review.no-label-here", label=ask.label)
            who, takes = reason("review.who-project-owner"), reason("review.takes-correct-rule")
            return Requirement(self.name, Outcome.UNSATISFIED, says, who, takes)
        if label.name == VERIFIED and facts.gated:
            return self._gate(label.name, label.highest)
        least = 1 if ask.value == "ANY" else voting.number(ask.value, label)
        if ask.sign in ("<", "<="):
            return replace(self._other(Atom("label", "", f"label:{ask.label}{ask.sign}{ask.value}"), wanted=True),
                           label=label.name)  # fmt: skip
        least += ask.sign == ">"
        value = signed(least)
        says = self._needs(ask, label.name, value)
        who, takes = self._who(ask, label.name, least), reason("review.takes-vote", label=label.name, value=value)
        if who is None:
            who, takes = reason("review.who-project-owner"), reason("review.takes-grant", label=label.name, value=value)
        return Requirement(self.name, Outcome.UNSATISFIED, says, who, takes, label=label.name)

    def _needs(self, ask: Ask, label: str, value: str) -> Reason:
        telling, facts = self.telling, self.telling.facts
        because: list[Reason] = []
        for vote in voting.others(ask, facts) if ask.user in (NON_UPLOADER, NON_CONTRIBUTOR) else ():
            kind = "review.own-vote" if vote.account == facts.uploader else "review.contributor-vote"
            because.append(reason(kind, name=telling.name(vote.account), value=signed(vote.value)))
        if ask.all_reviewers:
            return reason("review.needs-all-reviewers", label=label, value=value)
        if ask.at_least > 1:
            there = len(voting.counted(ask, facts))
            return reason("review.needs-votes", *because[:1], label=label, value=value, count=ask.at_least, there=there)
        kind = "review.needs-vote" if ask.sign == "=" else "review.needs-vote-from"
        return reason(kind, *because[:1], label=label, value=value)

    def _who(self, ask: Ask, label: str, value: int) -> Reason | None:
        """Who may cast the vote that is missing; None: nobody may."""
        telling, facts = self.telling, self.telling.facts
        if ask.all_reviewers:
            return reason("review.who-each-reviewer")
        if ask.user in ("owner", "uploader"):
            account = facts.owner if ask.user == "owner" else facts.uploader
            return reason("review.who-account", name=telling.name(account))
        if ask.user and ask.user not in (NON_UPLOADER, NON_CONTRIBUTOR):
            return reason("review.who-account", name=ask.user)
        groups = (ask.group,) if ask.group else telling.electors(label, value)
        if not groups:
            return None
        named = ", ".join(groups)
        if ask.user == NON_UPLOADER:
            return reason("review.who-group-but", group=named, name=telling.name(facts.uploader))
        if ask.user == NON_CONTRIBUTOR:
            return reason("review.who-group-but-contributors", group=named)
        return reason("review.who-group", group=named)

    def _gate(self, label: str, value: int) -> Requirement:
        """The gate begins by itself with what it checked; a failed check takes a person first."""
        telling = self.telling
        own = [vote for vote in telling.facts.votes if vote.label == label and telling.is_gates(vote)]
        against = [vote for vote in own if vote.value < 0]
        checked = any(vote.value > 0 for vote in own)
        who, takes = reason("review.who-gate"), reason("review.takes-gate", label=label)
        because: tuple[Reason, ...] = ()
        if against and not checked:
            name, cast = telling.name(against[0].account), signed(against[0].value)
            because = (reason("review.voted-against", name=name, label=label, value=cast),)
            who, takes = reason("review.who-anybody"), reason("review.takes-recheck")
        elif not checked:
            takes = reason("review.takes-check-first", label=label)
        says = reason("review.needs-vote", *because, label=label, value=signed(value))
        return Requirement(self.name, Outcome.UNSATISFIED, says, who, takes, label=label)


def signed(value: int) -> str:
    """A vote as people write it: `+2`, `-1`, `0`."""
    return f"{value:+d}" if value else "0"
