# SPDX-License-Identifier: Apache-2.0
"""From facts of the journal to what is worth a mail: what one account did to a change at one moment is one happening.

Pure. Facts of one transaction stand side by side in the journal; a wish about mail stands ahead of them. What nobody
wants to read of (a topic, a hashtag, votes that went with a reviewer) makes no happening.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from ... import events as facts
from ...fact import Event
from ..model import ReviewerRemoved
from .model import NO_WISH, Happening, Kind, Notify, NotifyWished, Wish

KINDS: tuple[type[Event], ...] = (
    NotifyWished, facts.PatchSetCreated, facts.VoteCast, facts.CommentAdded, facts.ChangeAbandoned,
    facts.ChangeRestored, facts.ReviewerAdded, ReviewerRemoved, facts.WorkInProgressChanged, facts.ChangeMerged,
)  # fmt: skip
_MOMENT = timedelta(seconds=1)
#: What a mail is about when several things happen at once: the first of these that did.
_WEIGHT = (
    Kind.MERGED, Kind.ABANDONED, Kind.RESTORED, Kind.NEW_CHANGE, Kind.NEW_PATCH_SET, Kind.COMMENT, Kind.DELETE_VOTE,
    Kind.DELETE_REVIEWER, Kind.ADD_REVIEWER,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Noted:
    """A fact with its place in the journal."""

    id: int
    at: datetime
    fact: Event


@dataclass(slots=True)
class _Open:
    """A happening that is being put together."""

    id: int
    at: datetime
    change: int
    actor: int | None
    wish: Wish = NO_WISH
    kinds: set[Kind] = field(default_factory=set[Kind])
    patch_set: int = 0
    message: int = 0
    text: str = ""
    tag: str = ""
    votes: dict[str, int] = field(default_factory=dict[str, int])
    invited: list[int] = field(default_factory=list[int])
    removed: int | None = None
    upto: int = 0


def happenings(entries: Sequence[Noted]) -> tuple[Happening, ...]:
    """What happened, in order. The entries are complete: no transaction is cut at their ends."""
    found: list[Happening] = []
    now: _Open | None = None
    for entry in entries:
        change, actor = getattr(entry.fact, "change", 0), _actor(entry.fact)
        if now is None or (now.change, now.actor) != (change, actor) or entry.at - now.at > _MOMENT:
            found += _closed(now)
            now = _Open(entry.id, entry.at, change, actor)
        _add(now, entry.fact)
        now.upto = entry.id
    return (*found, *_closed(now))


def _actor(fact: Event) -> int | None:
    match fact:
        case facts.PatchSetCreated(uploader=uploader):
            return uploader
        case facts.ReviewerAdded(added_by=by):
            return by
        case facts.VoteCast(account=account, by=by):
            return account if by is None else by
        case _:
            return getattr(fact, "account", None)


def _add(now: _Open, fact: Event) -> None:
    match fact:
        case NotifyWished(level=level, to=to, cc=cc, bcc=bcc):
            now.wish = Wish(Notify(level) if level in Notify.__members__ else None, to, cc, bcc)
        case facts.PatchSetCreated(patch_set=patch_set):
            now.kinds.add(Kind.NEW_CHANGE if patch_set == 1 else Kind.NEW_PATCH_SET)
            now.patch_set = patch_set
        case facts.CommentAdded() as said:
            now.kinds.add(Kind.COMMENT)
            now.patch_set, now.message, now.text, now.tag = said.patch_set, said.message, said.text, said.tag
            now.votes |= dict(said.votes)
        case facts.VoteCast(by=None, label=label, value=value):
            now.votes[label] = value
        case facts.VoteCast(label=label, old=old, account=account, patch_set=patch_set):
            now.kinds.add(Kind.DELETE_VOTE)
            now.patch_set, now.removed, now.text = patch_set, account, f"Removed {label}{old:+d}"
        case facts.WorkInProgressChanged(work_in_progress=False):
            now.kinds.add(Kind.NEW_CHANGE)
        case facts.ReviewerAdded(account=account):
            if account != now.actor:
                now.kinds.add(Kind.ADD_REVIEWER)
                now.invited.append(account)
        case ReviewerRemoved(reviewer=reviewer):
            now.kinds.add(Kind.DELETE_REVIEWER)
            now.removed = reviewer
        case facts.ChangeAbandoned(text=text):
            now.kinds.add(Kind.ABANDONED)
            now.text = text
        case facts.ChangeRestored(text=text):
            now.kinds.add(Kind.RESTORED)
            now.text = text
        case facts.ChangeMerged(patch_set=patch_set):
            now.kinds.add(Kind.MERGED)
            now.patch_set = patch_set
        case _:
            pass


def _closed(now: _Open | None) -> Iterator[Happening]:
    """The mails of what was put together: one, and one more for those who were asked for a review with a comment."""
    if now is None:
        return
    kinds = [kind for kind in _WEIGHT if kind in now.kinds]
    for kind in kinds[:1]:
        yield _happening(now, kind)
    if kinds[:1] == [Kind.COMMENT] and Kind.ADD_REVIEWER in kinds:
        yield _happening(now, Kind.ADD_REVIEWER)


def _happening(now: _Open, kind: Kind) -> Happening:
    return Happening(
        id=now.id, at=now.at, change=now.change, kind=kind, actor=now.actor, patch_set=now.patch_set,
        message=now.message, text=now.text, tag=now.tag, votes=tuple(now.votes.items()), invited=tuple(now.invited),
        removed=now.removed, wish=now.wish, upto=now.upto,
    )  # fmt: skip
