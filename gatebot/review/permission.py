# SPDX-License-Identifier: Apache-2.0
"""The questions this room asks of `access.py`, and the refusals that follow from the answers.

Pure: an actor, a change and the rules in; nothing or an error with a reason out.
"""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache

from ..access import (
    REGISTERED,
    Actor,
    Permission,
    Rule,
    Rulebook,
    Rules,
    Section,
    Target,
    Verb,
    allowed_range,
    may,
    read_patterns,
)
from ..errors import Conflict, Invalid, NotPermitted, Unauthenticated
from ..lacking import lacking
from ..reasons import reason
from . import rules as labels
from .config.model import ALL_PROJECTS, CONFIG_REF
from .model import Change, Status, branch_ref
from .verdict import signed


def target_of(change: Change) -> Target:
    """A change as rules see it: a branch of a project, and who owns the change."""
    return Target(change.project, branch_ref(change.branch), change.owner)


def sees_project(actor: Actor, project: str, rules: Rulebook) -> bool:
    """Whether a project is there for somebody: he may read its branches, or any other of its references.

    What an expression fits cannot be tried, so one counts for nothing here; a plain pattern stands for its references.
    All-Projects has nothing but its configuration: it is there for those who may read that.
    """
    said = rules.of(project)
    if project == ALL_PROJECTS:
        return may(actor, Verb.READ, Target(project, CONFIG_REF), said)
    patterns = ["refs/*", "refs/heads/*", *sorted(read_patterns(said))]
    return any(may(actor, Verb.READ, Target(project, one), said) for one in patterns if not one.startswith("^"))


def reads_all_branches(project: str, rules: Rulebook) -> bool:
    """Whether who reads one branch of a project reads them all, so that nobody needs to be asked about each."""
    return read_patterns(rules.of(project)) <= {"refs/*", CONFIG_REF}


class ForTheGate:
    """The rules of a site as its own gate is under them: it reads and reports everywhere, and votes as rules say.

    What it merges it has to read, whoever else may not.
    """

    def __init__(self, rules: Rulebook) -> None:
        self._rules = rules

    def of(self, project: str) -> Rules:
        """Those of a project."""
        return _opened(self._rules.of(project))


_ALWAYS = ("read", "comment")


@lru_cache(maxsize=5000)
def _opened(rules: Rules) -> Rules:
    chain = tuple(
        tuple(
            Section(one.pattern, tuple(said for said in one.permissions if said.name not in _ALWAYS))
            for one in sections
        )
        for sections in rules.chain
    )
    everywhere = Section("refs/*", tuple(Permission(name, (Rule(REGISTERED),)) for name in _ALWAYS))
    return replace(rules, chain=(*chain, (everywhere,)))


def require_account(actor: Actor) -> int:
    """Who acts; a stranger may look only."""
    if actor.account is None:
        raise Unauthenticated(reason=reason("review.sign-in"))
    return actor.account


def require(actor: Actor, verb: Verb, target: Target, rules: Rulebook) -> int:
    """Who acts, when he may."""
    account = require_account(actor)
    if not may(actor, verb, target, rules):
        raise lacking(verb, target, account)
    return account


def require_open(change: Change) -> None:
    """Only an open change changes."""
    if not change.is_open:
        raise Conflict(reason=reason("review.is-closed", status=change.status.value.lower()))


def require_abandoned(change: Change) -> None:
    """Only an abandoned change comes back."""
    if change.status is not Status.ABANDONED:
        raise Conflict(reason=reason("review.not-abandoned", status=change.status.value.lower()))


def checked_vote(actor: Actor, name: str, value: int, change: Change, known: labels.Rules, rules: Rulebook) -> str:
    """The label's own name, when this actor may vote so."""
    label = known.label(name)
    if label is None:
        names = ", ".join(label.name for label in known.labels)
        raise Invalid(reason=reason("review.no-such-label", label=name, labels=names))
    lowest, highest = allowed_range(actor, label.name, target_of(change), rules)
    if lowest <= value <= highest and label.lowest <= value <= label.highest:
        return label.name
    said = {"label": label.name, "value": signed(value)}
    if lowest == highest:
        raise NotPermitted(reason=reason("review.vote-label-not-permitted", **said))
    between = {"lowest": signed(lowest), "highest": signed(highest)}
    raise NotPermitted(reason=reason("review.vote-not-permitted", **said, **between))


def permitted_labels(actor: Actor, change: Change, known: labels.Rules, rules: Rulebook) -> dict[str, tuple[int, ...]]:
    """The votes that an actor may cast on a change; only labels where there is a choice."""
    found: dict[str, tuple[int, ...]] = {}
    for label in known.labels if change.is_open else ():
        lowest, highest = allowed_range(actor, label.name, target_of(change), rules)
        values = tuple(value for value, _ in label.values if lowest <= value <= highest)
        if len(values) > 1:
            found[label.name] = values
    return found
