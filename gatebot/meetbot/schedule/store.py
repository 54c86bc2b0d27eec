# SPDX-License-Identifier: Apache-2.0
"""What became of planned dates, and the agendas that people write: rows of the schedule.

A date has a row from the moment at which its reminder is due, and so it is reminded of once, whatever is restarted;
at its end the row says whether the meeting was held. Of an agenda every version is kept.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa

from ... import db
from ...db import Session
from ..names import folded
from ..store import meeting_table
from .model import Occurrence

_EARLY = timedelta(minutes=30)

date_table = sa.Table(
    "meeting_date",
    db.metadata,
    sa.Column("key", sa.Text, primary_key=True),
    sa.Column("starts", db.utc, primary_key=True),
    sa.Column("ends", db.utc, nullable=False),
    sa.Column("channel", sa.Text, nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("project", sa.Text, nullable=False),
    sa.Column("outcome", sa.Text),
    sa.Index("ix_meeting_date_outcome", "outcome", "ends"),
)
agenda_table = sa.Table(
    "meeting_agenda",
    db.metadata,
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("version", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("at", db.utc, nullable=False),
    sa.Column("author", sa.Text, nullable=False),
    sa.Column("text", sa.Text, nullable=False),
)


@dataclass(frozen=True, slots=True)
class Missed:
    """A planned meeting that was not started until its end."""

    key: str
    name: str
    project: str
    channel: str
    starts: datetime


@dataclass(frozen=True, slots=True)
class Agenda:
    """One version of an agenda."""

    name: str
    version: int
    at: datetime
    author: str
    text: str


def expect(session: Session, date: Occurrence, name: str) -> bool:
    """Note that a date is near; False if it was noted before."""
    at = (date_table.c.key == date.meeting.key, date_table.c.starts == date.start)
    if session.execute(sa.select(date_table.c.key).where(*at)).first() is not None:
        return False
    row = {"key": date.meeting.key, "starts": date.start, "ends": date.end, "channel": folded(date.slot.channel)}
    row |= {"name": name, "project": date.meeting.project}
    session.execute(sa.insert(date_table).values(row))
    return True


def open_dates(session: Session, now: datetime) -> list[tuple[str, datetime]]:
    """The dates that are over, and of which nothing is said yet."""
    columns = date_table.c
    query = sa.select(columns.key, columns.starts).where(columns.outcome.is_(None), columns.ends <= now)
    return [(row.key, row.starts) for row in session.execute(query.order_by(columns.starts))]


def settle(session: Session, key: str, starts: datetime, *, planned: bool, there: bool) -> Missed | None:
    """Say what became of a date that is over: it was held, or missed, or nobody plans it any more.

    What was not held while the site was `there` was missed; else nobody knows.
    """
    at = (date_table.c.key == key, date_table.c.starts == starts)
    row = session.execute(sa.select(date_table).where(*at, date_table.c.outcome.is_(None))).first()
    if row is None:
        return None
    meetings = meeting_table.c
    held = sa.select(meetings.id).where(
        meetings.name == row.name,
        meetings.channel == row.channel,
        meetings.started >= row.starts - _EARLY,
        meetings.started <= row.ends,
    )
    lacking = ("missed" if there else "unknown") if planned else "dropped"
    outcome = "held" if session.execute(held).first() else lacking
    session.execute(sa.update(date_table).where(*at).values(outcome=outcome))
    return Missed(row.key, row.name, row.project, row.channel, row.starts) if outcome == "missed" else None


def missed(session: Session, limit: int = 20) -> list[Missed]:
    """The newest dates on which nobody started the meeting."""
    query = sa.select(date_table).where(date_table.c.outcome == "missed").order_by(date_table.c.starts.desc())
    found = session.execute(query.limit(limit))
    return [Missed(row.key, row.name, row.project, row.channel, row.starts) for row in found]


def agendas(session: Session, name: str) -> list[Agenda]:
    """All versions of an agenda, newest first."""
    query = sa.select(agenda_table).where(agenda_table.c.name == name).order_by(agenda_table.c.version.desc())
    return [Agenda(row.name, row.version, row.at, row.author, row.text) for row in session.execute(query)]


def has_agenda(session: Session, names: Sequence[str]) -> frozenset[str]:
    """Those of some meetings that have an agenda here."""
    query = sa.select(agenda_table.c.name).where(agenda_table.c.name.in_(names)).distinct()
    return frozenset(row.name for row in session.execute(query))


def write_agenda(session: Session, new: Agenda) -> int | None:
    """Keep a version; its number follows that of `new`, and None says that somebody was faster."""
    newest = session.execute(
        sa.select(sa.func.max(agenda_table.c.version)).where(agenda_table.c.name == new.name)
    ).scalar_one()
    if (newest or 0) != new.version:
        return None
    row = {"name": new.name, "version": new.version + 1, "at": new.at, "author": new.author, "text": new.text}
    session.execute(sa.insert(agenda_table).values(row))
    return new.version + 1


def meeting_network(session: Session, meeting: int) -> str | None:
    """The network that a meeting is held on."""
    return session.execute(sa.select(meeting_table.c.network).where(meeting_table.c.id == meeting)).scalar()
