# SPDX-License-Identifier: Apache-2.0
"""The questions this room asks of `access.py`, and the refusals that follow from the answers.

Pure: an actor, a change and the rules in; nothing or an error with a reason out.
"""

from __future__ import annotations

from ..access import Actor, Rulebook, Target, Verb, allowed_range, may
from ..errors import Conflict, Invalid, NotPermitted, Unauthenticated
from ..reasons import reason
from . import rules as labels
from .model import Change, Status, branch_ref
from .verdict import signed


def target_of(change: Change) -> Target:
    """A change as rules see it: a branch of a project, and who owns the change."""
    return Target(change.project, branch_ref(change.branch), change.owner)


def require_account(actor: Actor) -> int:
    """Who acts; a stranger may look only."""
    if actor.account is None:
        raise Unauthenticated(reason=reason("review.sign-in"))
    return actor.account


def require(actor: Actor, verb: Verb, target: Target, rules: Rulebook) -> int:
    """Who acts, when he may."""
    account = require_account(actor)
    if not may(actor, verb, target, rules):
        where = {"permission": verb.value, "ref": target.ref, "project": target.project}
        raise NotPermitted(reason=reason("review.not-permitted", **where))
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
