# SPDX-License-Identifier: Apache-2.0
"""The rows of the meetbot: lines of channels, running and past meetings, the entries of their record.

Here live the tables and what writes them, inside transactions of the service; what pages read is in
`archive.py`. A line is appended first and never changed. The state of a running meeting is kept as JSON,
without its items (the record has them), and written when more than its line count has changed.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import msgspec
import sqlalchemy as sa
from sqlalchemy import event

from .. import db, journal
from ..db import Session
from ..events import LineSaid, MeetingEnded, MeetingStarted
from ..fact import Event
from . import lines, names
from .commands import Step
from .memory import store as register
from .model import ITEMS, SPOKEN, Entry, EntryKind, Line, LineKind, Meeting, Reply, Setting, Standing
from .reduce import reduce
from .search import index
from .search.query import line_tokens

log = logging.getLogger(__name__)

_serial = sa.BigInteger().with_variant(sa.Integer, "sqlite")

line_table = sa.Table(
    "irc_line",
    db.metadata,
    sa.Column("id", _serial, primary_key=True),
    sa.Column("network", sa.Text, nullable=False),
    sa.Column("channel", sa.Text, nullable=False),
    sa.Column("at", db.utc, nullable=False),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("nick", sa.Text, nullable=False),
    sa.Column("text", sa.Text, nullable=False),
    sa.Column("own", sa.Boolean, nullable=False),
    sa.Column("account", sa.Text),
    sa.Column("meeting", sa.Integer, nullable=False),
    sa.Column("place", sa.BigInteger),
    sa.Column("msgid", sa.Text),
    sa.Index("ix_irc_line_channel_at", "channel", "at"),
    sa.Index("ix_irc_line_place", "place", unique=True),
    sa.Index("ix_irc_line_channel_place", "channel", "place"),
    sa.Index("ix_irc_line_meeting", "meeting", "id"),
    sa.Index(
        "ix_irc_line_msgid",
        "network",
        "channel",
        "msgid",
        unique=True,
        sqlite_where=sa.text("msgid IS NOT NULL"),
        postgresql_where=sa.text("msgid IS NOT NULL"),
    ),
)
meeting_table = sa.Table(
    "meeting",
    db.metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("network", sa.Text, nullable=False),
    sa.Column("channel", sa.Text, nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("title", sa.Text, nullable=False),
    sa.Column("started", db.utc, nullable=False),
    sa.Column("ended", db.utc),
    sa.Column("location", sa.Text, nullable=False, unique=True),
    sa.Column("said", sa.Integer, nullable=False),
    sa.Column("state", sa.Text),
    sa.Index("ix_meeting_running", "network", "channel", "ended"),
    sa.Index("ix_meeting_started", "started"),
    sa.Index("ix_meeting_name", "name", "started"),
)
entry_table = sa.Table(
    "meeting_entry",
    db.metadata,
    sa.Column("meeting", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("at", db.utc, nullable=False),
    sa.Column("nick", sa.Text, nullable=False),
    sa.Column("text", sa.Text, nullable=False),
    sa.Column("log_line", sa.Integer, nullable=False),
    sa.Column("line", _serial, nullable=False),
    sa.Index(
        "ix_meeting_entry_changes",
        "at",
        sqlite_where=sa.text("kind IN ('edited', 'struck', 'added')"),
        postgresql_where=sa.text("kind IN ('edited', 'struck', 'added')"),
    ),
)

for _dialect, _statements in index.DDL.items():
    for _statement in _statements:
        _ddl = sa.DDL(_statement).execute_if(dialect=_dialect)
        event.listen(line_table, "after_create", _ddl)

_PLACING = frozenset({"startmeeting", "meetingname", "endmeeting"})  # what looks where minutes are already
_MOVING = frozenset({EntryKind.NAME, EntryKind.ENDED})  # what may give minutes another place
_state = msgspec.json.Decoder(Meeting)


@dataclass(frozen=True, slots=True)
class Heard:
    """A line as the network gave it, with what surrounded it at that moment."""

    network: str
    channel: str
    line: Line
    topic: str | None = None
    present: frozenset[str] | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a line led to: what the bot answers, and the meeting whose files are to be written now, if one is.

    `left` is where its minutes were before this line gave them another place; empty where they stay.
    """

    heard: Heard
    line: int
    replies: tuple[Reply, ...] = ()
    written: int | None = None
    left: str = ""


def take_in(session: Session, heard: Sequence[Heard], ways: Setting) -> list[Outcome]:
    """Append lines, in order, and let each do to its channel's meeting what it does: one transaction.

    A message that is there already, by the id that its network gave it, is passed over. What many lines write, they
    write together: a line costs the same, however long its meeting and however many there are.
    """
    new = _unknown(session, heard)
    ids, places = _append(session, new)
    book = _Book(session, ways)
    outcomes = [book.take_in(one, id, place) for one, id, place in zip(new, ids, places, strict=True)]
    book.close()
    return outcomes


def _unknown(session: Session, heard: Sequence[Heard]) -> list[Heard]:
    """The lines that are not there yet."""
    known: set[tuple[str, str, str]] = set()
    columns, new = line_table.c, list[Heard]()
    for one in heard:
        if one.line.msgid:
            key = (one.network, names.folded(one.channel), one.line.msgid)
            same = (columns.network == key[0], columns.channel == key[1], columns.msgid == key[2])
            if key in known or session.execute(sa.select(columns.id).where(*same)).first() is not None:
                continue
            known.add(key)
        new.append(one)
    return new


def _append(session: Session, heard: Sequence[Heard]) -> tuple[list[int], list[int]]:
    """Write lines; returns their ids and places."""
    if not heard:
        return [], []
    places = index.free_places(session, [one.line.at for one in heard])
    rows = [
        _line_row(one.network, names.folded(one.channel), one.line, 0, place)
        for one, place in zip(heard, places, strict=True)
    ]
    added = sa.insert(line_table).returning(line_table.c.id, sort_by_parameter_order=True)
    return list(session.execute(added, rows).scalars()), places


class _Book:
    """The meetings of some channels while lines are taken in, and what is to be written when all are."""

    def __init__(self, session: Session, ways: Setting) -> None:
        self._session = session
        self._ways = ways
        self._running: dict[tuple[str, str], tuple[int, Meeting | None]] = {}
        self._said: dict[int, int] = {}
        self._lines: list[dict[str, int]] = []
        self._words: list[tuple[int, list[str]]] = []
        self._facts: list[tuple[Event, datetime]] = []

    def take_in(self, heard: Heard, id: int, place: int) -> Outcome:
        """Let one line do what it does."""
        session, line, channel = self._session, replace(heard.line, id=id), names.folded(heard.channel)
        command = lines.command(line.text) if line.kind is LineKind.SAID else None
        key = (heard.network, channel)
        if key not in self._running:
            self._running[key] = _running(session, *key)
        meeting, before = self._running[key]
        if before is not None and command is not None and command.name == "undo":
            before = replace(before, last=items(session, meeting))
        setting = replace(self._ways, channel=channel, topic=heard.topic, present=heard.present)
        if command is not None and command.name in _PLACING:
            started = before.started if before is not None else line.at
            setting = replace(setting, taken=taken(session, started, meeting))
        if before is not None and line.kind is LineKind.GAP:
            setting = replace(setting, heard=index.heard_before(session, *key, place))
        after, entries, replies = _reduced(before, line, setting)
        if before is None and after is not None:
            meeting = _begin(session, heard.network, after, setting)
        left = ""
        if before is not None or after is not None:
            moving = before is not None and any(entry.kind in _MOVING for entry in entries)
            left = _location(session, meeting) if moving else ""
            self._keep(meeting, before, after, entries, setting)
            name = after.name if after is not None else before.name if before is not None else ""
            told = register.note(session, meeting, name, channel, entries, before.last if before else None)
            replies += told if after is not None and not after.lurking else ()
            left = left if left and left != _location(session, meeting) else ""
        # Only who undoes something looks at the items, and reads them from the record then.
        self._running[key] = (meeting, replace(after, last=None)) if after is not None else (0, None)
        if line.kind in SPOKEN:
            self._words.append((place, line_tokens(line.nick, channel, line.text, meeting)))
            if meeting:
                self._lines.append({"line": id, "of": meeting})
        self._facts += _facts(session, heard, line, channel, meeting, before, after)
        written = (before is not None and after is None) or any(entry.kind is EntryKind.SAVED for entry in entries)
        return Outcome(heard, id, replies, meeting if written else None, left)

    def _keep(
        self, meeting: int, before: Meeting | None, after: Meeting | None, entries: Sequence[Entry], setting: Setting
    ) -> None:
        """Write what a line changed; where it only counted, that is written at the end."""
        if after is not None and before is not None and not entries and _kept(after) == _kept(before):
            self._said[meeting] = after.said
            return
        self._said.pop(meeting, None)
        _keep(self._session, meeting, before, after, entries, setting)

    def close(self) -> None:
        """Write the rest."""
        session, columns = self._session, line_table.c
        if self._lines:
            of = sa.update(line_table).where(columns.id == sa.bindparam("line")).values(meeting=sa.bindparam("of"))
            session.execute(of, self._lines)
        for meeting, said in self._said.items():
            session.execute(sa.update(meeting_table).where(meeting_table.c.id == meeting).values(said=said))
        index.add(session, self._words)
        if self._facts:
            journal.append_dated(session, self._facts)


def append_lines(session: Session, network: str, channel: str, lines: Sequence[Line]) -> list[int]:
    """Append many lines of a channel that no running meeting is to hear, as those of old logs; returns their ids."""
    folded = names.folded(channel)
    ids, places = _append(session, [Heard(network, folded, line) for line in lines])
    spoken = [
        (place, line_tokens(line.nick, folded, line.text, 0))
        for line, place in zip(lines, places, strict=True)
        if line.kind in SPOKEN
    ]
    index.add(session, spoken)
    return ids


def _reduced(before: Meeting | None, line: Line, setting: Setting) -> Step:
    """What the line does; a defect in that must never cost the line itself, which is stored already."""
    try:
        return reduce(before, line, setting)
    except Exception:
        log.exception("line %d did nothing to its meeting: %r", line.id, line.text)
        counted = before is not None and line.kind in SPOKEN
        return (replace(before, said=before.said + 1) if before and counted else before), (), ()


def _running(session: Session, network: str, channel: str) -> tuple[int, Meeting | None]:
    """The meeting that runs in a channel, if one does (0: none), with its state as of the last line; without items."""
    query = sa.select(meeting_table.c.id, meeting_table.c.state, meeting_table.c.said).where(
        meeting_table.c.network == network, meeting_table.c.channel == channel, meeting_table.c.ended.is_(None)
    )
    row = session.execute(query).first()
    return (row.id, replace(_state.decode(row.state), said=row.said)) if row is not None else (0, None)


def record(session: Session, meeting: int) -> list[Entry]:
    """The record of a meeting, in its order."""
    query = sa.select(entry_table).where(entry_table.c.meeting == meeting).order_by(entry_table.c.number)
    return [
        Entry(EntryKind(row.kind), row.at, row.nick, row.text, row.log_line, row.line) for row in session.execute(query)
    ]


def items(session: Session, meeting: int) -> Standing | None:
    """The items of a meeting that are not undone."""
    last: Standing | None = None
    for entry in record(session, meeting):
        if entry.kind in ITEMS:
            last = Standing(entry, last)
        elif entry.kind is EntryKind.UNDO and last is not None:
            last = last.below
    return last


def _line_row(network: str, channel: str, line: Line, meeting: int, place: int) -> dict[str, object]:
    row: dict[str, object] = {"network": network, "channel": channel, "at": line.at, "kind": line.kind.value}
    row |= {"nick": line.nick, "text": line.text, "own": line.own, "account": line.account}
    return row | {"meeting": meeting, "place": place, "msgid": line.msgid or None}


def restate(session: Session, meeting: int, change: Callable[[Meeting], Meeting]) -> None:
    """Change what is kept of the state of a meeting; one that was taken from a log has none."""
    state = session.execute(sa.select(meeting_table.c.state).where(meeting_table.c.id == meeting)).scalar()
    if state:
        values = {"state": msgspec.json.encode(_kept(change(_state.decode(state)))).decode()}
        session.execute(sa.update(meeting_table).where(meeting_table.c.id == meeting).values(values))


def taken(session: Session, started: datetime, but: int = 0) -> frozenset[str]:
    """Where minutes are of other meetings that began in one minute: no meeting overwrites another."""
    minute = started.replace(second=0, microsecond=0)
    columns = meeting_table.c
    near = sa.select(columns.location).where(columns.started >= minute, columns.started < minute + timedelta(minutes=1))
    return frozenset(session.execute(near.where(columns.id != but)).scalars())


def _location(session: Session, meeting: int) -> str:
    return session.execute(sa.select(meeting_table.c.location).where(meeting_table.c.id == meeting)).scalar_one()


def _begin(session: Session, network: str, meeting: Meeting, setting: Setting) -> int:
    row = {"network": network, "channel": meeting.channel, "name": meeting.name, "title": meeting.title}
    row |= {"started": meeting.started, "location": names.location(meeting.name, meeting.started, setting.taken)}
    row |= {"said": 0, "state": ""}
    return session.execute(sa.insert(meeting_table).values(row).returning(meeting_table.c.id)).scalar_one()


def _keep(
    session: Session,
    id: int,
    before: Meeting | None,
    after: Meeting | None,
    entries: Sequence[Entry],
    setting: Setting,
) -> None:
    """Append the entries and write the state: all of it only when more than the count of lines has changed."""
    values: dict[str, object] = {"said": after.said} if after else {}
    if after is not None and (before is None or _kept(after) != _kept(before)):
        values["state"] = msgspec.json.encode(_kept(after)).decode()
        if before is None or after.name != before.name:
            values |= {"name": after.name, "location": names.location(after.name, after.started, setting.taken)}
        values["title"] = after.title
    for entry in entries:
        if entry.kind is EntryKind.ENDED:
            values |= {"ended": entry.at, "location": entry.text}
    session.execute(sa.update(meeting_table).where(meeting_table.c.id == id).values(values))
    append_entries(session, id, entries)


def append_entries(session: Session, meeting: int, entries: Sequence[Entry]) -> None:
    """Add to the record of a meeting."""
    if entries:
        last = sa.select(sa.func.max(entry_table.c.number)).where(entry_table.c.meeting == meeting)
        first = (session.execute(last).scalar() or 0) + 1
        rows = [_entry_row(meeting, number, entry) for number, entry in enumerate(entries, first)]
        session.execute(sa.insert(entry_table), rows)


def _kept(meeting: Meeting) -> Meeting:
    """What of a state is stored: neither the count of lines, which has a column, nor the items, which are a record."""
    return replace(meeting, said=0, last=None)


def _entry_row(meeting: int, number: int, entry: Entry) -> dict[str, object]:
    row: dict[str, object] = {
        "meeting": meeting,
        "number": number,
        "kind": entry.kind.value,
        "at": entry.at,
        "nick": entry.nick,
    }
    return row | {"text": entry.text, "log_line": entry.number, "line": entry.line}


def _facts(
    session: Session,
    heard: Heard,
    line: Line,
    channel: str,
    meeting: int,
    before: Meeting | None,
    after: Meeting | None,
) -> Iterator[tuple[Event, datetime]]:
    """What the journal is told: that a meeting starts, what was said, that it is over; in this order."""
    if before is None and after is not None:
        yield MeetingStarted(meeting, channel, after.name, line.nick), line.at
    if line.kind in SPOKEN:
        path = names.line_path(channel, line.at, line.id)
        yield LineSaid(channel, line.id, line.nick, line.text, heard.network, path, meeting, line.is_aside), line.at
    if before is not None and after is None:
        row = session.execute(sa.select(meeting_table).where(meeting_table.c.id == meeting)).one()
        yield MeetingEnded(meeting, channel, row.name, names.minutes_path(row.location)), line.at
