# SPDX-License-Identifier: Apache-2.0
"""The rows of the meetbot: lines of channels, running and past meetings, the entries of their record.

Here live the tables and what writes them, inside transactions of the service; what pages read is in
`archive.py`. A line is appended first and never changed. The state of a running meeting is kept as JSON,
without its items (the record has them), and written when more than its line count has changed.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace

import msgspec
import sqlalchemy as sa
from sqlalchemy import event

from .. import db, journal
from ..db import Session
from ..events import LineSaid, MeetingEnded, MeetingStarted
from . import lines, names
from .commands import Step
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
)

for _dialect, _statements in index.DDL.items():
    for _statement in _statements:
        _ddl = sa.DDL(_statement).execute_if(dialect=_dialect)
        event.listen(line_table, "after_create", _ddl)

_PLACING = frozenset({"startmeeting", "meetingname", "endmeeting"})  # what looks where minutes are already
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
    """What a line led to: what the bot answers, and the meeting whose files are to be written now, if one is."""

    heard: Heard
    line: int
    replies: tuple[Reply, ...] = ()
    written: int | None = None


def take_in(session: Session, heard: Sequence[Heard], ways: Setting) -> list[Outcome]:
    """Append lines, in order, and let each do to its channel's meeting what it does: one transaction.

    A message that is there already, by the id that its network gave it, is passed over.
    """
    return [_take_in(session, one, ways) for one in heard if not _is_known(session, one)]


def _is_known(session: Session, heard: Heard) -> bool:
    columns, channel = line_table.c, names.folded(heard.channel)
    same = (columns.network == heard.network, columns.channel == channel, columns.msgid == heard.line.msgid)
    return bool(heard.line.msgid) and session.execute(sa.select(columns.id).where(*same)).first() is not None


def _take_in(session: Session, heard: Heard, ways: Setting) -> Outcome:
    channel = names.folded(heard.channel)
    line = heard.line
    command = lines.command(line.text) if line.kind is LineKind.SAID else None
    meeting, before = _running(session, heard.network, channel, undoing=command is not None and command.name == "undo")
    place = index.free_place(session, line.at)
    spoken = line.kind in SPOKEN
    id = _append_line(session, heard, channel, meeting if spoken else 0, place)
    line = replace(line, id=id)
    setting = replace(ways, channel=channel, topic=heard.topic, present=heard.present)
    if command is not None and command.name in _PLACING:
        setting = replace(setting, taken=_taken(session, meeting))
    after, entries, replies = _reduced(before, line, setting)
    if before is None and after is not None:
        meeting = _begin(session, heard.network, after, setting)
        session.execute(sa.update(line_table).where(line_table.c.id == id).values(meeting=meeting))
    if before is not None or after is not None:
        _keep(session, meeting, before, after, entries, setting)
    if spoken:
        index.add(session, [(place, line_tokens(line.nick, channel, line.text, meeting))])
    _announce(session, heard, line, channel, meeting, before, after)
    written = (before is not None and after is None) or any(entry.kind is EntryKind.SAVED for entry in entries)
    return Outcome(heard, id, replies, meeting if written else None)


def append_lines(session: Session, network: str, channel: str, lines: Sequence[Line]) -> list[int]:
    """Append many lines of a channel that no running meeting is to hear, as those of old logs; returns their ids."""
    folded = names.folded(channel)
    places = index.free_places(session, [line.at for line in lines])
    rows = [
        _line_row(network, folded, line, 0, place) for line, place in zip(lines, places, strict=True)
    ]  # fmt: skip
    if not rows:
        return []
    added = sa.insert(line_table).returning(line_table.c.id, sort_by_parameter_order=True)
    ids = list(session.execute(added, rows).scalars())
    index.add(
        session,
        (
            (place, line_tokens(line.nick, folded, line.text, 0))
            for line, place in zip(lines, places, strict=True)
            if line.kind in SPOKEN
        ),
    )
    return ids


def _reduced(before: Meeting | None, line: Line, setting: Setting) -> Step:
    """What the line does; a defect in that must never cost the line itself, which is stored already."""
    try:
        return reduce(before, line, setting)
    except Exception:
        log.exception("line %d did nothing to its meeting: %r", line.id, line.text)
        counted = before is not None and line.kind in SPOKEN
        return (replace(before, said=before.said + 1) if before and counted else before), (), ()


def _running(session: Session, network: str, channel: str, *, undoing: bool) -> tuple[int, Meeting | None]:
    """The meeting that runs in a channel, if one does (0: none), with its state as of the last line.

    Its items are put back from the record only for a line that looks at them: every other line costs the same, however
    long the meeting is.
    """
    query = sa.select(meeting_table.c.id, meeting_table.c.state, meeting_table.c.said).where(
        meeting_table.c.network == network, meeting_table.c.channel == channel, meeting_table.c.ended.is_(None)
    )
    row = session.execute(query).first()
    if row is None:
        return 0, None
    meeting = replace(_state.decode(row.state), said=row.said)
    return row.id, replace(meeting, last=_items(session, row.id)) if undoing else meeting


def record(session: Session, meeting: int) -> list[Entry]:
    """The record of a meeting, in its order."""
    query = sa.select(entry_table).where(entry_table.c.meeting == meeting).order_by(entry_table.c.number)
    return [
        Entry(EntryKind(row.kind), row.at, row.nick, row.text, row.log_line, row.line) for row in session.execute(query)
    ]


def _items(session: Session, meeting: int) -> Standing | None:
    """The items of a meeting that are not undone."""
    last: Standing | None = None
    for entry in record(session, meeting):
        if entry.kind in ITEMS:
            last = Standing(entry, last)
        elif entry.kind is EntryKind.UNDO and last is not None:
            last = last.below
    return last


def _append_line(session: Session, heard: Heard, channel: str, meeting: int, place: int) -> int:
    row = _line_row(heard.network, channel, heard.line, meeting, place)
    return session.execute(sa.insert(line_table).values(row).returning(line_table.c.id)).scalar_one()


def _line_row(network: str, channel: str, line: Line, meeting: int, place: int) -> dict[str, object]:
    row: dict[str, object] = {"network": network, "channel": channel, "at": line.at, "kind": line.kind.value}
    row |= {"nick": line.nick, "text": line.text, "own": line.own, "account": line.account}
    return row | {"meeting": meeting, "place": place, "msgid": line.msgid or None}


def _taken(session: Session, but: int) -> frozenset[str]:
    """Where minutes are already, so that no meeting overwrites another; only the newest can be in the way."""
    newest = sa.select(meeting_table.c.id, meeting_table.c.location).order_by(meeting_table.c.id.desc()).limit(500)
    return frozenset(row.location for row in session.execute(newest) if row.id != but)


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
    values: dict[str, object] = {"said": after.said} if after else {"state": None}
    if after is not None and (before is None or _kept(after) != _kept(before)):
        values["state"] = msgspec.json.encode(_kept(after)).decode()
        if before is None or after.name != before.name:
            values |= {"name": after.name, "location": names.location(after.name, after.started, setting.taken)}
        values["title"] = after.title
    for entry in entries:
        if entry.kind is EntryKind.ENDED:
            values |= {"ended": entry.at, "location": entry.text}
    session.execute(sa.update(meeting_table).where(meeting_table.c.id == id).values(values))
    if entries:
        last = sa.select(sa.func.max(entry_table.c.number)).where(entry_table.c.meeting == id)
        first = (session.execute(last).scalar() or 0) + 1
        session.execute(sa.insert(entry_table), [_entry_row(id, n, entry) for n, entry in enumerate(entries, first)])


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


def _announce(
    session: Session,
    heard: Heard,
    line: Line,
    channel: str,
    meeting: int,
    before: Meeting | None,
    after: Meeting | None,
) -> None:
    """Tell the journal: that a meeting starts, what was said, that it is over; in this order."""
    if before is None and after is not None:
        journal.append(session, MeetingStarted(meeting, channel, after.name, line.nick), line.at)
    if line.kind in SPOKEN:
        path = names.line_path(channel, line.at, line.id)
        said = LineSaid(channel, line.id, line.nick, line.text, heard.network, path, meeting)
        journal.append(session, said, line.at)
    if before is not None and after is None:
        row = session.execute(sa.select(meeting_table).where(meeting_table.c.id == meeting)).one()
        path = names.minutes_path(row.location)
        journal.append(session, MeetingEnded(meeting, channel, row.name, path), line.at)
