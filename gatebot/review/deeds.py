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


def abandon(actor: Actor, change: Change, rules: Rulebook) -> int:
    """Close it without merging."""
    account = require(actor, Verb.ABANDON, target_of(change), rules)
    require_open(change)
    return account


def restore(actor: Actor, change: Change, rules: Rulebook) -> int:
    """Open it again."""
    account = require(actor, Verb.ABANDON, target_of(change), rules)
    require_abandoned(change)
    return account


def toggle_wip(actor: Actor, change: Change, rules: Rulebook) -> int:
    """Mark it as work in progress, or as ready."""
    account = require(actor, Verb.TOGGLE_WIP, target_of(change), rules)
    require_open(change)
    return account


def hide(actor: Actor, change: Change, rules: Rulebook) -> int:
    """Make it private or public: the owner decides who sees it; no reviewer, although he may mark it as ready."""
    account = require_account(actor)
    if account != change.owner:
        require(actor, Verb.OWN, target_of(change), rules)
    require_open(change)
    return account


def submit(actor: Actor, change: Change, rules: Rulebook) -> int:
    """Ask for it to be merged."""
    account = require(actor, Verb.SUBMIT, target_of(change), rules)
    require_open(change)
    return account


def rebase(actor: Actor, change: Change, rules: Rulebook) -> int:
    """Put it onto another commit."""
    require_account(actor)
    if not change.is_open:
        raise Conflict(reason=reason("review.rebase-closed", change=change.number, status=change.status.value.lower()))
    require(actor, Verb.UPLOAD, Target(change.project, branch_ref(change.branch), actor.account), rules)
    return require(actor, Verb.REBASE, target_of(change), rules)


def revert(actor: Actor, change: Change, rules: Rulebook) -> int:
    """Undo it by another change."""
    require_account(actor)
    if change.status is not Status.MERGED:
        raise Conflict(reason=reason("review.change-is", status=change.status.value.lower()))
    require(actor, Verb.UPLOAD, Target(change.project, branch_ref(change.branch), actor.account), rules)
    return require(actor, Verb.REVERT, target_of(change), rules)


def move(actor: Actor, change: Change, rules: Rulebook) -> int:
    """Mean it for another branch."""
    account = require(actor, Verb.ABANDON, target_of(change), rules)
    if not change.is_open:
        raise Conflict(reason=reason("review.move-closed", status=change.status.value.lower()))
    return account


def set_topic(actor: Actor, change: Change, rules: Rulebook) -> int:
    """Put it under a topic."""
    return require(actor, Verb.EDIT_TOPIC, target_of(change), rules)


def set_hashtags(actor: Actor, change: Change, rules: Rulebook) -> int:
    """Change its hashtags."""
    return require(actor, Verb.EDIT_HASHTAGS, target_of(change), rules)


def pick(actor: Actor, change: Change, rules: Rulebook) -> int:
    """Pick it onto a branch: which one the asker says then, so any that he may upload to will do."""
    return require(actor, Verb.UPLOAD, Target(change.project, "refs/heads/*", actor.account), rules)


def amend(actor: Actor, change: Change, rules: Rulebook) -> int:
    """Give it its next patch set."""
    account = require_account(actor)
    if account != change.owner:
        require(actor, Verb.ADD_PATCH_SET, target_of(change), rules)
    require_open(change)
    return account


def delete(actor: Actor, change: Change, rules: Rulebook) -> int:
    """Take it away for good."""
    account = require_account(actor)
    own = change.owner == account and may(actor, Verb.DELETE_OWN_CHANGES, target_of(change), rules)
    if not own:
        require(actor, Verb.DELETE_CHANGES, target_of(change), rules)
    if change.status is Status.MERGED:
        raise Conflict(reason=reason("review.delete-merged"))
    return account


DECIDERS: Mapping[str, Decider] = {
    one.__name__: one
    for one in (
        abandon, restore, toggle_wip, hide, submit, rebase, revert, move, set_topic, set_hashtags, pick, amend, delete,
    )
}  # fmt: skip


def can(name: str, actor: Actor, change: Change, rules: Rulebook) -> bool:
    """Whether a decider lets this happen."""
    try:
        DECIDERS[name](actor, change, rules)
    except GatebotError:
        return False
    return True
