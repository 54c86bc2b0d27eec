# SPDX-License-Identifier: Apache-2.0
"""The rows of trackers: what each is still to be told.

Transaction functions. What a merge tells is queued together with the move of the reader's place, so that a restart
neither loses nor doubles it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Column, Index, Integer, LargeBinary, String, Table, Text, delete, func, insert, select, update

from ... import journal
from ...db import Session, metadata, utc
from .model import Delivery

READER = "trackers"
deliveries = Table(
    "review_tracker_deliveries",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("tracker", String(80), nullable=False),
    Column("key", String(80), nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("tries", Integer, nullable=False),
    # Nothing: it was given up, and stays for the eyes of an administrator.
    Column("due", utc),
    Column("created", utc, nullable=False),
    Column("problem", Text, nullable=False, server_default=""),
    Index("ix_review_tracker_deliveries_due", "tracker", "due"),
)
_GIVEN_UP_KEPT = timedelta(days=14)


@dataclass(frozen=True, slots=True)
class Counts:
    """How it goes with one tracker: what waits and since when, what was given up, and the last problem."""

    tracker: str
    waiting: int
    oldest: datetime | None
    given_up: int
    problem: str


def begin(session: Session, *, telling: bool) -> int:
    """The reader's place. What merged before anybody was to be told stays untold, also after a time without hooks."""
    place = journal.cursor(session, READER)
    if not telling:
        if place:
            journal.move_cursor(session, READER, 0)
        return 0
    if not place:
        # 0 is a reader that never began; an empty journal has no entry to stand on.
        place = journal.last_in(session) or -1
        journal.move_cursor(session, READER, place)
    return place


def queue(session: Session, found: Iterable[Delivery], upto: int, at: datetime) -> None:
    """Queue what trackers are to be told, and move the reader's place."""
    for one in found:
        row = {"tracker": one.tracker, "key": one.key, "body": one.body, "tries": 0, "due": at, "created": at}
        session.execute(insert(deliveries).values(row))
    journal.move_cursor(session, READER, upto)


def due(session: Session, tracker: str, now: datetime, limit: int) -> tuple[Delivery, ...]:
    """What a tracker is to be told now, oldest first."""
    here = select(deliveries).where(deliveries.c.tracker == tracker, deliveries.c.due <= now)
    rows = session.execute(here.order_by(deliveries.c.id).limit(limit))
    return tuple(Delivery(row.tracker, row.key, row.body, row.id, row.tries) for row in rows)


def next_due(session: Session, tracker: str) -> datetime | None:
    """When a tracker is to be told next."""
    return session.execute(select(func.min(deliveries.c.due)).where(deliveries.c.tracker == tracker)).scalar()


def taken(session: Session, id: int) -> None:
    """Forget what a tracker was told."""
    session.execute(delete(deliveries).where(deliveries.c.id == id))


def put_off(session: Session, id: int, problem: str, again: datetime | None, now: datetime) -> None:
    """Try again later; None: never. What was given up long ago goes."""
    row = {"tries": deliveries.c.tries + 1, "due": again, "problem": problem[:300]}
    session.execute(update(deliveries).where(deliveries.c.id == id).values(row))
    session.execute(delete(deliveries).where(deliveries.c.due.is_(None), deliveries.c.created < now - _GIVEN_UP_KEPT))


def counts(session: Session, trackers: Collection[str]) -> tuple[Counts, ...]:
    """How it goes with each of these trackers."""
    return tuple(_counts(session, name) for name in trackers)


def _counts(session: Session, name: str) -> Counts:
    of, waits = deliveries.c.tracker == name, deliveries.c.due.is_not(None)
    waiting, oldest = session.execute(select(func.count(), func.min(deliveries.c.created)).where(of, waits)).one()
    given_up = session.execute(select(func.count()).select_from(deliveries).where(of, ~waits)).scalar_one()
    newest = select(deliveries.c.problem).where(of, deliveries.c.problem != "").order_by(deliveries.c.id.desc())
    return Counts(name, waiting, oldest, given_up, session.execute(newest.limit(1)).scalar() or "")
