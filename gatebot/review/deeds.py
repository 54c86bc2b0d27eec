# SPDX-License-Identifier: Apache-2.0
"""Who may do what to a change as it is now: one decider for each thing that can be done.

Pure. What does it asks here first, and what lists the possible asks the same (`actions.py`): a button never promises
what the call refuses. Each tells who acts, or raises why not.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeAlias

from ..access import Actor, Rulebook, Target, Verb, may
from ..errors import Conflict, GatebotError
from ..reasons import reason
from .model import Change, Status, branch_ref
from .permission import require, require_abandoned, require_account, require_open, target_of

Decider: TypeAlias = Callable[[Actor, Change, Rulebook], int]


def _needs(verb: Verb, *state: Callable[[Change], None]) -> Decider:
    """Whoever has a permission on the change, while it is in a state."""

    def decide(actor: Actor, change: Change, rules: Rulebook) -> int:
        account = require(actor, verb, target_of(change), rules)
        for required in state:
            required(change)
        return account

    return decide


abandon = _needs(Verb.ABANDON, require_open)
"""Close it without merging."""
restore = _needs(Verb.ABANDON, require_abandoned)
"""Open it again."""
toggle_wip = _needs(Verb.TOGGLE_WIP, require_open)
"""Mark it as work in progress, or as ready."""
submit = _needs(Verb.SUBMIT, require_open)
"""Ask for it to be merged."""
set_topic = _needs(Verb.EDIT_TOPIC)
"""Put it under a topic."""
set_hashtags = _needs(Verb.EDIT_HASHTAGS)
"""Change its hashtags."""
set_keyed_values = _needs(Verb.EDIT_KEYED_VALUES)
"""Change what programs keep with it."""


def hide(actor: Actor, change: Change, rules: Rulebook) -> int:
    """Make it private or public: the owner decides who sees it; no reviewer, although he may mark it as ready."""
    account = _own(actor, Verb.OWN, change, rules)
    require_open(change)
    return account


def rebase(actor: Actor, change: Change, rules: Rulebook) -> int:
    """Put it onto another commit."""
    require_account(actor)
    if not change.is_open:
        raise Conflict(reason=reason("review.rebase-closed", change=change.number, status=change.status.value.lower()))
    return _uploading(actor, Verb.REBASE, change, rules)


def revert(actor: Actor, change: Change, rules: Rulebook) -> int:
    """Undo it by another change."""
    require_account(actor)
    if change.status is not Status.MERGED:
        raise Conflict(reason=reason("review.change-is", status=change.status.value.lower()))
    return _uploading(actor, Verb.REVERT, change, rules)


def _uploading(actor: Actor, verb: Verb, change: Change, rules: Rulebook) -> int:
    """Whoever has a permission, and may upload to the branch what he makes by it."""
    require(actor, Verb.UPLOAD, Target(change.project, branch_ref(change.branch), actor.account), rules)
    return require(actor, verb, target_of(change), rules)


def move(actor: Actor, change: Change, rules: Rulebook) -> int:
    """Mean it for another branch."""
    account = require(actor, Verb.ABANDON, target_of(change), rules)
    if not change.is_open:
        raise Conflict(reason=reason("review.move-closed", status=change.status.value.lower()))
    return account


def pick(actor: Actor, change: Change, rules: Rulebook) -> int:
    """Pick it onto a branch: which one the asker says then, so any that he may upload to will do."""
    return require(actor, Verb.UPLOAD, Target(change.project, "refs/heads/*", actor.account), rules)


def describe(actor: Actor, change: Change, rules: Rulebook) -> int:
    """Say what a patch set of it is about."""
    return _own(actor, Verb.OWN, change, rules)


def amend(actor: Actor, change: Change, rules: Rulebook) -> int:
    """Give it its next patch set."""
    account = _own(actor, Verb.ADD_PATCH_SET, change, rules)
    require_open(change)
    return account


def _own(actor: Actor, verb: Verb, change: Change, rules: Rulebook) -> int:
    """The owner of the change, or whoever has a permission on it."""
    account = require_account(actor)
    if account != change.owner:
        require(actor, verb, target_of(change), rules)
    return account


def delete(actor: Actor, change: Change, rules: Rulebook) -> int:
    """Take it away for good."""
    account = require_account(actor)
    if not may(actor, Verb.DELETE_CHANGES, target_of(change), rules):
        verb = Verb.DELETE_OWN_CHANGES if change.owner == account else Verb.DELETE_CHANGES
        require(actor, verb, target_of(change), rules)
    if change.status is Status.MERGED:
        raise Conflict(reason=reason("review.delete-merged"))
    return account


DECIDERS: Mapping[str, Decider] = {
    "abandon": abandon, "restore": restore, "toggle_wip": toggle_wip, "hide": hide, "submit": submit, "rebase": rebase,
    "revert": revert, "move": move, "set_topic": set_topic, "set_hashtags": set_hashtags, "pick": pick, "amend": amend,
    "describe": describe, "delete": delete,
}  # fmt: skip


def can(name: str, actor: Actor, change: Change, rules: Rulebook) -> bool:
    """Whether a decider lets this happen."""
    try:
        DECIDERS[name](actor, change, rules)
    except GatebotError:
        return False
    return True
