# SPDX-License-Identifier: Apache-2.0
"""What the archive holds, read for pages and programs: meetings, days, lines.

Only reads; each function is given a session and returns frozen values. What is searched for is found in `search/`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo

import msgspec
import sqlalchemy as sa

from ..db import Session
from .channels import channels_of, year_start
from .minutes.fold import Minutes, fold
from .model import Line, LineKind, Meeting, Setting
from .search.store import line_of
from .store import entry_table, line_table, meeting_table, record

_QUARTER = 900


@dataclass(frozen=True, slots=True)
class MeetingRow:
    """A meeting as lists show it; `ended` is None while it runs."""

    id: int
    network: str
    channel: str
    name: str
    title: str
    started: datetime
    ended: datetime | None
    location: str


def _meeting(row: sa.Row[tuple[object, ...]]) -> MeetingRow:
    fields = ("id", "network", "channel", "name", "title", "started", "ended", "location")
    return MeetingRow(*(getattr(row, field) for field in fields))


def meetings(session: Session, name: str | None = None, limit: int = 100) -> list[MeetingRow]:
    """Meetings, newest first, of one name or of all."""
    query = sa.select(meeting_table).order_by(meeting_table.c.started.desc(), meeting_table.c.id.desc()).limit(limit)
    if name is not None:
        query = query.where(meeting_table.c.name == name)
    return [_meeting(row) for row in session.execute(query)]


def over(session: Session, limit: int) -> list[MeetingRow]:
    """The meetings that are over, the newest first."""
    query = sa.select(meeting_table).where(meeting_table.c.ended.is_not(None))
    return [_meeting(row) for row in session.execute(query.order_by(meeting_table.c.id.desc()).limit(limit))]


@dataclass(frozen=True, slots=True)
class Parting:
    """A meeting that ended a short while ago: its last state, and what the bot has said in the channel since."""

    network: str
    state: Meeting
    ended: datetime
    location: str
    said: tuple[str, ...]


def partings(session: Session, since: datetime) -> list[Parting]:
    """The meetings that ended since then, but for those that were taken from logs."""
    columns, found = meeting_table.c, list[Parting]()
    for row in session.execute(sa.select(meeting_table).where(columns.ended >= since, columns.state.is_not(None))):
        last = sa.select(sa.func.max(entry_table.c.line)).where(entry_table.c.meeting == row.id).scalar_subquery()
        here = (line_table.c.network == row.network, line_table.c.channel == row.channel, line_table.c.own)
        said = session.execute(sa.select(line_table.c.text).where(*here, line_table.c.id > last)).scalars()
        state = msgspec.json.decode(row.state, type=Meeting)
        found.append(Parting(row.network, state, row.ended, row.location, tuple(said)))
    return found


def running(session: Session) -> list[tuple[str, Meeting]]:
    """The meetings that run, each with its network; without their items."""
    query = sa.select(meeting_table.c.network, meeting_table.c.state).where(
        meeting_table.c.ended.is_(None), meeting_table.c.state.is_not(None)
    )
    rows = session.execute(query)
    return [(row.network, msgspec.json.decode(row.state, type=Meeting)) for row in rows if row.state]


def meeting_names(session: Session) -> list[tuple[str, int]]:
    """The names of meetings with how many were held, in alphabetical order."""
    name = meeting_table.c.name
    query = sa.select(name, sa.func.count()).group_by(name).order_by(name)
    return [(found, count) for found, count in session.execute(query)]


def meeting(session: Session, id: int) -> MeetingRow | None:
    """One meeting by its id."""
    row = session.execute(sa.select(meeting_table).where(meeting_table.c.id == id)).first()
    return _meeting(row) if row else None


def meeting_at(session: Session, location: str) -> MeetingRow | None:
    """One meeting by where its minutes are."""
    row = session.execute(sa.select(meeting_table).where(meeting_table.c.location == location)).first()
    return _meeting(row) if row else None


def minutes(session: Session, found: MeetingRow, ways: Setting) -> Minutes:
    """The minutes of a meeting, ended or running, from its record."""
    entries = record(session, found.id)
    said = sa.select(line_table).where(line_table.c.meeting == found.id).order_by(line_table.c.id)
    setting = Setting(
        channel=found.channel, prefix=ways.prefix, about=ways.about, version=ways.version, location=found.location
    )
    return fold(entries, [line_of(row) for row in session.execute(said)], setting)


def marks(session: Session, network: str) -> dict[str, datetime]:
    """When each channel of a network was heard last; looked up in the index, whatever the number of lines."""
    columns, found = line_table.c, dict[str, datetime]()
    for channel in channels_of(session):
        heard = (columns.channel == channel, columns.network == network, columns.kind != LineKind.GAP.value)
        last = session.execute(sa.select(columns.at).where(*heard).order_by(columns.at.desc()).limit(1)).scalar()
        found |= {channel: last} if last is not None else {}
    return found


def last_day(session: Session, channel: str, zone: tzinfo = UTC) -> date | None:
    """The newest day on which a channel has lines, as a zone has days; None where it has none."""
    at = line_table.c.at
    last = session.execute(sa.select(sa.func.max(at, type_=at.type)).where(line_table.c.channel == channel)).scalar()
    return last.astimezone(zone).date() if last is not None else None


def days(session: Session, channel: str, zone: tzinfo = UTC, year: int | None = None) -> list[tuple[date, int]]:
    """The days of a zone on which a channel has lines, newest first, with how many; of one year or of all."""
    columns = line_table.c
    span = [columns.channel == channel]
    if year is not None:
        span += [columns.at >= year_start(year, zone), columns.at < year_start(year + 1, zone)]
    if zone is not UTC:
        return _days_in(session, span, zone)
    day = sa.func.date(columns.at)
    if session.dialect.name == "postgresql":
        day = sa.func.date(sa.func.timezone("UTC", columns.at))
    query = sa.select(day.label("day"), sa.func.count()).where(*span).group_by("day")
    found = [(date.fromisoformat(str(when)), count) for when, count in session.execute(query)]
    return sorted(found, reverse=True)


def _days_in(session: Session, span: Sequence[sa.ColumnElement[bool]], zone: tzinfo) -> list[tuple[date, int]]:
    """Days as no database counts them: summed up from quarters of an hour, on which the days of all zones begin."""
    at = line_table.c.at
    seconds = sa.extract("epoch", at)
    if session.dialect.name == "postgresql":
        seconds = sa.func.floor(seconds)
    quarter = sa.cast(seconds, sa.BigInteger) // _QUARTER
    query = sa.select(quarter.label("quarter"), sa.func.count()).where(*span)
    found: Counter[date] = Counter()
    for number, count in session.execute(query.group_by("quarter")):
        found[datetime.fromtimestamp(int(number) * _QUARTER, zone).date()] += count
    return sorted(found.items(), reverse=True)


def lines_of_day(session: Session, channel: str, day: date, zone: tzinfo = UTC) -> list[Line]:
    """All lines of one day of a channel, as a zone has days, in the order of their time."""
    start, end = _bounds(day, zone)
    at = line_table.c.at
    query = sa.select(line_table).where(line_table.c.channel == channel, at >= start, at < end)
    return [line_of(row) for row in session.execute(query.order_by(line_table.c.place))]


def moment(session: Session, channel: str, line: int) -> datetime | None:
    """When a line of a channel was said."""
    said = sa.select(line_table.c.at).where(line_table.c.id == line, line_table.c.channel == channel)
    return session.execute(said).scalar()


def _bounds(day: date, zone: tzinfo) -> tuple[datetime, datetime]:
    """When a day begins and ends; the first and the last day of the calendar have no other zone."""
    try:
        starts = [datetime.combine(one, time.min, zone).astimezone(UTC) for one in (day, day + timedelta(days=1))]
    except OverflowError:
        starts = [datetime.combine(day, moment, UTC) for moment in (time.min, time.max)]
    return starts[0], starts[1]


def neighbours(session: Session, channel: str, day: date, zone: tzinfo = UTC) -> tuple[date | None, date | None]:
    """The nearest days before and after with lines."""
    start, end = _bounds(day, zone)
    at, same = line_table.c.at, line_table.c.channel == channel
    before = session.execute(sa.select(sa.func.max(at, type_=at.type)).where(same, at < start)).scalar()
    later = sa.select(sa.func.min(at, type_=at.type)).where(same, at >= end)
    after = session.execute(later).scalar()
    found = (moment.astimezone(zone).date() if moment else None for moment in (before, after))
    return next(found), next(found)
