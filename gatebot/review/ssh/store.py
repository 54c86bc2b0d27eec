# SPDX-License-Identifier: Apache-2.0
"""What is read with a fact before it can be told: the change, its patch set, the people in it, their votes.

Transaction functions; nothing is written.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from ...db import Session
from ...identity import Account, accounts_in
from .. import conversation, store
from ..model import Change, InlineComment, PatchSet, Vote


@dataclass(frozen=True, slots=True)
class Ground:
    """What SQL knows of one fact about a change."""

    change: Change
    patch_set: PatchSet
    people: dict[int, Account]
    votes: tuple[Vote, ...]
    comments: tuple[InlineComment, ...]


def ground_of(session: Session, number: int, patch_set: int, ids: Iterable[int], message: int) -> Ground | None:
    """`patch_set` 0 is the current one; `message` is the id of the review message whose comments are wanted."""
    change = store.find_change(session, number)
    if change is None:
        return None
    shown = store.get_patch_set(session, number, patch_set or change.current)
    votes = conversation.list_votes(session, number, shown.number)
    comments = conversation.list_comments(session, number, shown.number) if message else ()
    people = accounts_in(session, {*ids, change.owner, shown.uploader})
    return Ground(change, shown, people, votes, tuple(one for one in comments if one.message == message))
