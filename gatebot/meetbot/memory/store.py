# SPDX-License-Identifier: Apache-2.0
"""The rows of the register, and what the record tells besides: decisions.

A row is written in the transaction of the line that makes the action, and goes with an `#undo`. Whom an action names is
known when its meeting is over; until then the minutes are asked.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

import sqlalchemy as sa

from ... import db
from ...db import Session
from .. import lines as reading
from ..model import DECISIONS, ITEMS, Entry, EntryKind, Reply, Standing
from . import matching
from .model import Action, Decision, How

action_table = sa.Table(
    "meeting_action",
    db.metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("meeting", sa.Integer, nullable=False),
    sa.Column("log_line", sa.Integer, nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("channel", sa.Text, nullable=False),
    sa.Column("at", db.utc, nullable=False),
    sa.Column("nick", sa.Text, nullable=False),
    sa.Column("text", sa.Text, nullable=False),
    sa.Column("line", sa.BigInteger, nullable=False),
    sa.Column("people", sa.Text, nullable=False),
    sa.Column("closed", db.utc),
    sa.Column("closed_by", sa.Text, nullable=False),
    sa.Column("how", sa.Text, nullable=False),
    sa.Column("reference", sa.Text, nullable=False),
    sa.UniqueConstraint("meeting", "log_line"),
    sa.Index("ix_meeting_action_closed", "closed", "name"),
)
_OPEN = action_table.c.closed.is_(None)
_MEETINGS_AT_ONCE = 40


def note(
    session: Session, meeting: int, name: str, channel: str, entries: Sequence[Entry], before: Standing | None,
    *, old: bool = False,
) -> tuple[Reply, ...]:  # fmt: skip
    """Take in what a line added to a meeting's record; `before` is the newest item that stood till then.

    An `old` line closes by its words what was to be done then; its numbers are of another register.
    """
    replies: list[Reply] = []
    for entry in entries:
        match entry.kind:
            case EntryKind.ACTION:
                row = {"meeting": meeting, "log_line": entry.number, "name": name, "channel": channel, "at": entry.at}
                row |= {"nick": entry.nick, "text": entry.text, "line": entry.line, "people": ""}
                row |= {"closed_by": "", "how": "", "reference": ""}
                session.execute(sa.insert(action_table).values(row))
            case EntryKind.DONE:
                replies += _done(session, meeting, name, channel, entry, old=old)
            case EntryKind.UNDO if before is not None:
                _undone(session, meeting, before.item)
            case EntryKind.NAME:
                renamed = sa.update(action_table).where(action_table.c.meeting == meeting)
                session.execute(renamed.values(name=entry.text))
            case _:
                pass
    return tuple(replies)


def note_old(session: Session, meeting: int, name: str, channel: str, entries: Sequence[Entry], *, done: bool) -> None:
    """Take in the record of a meeting of long ago; `done`: nothing of what it wanted is still to be done."""
    last: Standing | None = None
    for entry in entries:
        note(session, meeting, name, channel, [entry], last, old=True)
        if entry.kind in ITEMS:
            last = Standing(entry, last)
        elif entry.kind is EntryKind.UNDO and last is not None:
            last = last.below
    if done:
        closed = {"closed": entries[-1].at, "closed_by": "", "how": How.IMPORTED.value, "reference": ""}
        session.execute(sa.update(action_table).where(_OPEN, action_table.c.meeting == meeting).values(closed))


def _done(session: Session, meeting: int, name: str, channel: str, entry: Entry, *, old: bool) -> list[Reply]:
    """Close the action that is meant, or say which ones may be."""
    number = matching.number_in(entry.text)
    if old and number is not None:
        return []
    near = sa.or_(action_table.c.name == name, action_table.c.channel == channel)
    asked = sa.select(action_table).where(_OPEN, action_table.c.id == number if number is not None else near)
    asked = asked.where(action_table.c.at <= entry.at) if old else asked
    found = matching.meant(entry.text, [_action(row) for row in session.execute(asked.order_by(action_table.c.id))])
    if number is not None and not found:
        return [Reply(f"No open action has the number {number}.")]
    if len(found) > 1:
        told = "; ".join(f"{action.id}: {action.text[:60]}" for action in found[:4])
        return [Reply(f"Several open actions may be meant. Say #done NUMBER: {told}")]
    for action in found:
        close(session, action.id, entry.at, entry.nick, How.DONE, f"{meeting}/{entry.number}")
        return [Reply(f"Action {action.id} is done: {action.text}")]
    return []


def _undone(session: Session, meeting: int, item: Entry) -> None:
    if item.kind is EntryKind.ACTION:
        gone = sa.delete(action_table).where(action_table.c.meeting == meeting)
        session.execute(gone.where(action_table.c.log_line == item.number))
    elif item.kind is EntryKind.DONE:
        reference = action_table.c.reference == f"{meeting}/{item.number}"
        opened = sa.update(action_table).where(reference, action_table.c.how == How.DONE.value)
        session.execute(opened.values(closed=None, closed_by="", how="", reference=""))


def close(session: Session, id: int, at: datetime, who: str, how: How, reference: str = "") -> bool:
    """Close an open action; False when there is no such."""
    values = {"closed": at, "closed_by": who, "how": how.value, "reference": reference}
    closed = sa.update(action_table).where(_OPEN, action_table.c.id == id).values(values)
    return session.execute(closed.returning(action_table.c.id)).first() is not None


def reopen(session: Session, id: int) -> bool:
    """Open an action again; False when there is no such."""
    values = {"closed": None, "closed_by": "", "how": "", "reference": ""}
    opened = sa.update(action_table).where(action_table.c.id == id).values(values)
    return session.execute(opened.returning(action_table.c.id)).first() is not None


def reword(session: Session, meeting: int, log_line: int, text: str) -> None:
    """Give an action other words, or with none take it away."""
    row = (action_table.c.meeting == meeting, action_table.c.log_line == log_line)
    changed = sa.update(action_table).where(*row).values(text=text) if text else sa.delete(action_table).where(*row)
    session.execute(changed)


def remove(session: Session, lines: Sequence[int], mark: str) -> None:
    """Put a mark in place of the words of the actions that these lines of the archive brought."""
    session.execute(sa.update(action_table).where(action_table.c.line.in_(lines)).values(text=mark))


def assign(session: Session, meeting: int, people: dict[int, tuple[str, ...]]) -> None:
    """Keep whom the actions of a meeting that is over name, by their lines of its log."""
    for number, nicks in people.items():
        row = sa.update(action_table).where(action_table.c.meeting == meeting, action_table.c.log_line == number)
        session.execute(row.values(people=json.dumps(nicks, ensure_ascii=False)))


def line_of(item: Entry, place: int) -> int:
    """Under which line of its meeting's log the register has an action; one that was added later was never said."""
    return item.number or -place


def action(session: Session, id: int) -> Action | None:
    """One action."""
    row = session.execute(sa.select(action_table).where(action_table.c.id == id)).first()
    return _action(row) if row else None


def actions(session: Session, *, is_open: bool, name: str = "", limit: int = 1000) -> list[Action]:
    """Actions that are open, oldest first, or closed, newest first; of meetings of one name or of all."""
    query = sa.select(action_table).where(_OPEN if is_open else action_table.c.closed.is_not(None)).limit(limit)
    query = query.order_by(*((action_table.c.at, action_table.c.id) if is_open else (action_table.c.closed.desc(),)))
    if name:
        query = query.where(action_table.c.name == name)
    return [_action(row) for row in session.execute(query)]


def _action(row: sa.Row[tuple[object, ...]]) -> Action:
    fields = ("id", "meeting", "name", "channel", "at", "nick", "text", "line")
    people = tuple(json.loads(row.people)) if row.people else ()
    closed = ("closed", "closed_by", "how", "reference")
    told = {field: getattr(row, field) for field in (*fields, *closed)}
    return Action(**told, people=people)


# The tables of the record as far as they are read here: the record's own store writes rows of this one.
_AT = sa.column("at", db.utc)
_ENTRIES = sa.table(
    "meeting_entry", _AT, *map(sa.column, ("meeting", "number", "kind", "nick", "text", "log_line", "line"))
)
_STARTED = sa.column("started", db.utc)
_MEETINGS = sa.table("meeting", _STARTED, *map(sa.column, ("id", "name", "title", "channel")))


def decisions(session: Session, name: str = "", limit: int = 100) -> list[Decision]:
    """What was agreed, accepted, rejected and voted, newest first; what was undone or struck out is left out."""
    decided = _ENTRIES.c.kind.in_([kind.value for kind in (*DECISIONS, EntryKind.ADDED)])
    wanted = sa.select(_MEETINGS.c.id).where(
        sa.exists().where(_ENTRIES.c.meeting == _MEETINGS.c.id, decided).correlate(_MEETINGS)
    )
    wanted = wanted.where(_MEETINGS.c.name == name) if name else wanted
    wanted = wanted.order_by(_STARTED.desc(), _MEETINGS.c.id.desc()).limit(_MEETINGS_AT_ONCE)
    found: list[Decision] = []
    for passed in range(0, limit, _MEETINGS_AT_ONCE):
        ids = session.execute(wanted.offset(passed)).scalars().all()
        found += _decided(session, ids)
        if len(ids) < _MEETINGS_AT_ONCE or len(found) >= limit:
            break
    return found[:limit]


def _decided(session: Session, meetings: Sequence[int]) -> list[Decision]:
    """What some meetings decided, the newest first."""
    query = sa.select(_ENTRIES, _MEETINGS.c.name, _MEETINGS.c.title, _MEETINGS.c.channel).join(
        _MEETINGS, _MEETINGS.c.id == _ENTRIES.c.meeting
    )
    query = query.where(_ENTRIES.c.meeting.in_(meetings))
    query = query.order_by(_STARTED.desc(), _ENTRIES.c.meeting.desc(), _ENTRIES.c.number)
    standing: dict[int, dict[int, Decision]] = {}
    for row in session.execute(query):
        items = standing.setdefault(row.meeting, {})
        kind, text = EntryKind(row.kind), row.text
        if kind is EntryKind.ADDED and (command := reading.command(text)) and command.name in ITEMS:
            kind, text = EntryKind(command.name), command.rest
        if kind in ITEMS:
            where = (row.meeting, row.name, row.title, row.channel)
            items[row.number] = Decision(*where, kind.value, text, row.nick, row.at, row.line)
        elif kind is EntryKind.UNDO and items:
            items.popitem()
        elif kind is EntryKind.STRUCK:
            items.pop(row.log_line, None)
        elif kind is EntryKind.EDITED and row.log_line in items:
            items[row.log_line] = replace(items[row.log_line], text=row.text)
    kinds = {kind.value for kind in DECISIONS}
    return [one for items in standing.values() for one in reversed(items.values()) if one.kind in kinds]


def restricted(session: Session) -> frozenset[int]:
    """The meetings whose minutes are for people with an account only."""
    said = sa.select(_ENTRIES.c.meeting).where(_ENTRIES.c.kind == EntryKind.RESTRICTED.value).distinct()
    return frozenset(session.execute(said).scalars())
