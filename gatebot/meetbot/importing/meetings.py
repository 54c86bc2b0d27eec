# SPDX-License-Identifier: Apache-2.0
"""Meetings that the archive's old lines tell of, put on record: minutes, actions, decisions, who came.

Nothing is obeyed now: no topic is set, nothing is said, and the journal is told that there are minutes, never that a
meeting begins. What is on record is not put there again: neither a line that is in a meeting already starts one, nor
anything said while another one ran there.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import sqlalchemy as sa

from ... import journal
from ...db import Session
from ...events import MeetingImported
from ...targets import places
from .. import names, store
from ..memory import store as register
from ..model import SPOKEN, Entry, LineKind, Setting
from ..search import index
from ..search.query import line_tokens
from ..search.store import line_of
from ..store import line_table, meeting_table
from .held import LONGEST, Held, held, starts_meeting

_MOST = 50_000  # lines in which the end of a meeting is looked for


@dataclass(frozen=True, slots=True)
class Made:
    """What came of a line that asks for a meeting: its number and the address of its minutes, or why there are none."""

    meeting: int = 0
    path: str = ""
    known: bool = False
    open: bool = False


def starts(session: Session, channel: str, first: datetime, last: datetime) -> list[int]:
    """The numbers of the lines of a channel that ask for a meeting, from one moment to another, in their order."""
    columns = line_table.c
    query = sa.select(line_table).where(
        columns.channel == names.folded(channel), columns.at >= first, columns.at <= last,
        columns.kind == LineKind.SAID.value, sa.func.lower(columns.text).startswith("#startmeeting"),
    )  # fmt: skip
    rows = session.execute(query.order_by(columns.place)).all()
    return [row.id for row in rows if starts_meeting(line_of(row))]


def hold(session: Session, start: int, ways: Setting, site: str = "", *, done: bool = False) -> Made:
    """Put the meeting that a line starts on record, if it is not there. `done`: so are its actions."""
    columns = line_table.c
    first = session.execute(sa.select(line_table).where(columns.id == start)).one()
    if first.meeting:
        start_of = sa.select(sa.func.min(columns.id)).where(columns.meeting == first.meeting)
        return Made(known=session.execute(start_of).scalar() == start)
    if _runs(session, first.network, first.channel, first.at, first.at):
        return Made(known=True)
    following = sa.select(line_table).where(
        columns.channel == first.channel, columns.place >= first.place, columns.at <= first.at + LONGEST
    )
    rows = session.execute(following.order_by(columns.place).limit(_MOST)).all()
    setting = replace(ways, channel=first.channel, taken=store.taken(session, first.at))
    found = held([line_of(row) for row in rows], setting)
    if found is None:
        return Made(open=True)
    if _runs(session, first.network, first.channel, first.at, found.entries[-1].at):
        return Made(known=True)
    meeting = _begin(session, first.network, found)
    entries = _numbered(found)
    store.append_entries(session, meeting, entries)
    register.note_old(session, meeting, found.name, first.channel, entries, done=done)
    _join(session, meeting, found)
    naming = tuple(line.id for line in found.lines if any(place.target for place in places(line.text, site)))
    told = MeetingImported(meeting, first.channel, found.name, names.minutes_path(entries[-1].text), naming)
    journal.append(session, told, entries[-1].at)
    return Made(meeting, told.path)


def _runs(session: Session, network: str, channel: str, start: datetime, end: datetime) -> bool:
    """Whether a meeting is on record that ran there at that time."""
    columns = meeting_table.c
    there = sa.select(columns.id).where(
        columns.network == network, columns.channel == channel, columns.started < end,
        sa.or_(columns.ended.is_(None), columns.ended > start),
    )  # fmt: skip
    return session.execute(there.limit(1)).first() is not None


def _begin(session: Session, network: str, found: Held) -> int:
    row = {"network": network, "channel": found.meeting.channel, "name": found.name, "title": found.meeting.title}
    row |= {"started": found.meeting.started, "ended": found.entries[-1].at, "location": found.entries[-1].text}
    row |= {"said": len(found.lines), "state": None}
    return session.execute(sa.insert(meeting_table).values(row).returning(meeting_table.c.id)).scalar_one()


def _numbered(found: Held) -> list[Entry]:
    """The record by the numbers that its lines have in its log: that is in the order in which lines were stored."""
    number = {id: place for place, id in enumerate(sorted(line.id for line in found.lines), 1)}
    return [replace(entry, number=number.get(entry.line, entry.number)) for entry in found.entries]


def _join(session: Session, meeting: int, found: Held) -> None:
    """Let the lines be of the meeting, in the index too; those of the bot are its own."""
    columns, spoken = line_table.c, [line for line in found.lines if line.kind in SPOKEN]
    where = dict[int, int]()
    ids = [line.id for line in spoken]
    for low in range(0, len(ids), 500):
        part = sa.select(columns.id, columns.place).where(columns.id.in_(ids[low : low + 500]))
        where |= {row.id: row.place for row in session.execute(part)}
    channel = found.meeting.channel
    index.remove(session, [(where[one.id], line_tokens(one.nick, channel, one.text, 0)) for one in spoken])
    index.add(session, [(where[one.id], line_tokens(one.nick, channel, one.text, meeting)) for one in spoken])
    of = sa.update(line_table).where(columns.id == sa.bindparam("line"))
    values = of.values(meeting=meeting, own=sa.bindparam("is_own"))
    session.execute(values, [{"line": one.id, "is_own": one.own} for one in spoken])


def span(moments: list[datetime]) -> tuple[datetime, datetime]:
    """Where to look for starts: lines told by minutes were stored, live, some seconds later."""
    return min(moments), max(moments) + timedelta(minutes=1)
