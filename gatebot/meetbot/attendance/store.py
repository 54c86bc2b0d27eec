# SPDX-License-Identifier: Apache-2.0
"""Reads who came: speakers from the lines of meetings, the silent from comings and goings, missed dates from the plan.

Only reads; nothing of it is kept but lines and dates.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

import sqlalchemy as sa

from ... import db
from ...db import Session
from ..model import EntryKind
from ..search.store import line_of
from ..store import entry_table, line_table, meeting_table
from . import presence
from .model import Attendance, Held, Person

NEWEST = 12
_IDLE = 20  # people who never spoke that are named
# The dates of the schedule, as far as they are read here: its own store writes them.
_STARTS = sa.column("starts", db.utc)
_DATES = sa.table("meeting_date", _STARTS, *map(sa.column, ("name", "outcome")))


def attendance(session: Session, name: str, newest: int = NEWEST) -> Attendance:
    """Who was there on the newest dates of a meeting's name."""
    columns = meeting_table.c
    rows = session.execute(
        sa.select(columns.id, columns.started)
        .where(columns.name == name)
        .order_by(columns.started.desc())
        .limit(newest)
    )
    held = [Held(row.started, row.id) for row in rows]
    dates = sorted([*held, *_missed(session, name, newest)], key=lambda date: date.at, reverse=True)[:newest]
    ids = [date.meeting for date in dates if date.meeting is not None]
    said, bots = _said(session, ids)
    lines: dict[str, dict[int, int]] = {}
    for meeting in ids:
        spoke = said.get(meeting, {})
        for nick, count in (*spoke.items(), *((nick, 0) for nick in silent(session, meeting, spoke))):
            if nick not in bots:
                lines.setdefault(nick, {})[meeting] = count
    order = sorted(lines.items(), key=lambda pair: (-len(pair[1]), -sum(pair[1].values()), pair[0].lower()))
    idle = [nick for nick, count in order if not any(count.values())][_IDLE:]
    people = (
        Person(nick, tuple(count.get(date.meeting or 0) for date in dates))
        for nick, count in order
        if any(count.values()) or nick not in idle
    )
    return Attendance(tuple(dates), tuple(people), len(idle))


def silent(session: Session, meeting: int, spoke: Collection[str]) -> tuple[str, ...]:
    """Who was in the channel of a meeting and said nothing, as far as its record and the log tell."""
    row = session.execute(sa.select(meeting_table).where(meeting_table.c.id == meeting)).one()
    columns, known = line_table.c, entry_table.c
    told_then = sa.select(known.text).where(known.meeting == meeting, known.kind == EntryKind.PRESENT.value)
    present = (session.execute(told_then.limit(1)).scalar() or "").split()
    since = row.started if present else row.started - presence.BEFORE
    told = sa.select(line_table).where(
        columns.channel == row.channel, columns.network == row.network,
        columns.kind.in_([kind.value for kind in presence.TOLD_BY]), columns.at >= since,
    )  # fmt: skip
    if row.ended is not None:
        told = told.where(columns.at <= row.ended)
    lines = [line_of(one) for one in session.execute(told.order_by(columns.place))]
    return presence.silent(lines, row.started, spoke, present)


def outcomes(session: Session) -> dict[str, tuple[int, int]]:
    """For each planned meeting's name how often it was held, and how often it did not happen."""
    held = sa.func.sum(sa.case((_DATES.c.outcome == "held", 1), else_=0))
    missed = sa.func.sum(sa.case((_DATES.c.outcome == "missed", 1), else_=0))
    rows = session.execute(sa.select(_DATES.c.name, held, missed).group_by(_DATES.c.name))
    return {name: (int(times), int(not_held)) for name, times, not_held in rows}


def _missed(session: Session, name: str, newest: int) -> list[Held]:
    planned = sa.select(_STARTS).where(_DATES.c.name == name, _DATES.c.outcome == "missed")
    at: list[datetime] = list(session.execute(planned.order_by(_STARTS.desc()).limit(newest)).scalars())
    return [Held(starts) for starts in at]


def _said(session: Session, meetings: Collection[int]) -> tuple[dict[int, dict[str, int]], set[str]]:
    """The lines of each speaker in some meetings, and which of them are the bot."""
    columns = line_table.c
    of = (columns.meeting, columns.nick, columns.own)
    counted = sa.select(*of, sa.func.count().label("lines")).where(columns.meeting.in_(meetings))
    found: dict[int, dict[str, int]] = {}
    bots: set[str] = set()
    for row in session.execute(counted.group_by(*of)):
        found.setdefault(row.meeting, {})[row.nick] = row.lines
        if row.own:
            bots.add(row.nick)
    return found, bots
