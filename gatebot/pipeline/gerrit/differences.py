# SPDX-License-Identifier: Apache-2.0
"""The facts that lie between two looks at a change: what Gerrit's events would have told, missed or not.

Pure. The order is that in which people read: the newest patch set, states, votes, what was said; a merge or an
abandonment last.
"""

from __future__ import annotations

from collections.abc import Iterable

from ...events import (
    ChangeAbandoned,
    ChangeMerged,
    ChangeRestored,
    CommentAdded,
    Event,
    HashtagsChanged,
    PatchSetCreated,
    TopicChanged,
    VoteCast,
    WorkInProgressChanged,
)
from .model import ABANDONED, MERGED, NEW, Mirrored, Reading, Said


def differences(before: Mirrored | None, reading: Reading, item: str | None = None) -> tuple[Event, ...]:
    """What happened to a change; `item` is the queue item whose landing this look follows.

    A change that was not known tells everything while it is open, and nothing when it is closed.
    """
    after = reading.change
    if before is None and after.facts.status != NEW:
        return ()
    return (*_uploads(before, after), *_states(before, after), *_votes(before, after), *_told(before, reading),
            *_ends(before, after, item))  # fmt: skip


def _uploads(before: Mirrored | None, after: Mirrored) -> Iterable[Event]:
    facts = after.facts
    if before is None or before.facts.current < facts.current:
        kind = after.patch_sets[-1].kind
        yield PatchSetCreated(
            facts.number, facts.current, facts.project, facts.branch, facts.commit, facts.uploader, kind
        )


def _states(before: Mirrored | None, after: Mirrored) -> Iterable[Event]:
    facts = after.facts
    if before is None:
        return
    if before.facts.status == ABANDONED and facts.status == NEW:
        yield ChangeRestored(facts.number, facts.owner)
    if before.facts.work_in_progress is not facts.work_in_progress:
        yield WorkInProgressChanged(facts.number, facts.work_in_progress, facts.owner)
    if before.facts.topic != facts.topic:
        yield TopicChanged(facts.number, facts.topic, before.facts.topic, facts.owner)
    if set(before.facts.hashtags) != set(facts.hashtags):
        added = tuple(tag for tag in facts.hashtags if tag not in before.facts.hashtags)
        removed = tuple(tag for tag in before.facts.hashtags if tag not in facts.hashtags)
        yield HashtagsChanged(facts.number, added, removed, facts.owner)


def _votes(before: Mirrored | None, after: Mirrored) -> Iterable[Event]:
    facts = after.facts
    same = before is not None and before.facts.current == facts.current
    old = {(one.label, one.account): one.value for one in before.facts.votes} if before is not None else {}
    new = {(one.label, one.account): one.value for one in facts.votes}
    # A new patch set makes votes void; that is no act of their voters.
    for label, account in dict.fromkeys([*(old if same else ()), *new]):
        was, now = old.get((label, account), 0), new.get((label, account), 0)
        if was != now:
            yield VoteCast(facts.number, facts.current, label, now, account, was)


def _told(before: Mirrored | None, reading: Reading) -> Iterable[Event]:
    facts = reading.change.facts
    for one in unheard(before, reading):
        place = reading.change.heard.index(one.id) + 1
        yield CommentAdded(
            facts.number, one.patch_set or facts.current, one.account, place, one.text, one.tag, one.votes, one.inline
        )


def unheard(before: Mirrored | None, reading: Reading) -> tuple[Said, ...]:
    """The messages that nobody was told of."""
    heard = frozenset(before.heard) if before is not None else frozenset[str]()
    return tuple(one for one in reading.said if one.id not in heard)


def _ends(before: Mirrored | None, after: Mirrored, item: str | None) -> Iterable[Event]:
    facts = after.facts
    if before is None or before.facts.status == facts.status:
        return
    if facts.status == MERGED:
        yield ChangeMerged(facts.number, facts.current, facts.project, facts.branch, facts.commit, facts.uploader, item)
    elif facts.status == ABANDONED:
        yield ChangeAbandoned(facts.number, facts.owner)
