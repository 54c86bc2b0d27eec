# SPDX-License-Identifier: Apache-2.0
"""The rows of trackers: what each is still to be told.

Transaction functions. What a merge tells is queued together with the move of the reader's place, so that a restart
neither loses nor doubles it.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import Column, Index, LargeBinary, String, Table

from ... import journal
from ...db import Session, metadata
from ..deliveries.store import Outbox, waiting_columns
from .model import Delivery

READER = "trackers"
_deliveries = Table(
    "review_tracker_deliveries",
    metadata,
    *waiting_columns(),
    Column("tracker", String(80), nullable=False),
    Column("key", String(80), nullable=False),
    Column("body", LargeBinary, nullable=False),
    Index("ix_review_tracker_deliveries_due", "tracker", "due"),
)


def outbox(tracker: str) -> Outbox:
    """What one tracker is still to be told."""
    return Outbox(_deliveries, {"tracker": tracker})


def begin(session: Session, *, telling: bool) -> int:
    """The reader's place. What merged before anybody was to be told stays untold, also after a time without hooks."""
    return journal.begin_cursor(session, READER, active=telling)


def queue(session: Session, found: Iterable[Delivery], upto: int, at: datetime) -> None:
    """Queue what trackers are to be told, and move the reader's place."""
    for one in found:
        outbox(one.tracker).queue(session, {"key": one.key, "body": one.body}, at)
    journal.move_cursor(session, READER, upto)


def due(session: Session, tracker: str, now: datetime, limit: int) -> tuple[Delivery, ...]:
    """What a tracker is to be told now, oldest first."""
    rows = outbox(tracker).due(session, now, limit)
    return tuple(Delivery(row.tracker, row.key, row.body, row.id, row.tries) for row in rows)
