# SPDX-License-Identifier: Apache-2.0
"""`explain`: why a change may or may not be merged, as a tree of requirements.

Pure. Each requirement tells its outcome, why, who can satisfy it and what that takes, as reasons;
the page, the push output, the command line and REST all say these. `sentences.py` puts the tree
into lines of text.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache

from .. import access
from ..access import Target
from ..reasons import Reason, changes_named, reason, veil
from .labels.electors import groups_for
from .labels.model import About, Facts, Label
from .labels.outcome import Outcome, Requirement, node
from .labels.requirements import Result, result
from .labels.told import Electors, Telling, signed, tree
from .model import Status, Vote
from .rules import Rules

__all__ = [
    "DEPENDENCIES", "PARENT", "STATE", "Outcome", "Requirement", "Situation", "Verdict", "explain", "signed",
]  # fmt: skip

STATE = "State"
DEPENDENCIES = "Dependencies"
PARENT = "Parent"


@lru_cache(maxsize=1000)
def _of_a_new_site(label: str, value: int) -> tuple[str, ...]:
    """Who votes by the rules of a new site."""
    return groups_for(label, value, Target("", "refs/heads/main"), access.DEFAULT)


@dataclass(frozen=True, slots=True)
class Situation:
    """What `explain` needs to know of a change beside its votes.

    `waits_for` are the changes it depends on (git parents and Depends-On) that are not merged, `unknown` what
    Depends-On names and is no change here: a gate does not take it so. `about` is what else rules may ask of it, and
    `electors` tells who may cast a vote that is missing.
    `stray` is the parent of a commit that is no merge, where it is neither in the branch nor a change that is to come
    there: other commits would come along, which nobody has reviewed for that branch.
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
    stray: str = ""
    about: About = field(default_factory=About)
    electors: Electors = _of_a_new_site

    def name(self, account: int) -> str:
        """How sentences call an account."""
        return self.names.get(account, f"account {account}")


@dataclass(frozen=True, slots=True)
class Verdict:
    """All requirements; the change may be merged when every one passes. `rules` is the preset's name, `results` are
    the submit requirements as Gerrit's clients are told of them."""

    requirements: tuple[Requirement, ...]
    rules: str
    results: tuple[Result, ...] = ()

    @property
    def submittable(self) -> bool:
        """Whether nothing is missing."""
        return all(requirement.outcome.passes for requirement in self.requirements)

    def missing(self) -> tuple[Requirement, ...]:
        """The leaves that do not pass, vetoes first."""
        leaves = [leaf for requirement in self.requirements for leaf in requirement.leaves()]
        left = [leaf for leaf in leaves if not leaf.outcome.passes]
        return tuple(sorted(left, key=lambda leaf: leaf.outcome is not Outcome.BLOCKED))

    def find(self, name: str) -> Requirement | None:
        """The requirement of this name."""
        return next((requirement for requirement in self.requirements if requirement.name == name), None)

    def about(self, label: str) -> tuple[Requirement, ...]:
        """The leaves that speak of votes of a label."""
        return tuple(leaf for one in self.requirements for leaf in one.leaves() if leaf.label == label)

    def without(self, *names: str) -> Verdict:
        """The same verdict as if these requirements did not exist."""
        return Verdict(tuple(r for r in self.requirements if r.name not in names), self.rules, self.results)

    def of_people(self) -> Verdict:
        """The same verdict without what only the gate's own vote is missing for, or against."""
        return Verdict(tuple(r for r in self.requirements if not r.gate), self.rules, self.results)

    def named(self) -> frozenset[int]:
        """The changes whose numbers it tells."""
        return changes_named(*(leaf.says for one in self.requirements for leaf in one.leaves()))

    def veiled(self, hidden: Collection[int]) -> Verdict:
        """The same verdict for somebody who may not see some of the changes that it names."""
        return replace(self, requirements=tuple(_veiled(one, hidden) for one in self.requirements))

    def why_not(self) -> Reason | None:
        """What keeps the change from being merged, as one reason; None when nothing does."""
        left = self.missing()
        return reason("review.not-ready", *dict.fromkeys(leaf.says for leaf in left)) if left else None


def explain(change: Situation, votes: Iterable[Vote], rules: Rules) -> Verdict:
    """Judge a change by the votes on its current patch set."""
    ranges = {label.name: label for label in rules.labels}
    within = (_within(vote, ranges.get(vote.label)) for vote in votes)
    cast = tuple(sorted(within, key=lambda vote: (vote.granted, vote.label, vote.account, vote.value)))
    facts = Facts(
        owner=change.owner,
        uploader=change.uploader,
        votes=cast,
        labels={label.name.lower(): label for label in rules.labels},
        names=change.names,
        gated=change.gated,
        status=change.status,
        work_in_progress=change.work_in_progress,
        private=change.private,
        about=change.about,
    )
    results = tuple(result(wanted, facts) for wanted in rules.requirements)
    telling = Telling(facts, change.electors, change.gate, rules.name == "team-of-one")
    needs = tuple(tree(found, telling) for found in results)
    return Verdict((_state(change), *_dependencies(change), *_parent(change), *needs), rules.name, results)


def _within(vote: Vote, label: Label | None) -> Vote:
    """A vote as its label has it now. Who vetoed when it went further down vetoes still, as in Gerrit."""
    value = vote.value if label is None else min(max(vote.value, label.lowest), label.highest)
    return vote if value == vote.value else replace(vote, value=value)


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


def _parent(change: Situation) -> tuple[Requirement, ...]:
    """Nothing for a change that stands where it belongs."""
    if not change.stray:
        return ()
    says = reason("review.stray-parent", commit=change.stray[:12], branch=change.about.branch)
    takes = reason("review.takes-rebase", branch=change.about.branch)
    return (Requirement(PARENT, Outcome.BLOCKED, says, reason("review.who-uploaders"), takes),)


def _veiled(of: Requirement, hidden: Collection[int]) -> Requirement:
    takes = veil(of.takes, hidden) if of.takes is not None else None
    return replace(of, says=veil(of.says, hidden), takes=takes, parts=tuple(_veiled(one, hidden) for one in of.parts))


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
    return (node(DEPENDENCIES, parts, reason("review.dependencies")),) if parts else ()
