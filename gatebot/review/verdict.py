# SPDX-License-Identifier: Apache-2.0
"""`explain`: why a change may or may not be merged, as a tree of requirements.

Pure. Each requirement tells its outcome, why, who can satisfy it and what that takes, as reasons;
the page, the push output, the command line and REST all say these. `sentences.py` puts the tree
into lines of text.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from ..reasons import Reason, reason
from .model import Status, Vote
from .rules import LabelNeed, Rules

STATE = "State"
DEPENDENCIES = "Dependencies"


class Outcome(StrEnum):
    """BLOCKED is worse than UNSATISFIED: somebody said no, and more approval does not help."""

    SATISFIED = "SATISFIED"
    UNSATISFIED = "UNSATISFIED"
    BLOCKED = "BLOCKED"
    NOT_APPLICABLE = "NOT_APPLICABLE"


_PASSES = (Outcome.SATISFIED, Outcome.NOT_APPLICABLE)


@dataclass(frozen=True, slots=True)
class Situation:
    """What `explain` needs to know of a change beside its votes.

    `waits_for` are the changes it depends on (git parents and Depends-On) that are not merged, `unknown` what
    Depends-On names and is no change here: a gate does not take it so.
    `names` are user names; an account that is not there is told by its number. `gate` is the user name whose votes are
    the gate's own, empty where anybody's are: CIs elsewhere vote under the same label.
    """

    status: Status
    owner: int
    uploader: int
    gated: bool
    work_in_progress: bool = False
    private: bool = False
    waits_for: tuple[int, ...] = ()
    names: Mapping[int, str] = field(default_factory=dict[int, str])
    unknown: tuple[str, ...] = ()
    gate: str = ""

    def name(self, account: int) -> str:
        """How sentences call an account."""
        return self.names.get(account, f"account {account}")


@dataclass(frozen=True, slots=True)
class Requirement:
    """A leaf, or a node whose outcome is the worst of its parts.

    `who` can make `takes` happen; both are there exactly when a leaf does not pass.
    """

    name: str
    outcome: Outcome
    says: Reason
    who: Reason | None = None
    takes: Reason | None = None
    parts: tuple[Requirement, ...] = ()

    def leaves(self) -> Iterator[Requirement]:
        """The requirements that have no parts, in order."""
        if not self.parts:
            yield self
        for part in self.parts:
            yield from part.leaves()


@dataclass(frozen=True, slots=True)
class Verdict:
    """All requirements; the change may be merged when every one passes. `rules` is the preset's name."""

    requirements: tuple[Requirement, ...]
    rules: str

    @property
    def submittable(self) -> bool:
        """Whether nothing is missing."""
        return all(requirement.outcome in _PASSES for requirement in self.requirements)

    def missing(self) -> tuple[Requirement, ...]:
        """The leaves that do not pass, vetoes first."""
        leaves = [leaf for requirement in self.requirements for leaf in requirement.leaves()]
        left = [leaf for leaf in leaves if leaf.outcome not in _PASSES]
        return tuple(sorted(left, key=lambda leaf: leaf.outcome is not Outcome.BLOCKED))

    def find(self, name: str) -> Requirement | None:
        """The requirement of this name."""
        return next((requirement for requirement in self.requirements if requirement.name == name), None)

    def without(self, *names: str) -> Verdict:
        """The same verdict as if these requirements did not exist."""
        return Verdict(tuple(r for r in self.requirements if r.name not in names), self.rules)

    def why_not(self) -> Reason | None:
        """What keeps the change from being merged, as one reason; None when nothing does."""
        left = self.missing()
        return reason("review.not-ready", *(leaf.says for leaf in left)) if left else None


def explain(change: Situation, votes: Iterable[Vote], rules: Rules) -> Verdict:
    """Judge a change by the votes on its current patch set."""
    cast = sorted(votes, key=lambda vote: (vote.granted, vote.label, vote.account, vote.value))
    needs = tuple(
        _label(change, [vote for vote in cast if vote.label == need.label], need, rules) for need in rules.needs
    )
    return Verdict((_state(change), *_dependencies(change), *needs), rules.name)


def _state(change: Situation) -> Requirement:
    owner = reason("review.who-owner", name=change.name(change.owner))
    match change:
        case Situation(status=Status.MERGED):
            nobody = reason("review.who-nobody")
            return Requirement(
                STATE, Outcome.BLOCKED, reason("review.merged"), nobody, reason("review.takes-new-change")
            )
        case Situation(status=Status.ABANDONED):
            return Requirement(
                STATE, Outcome.BLOCKED, reason("review.abandoned"), owner, reason("review.takes-restore")
            )
        case Situation(work_in_progress=True):
            says, takes = reason("review.work-in-progress"), reason("review.takes-ready")
            return Requirement(STATE, Outcome.UNSATISFIED, says, owner, takes)
        case Situation(private=True):
            return Requirement(
                STATE, Outcome.UNSATISFIED, reason("review.private"), owner, reason("review.takes-public")
            )
        case _:
            return Requirement(STATE, Outcome.SATISFIED, reason("review.open"))


def _dependencies(change: Situation) -> tuple[Requirement, ...]:
    """Nothing for a change that depends on nothing open or unknown."""
    who = reason("review.who-reviewers")
    parts = tuple(
        Requirement(
            DEPENDENCIES,
            Outcome.UNSATISFIED,
            reason("review.waits-for", change=number),
            who,
            reason("review.takes-merge", change=number),
        )
        for number in sorted(change.waits_for)
    )
    owner = reason("review.who-owner", name=change.name(change.owner))
    parts += tuple(
        Requirement(
            DEPENDENCIES,
            Outcome.UNSATISFIED,
            reason("review.unknown-dependency", address=address),
            owner,
            reason("review.takes-dependency-line"),
        )
        for address in change.unknown
        if change.gated
    )
    return (
        (Requirement(DEPENDENCIES, Outcome.UNSATISFIED, reason("review.dependencies"), parts=parts),) if parts else ()
    )


def _label(change: Situation, votes: list[Vote], need: LabelNeed, rules: Rules) -> Requirement:
    if need.gate and not change.gated:
        return Requirement(need.label, Outcome.NOT_APPLICABLE, reason("review.no-gate", label=need.label))
    vetoes = tuple(_veto(change, vote, need) for vote in votes if vote.value <= need.forbids)
    # When the gate says no, more of its votes is not the way out: its veto tells what is.
    parts = vetoes if need.gate and vetoes else (*vetoes, _approval(change, votes, need, rules))
    worst = next((part.outcome for part in parts if part.outcome not in _PASSES), Outcome.SATISFIED)
    says = parts[0].says if worst is not Outcome.SATISFIED else parts[-1].says
    return Requirement(need.label, worst, says, parts=parts)


def _veto(change: Situation, vote: Vote, need: LabelNeed) -> Requirement:
    name = change.name(vote.account)
    says = reason("review.vetoed", label=vote.label, value=signed(vote.value), name=name)
    takes = reason("review.takes-recheck") if need.gate else reason("review.takes-withdrawal", label=vote.label)
    who = reason("review.who-anybody") if need.gate else reason("review.who-account", name=name)
    return Requirement(need.label, Outcome.BLOCKED, says, who, takes)


def _approval(change: Situation, votes: list[Vote], need: LabelNeed, rules: Rules) -> Requirement:
    value = signed(need.needs)
    enough = [vote for vote in votes if vote.value >= need.needs]
    counted = [vote for vote in enough if not (need.not_uploader and vote.account == change.uploader)]
    if counted:
        by = counted[0]
        own = not need.gate and by.account == change.uploader
        because = (reason("review.team-of-one"),) if own and rules.name == "team-of-one" else ()
        says = reason(
            "review.approved", *because, label=need.label, value=signed(by.value), name=change.name(by.account)
        )
        return Requirement(need.label, Outcome.SATISFIED, says)
    if need.gate:
        return _gate_approval(change, votes, need)
    uploader = change.name(change.uploader)
    because = (reason("review.own-vote", name=uploader, value=value),) if enough else ()
    says = reason("review.needs-vote", *because, label=need.label, value=value)
    who = (
        reason("review.who-group-but", group=need.group, name=uploader)
        if need.not_uploader
        else reason("review.who-group", group=need.group)
    )
    takes = reason("review.takes-vote", label=need.label, value=value)
    return Requirement(need.label, Outcome.UNSATISFIED, says, who, takes)


def _gate_approval(change: Situation, votes: list[Vote], need: LabelNeed) -> Requirement:
    """The gate begins by itself with what it checked; a failed check takes a person first."""
    own = [vote for vote in votes if not change.gate or change.names.get(vote.account) == change.gate]
    against = [vote for vote in own if vote.value < 0]
    checked = any(vote.value > 0 for vote in own)
    who, takes = reason("review.who-gate"), reason("review.takes-gate", label=need.label)
    because: tuple[Reason, ...] = ()
    if against and not checked:
        name, value = change.name(against[0].account), signed(against[0].value)
        because = (reason("review.voted-against", name=name, label=need.label, value=value),)
        who, takes = reason("review.who-anybody"), reason("review.takes-recheck")
    elif not checked:
        takes = reason("review.takes-check-first", label=need.label)
    says = reason("review.needs-vote", *because, label=need.label, value=signed(need.needs))
    return Requirement(need.label, Outcome.UNSATISFIED, says, who, takes)


def signed(value: int) -> str:
    """A vote as people write it: `+2`, `-1`, `0`."""
    return f"{value:+d}" if value else "0"
