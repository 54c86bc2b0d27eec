# SPDX-License-Identifier: Apache-2.0
"""The rows of the announcer: what channels are still to be told.

Transaction functions. What a fact tells is queued together with the move of the reader's place, and forgotten when it
was said: a restart neither loses nor doubles it.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime

import sqlalchemy as sa

from ... import db, journal
from ...db import Session
from .model import Announcement, Audience, Waiting

READER = "announcer"

announcement_table = sa.Table(
    "irc_announcement",
    db.metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("network", sa.Text, nullable=False),
    sa.Column("channel", sa.Text, nullable=False),
    sa.Column("text", sa.Text, nullable=False),
    sa.Column("heading", sa.Text, nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("created", db.utc, nullable=False),
)

Where = tuple[str, str]


def begin(session: Session, *, telling: bool) -> int:
    """The reader's place. What happened before anybody was to be told stays untold, also after a time without."""
    return journal.begin_cursor(session, READER, active=telling)


def queue(session: Session, found: Sequence[tuple[Audience, Announcement]], upto: int, at: datetime) -> None:
    """Queue what channels are to be told, and move the reader's place."""
    if found:
        rows = [
            {"network": to.network, "channel": to.channel, "text": one.text, "heading": one.heading, "name": one.name}
            | {"created": at}
            for to, one in found
        ]
        session.execute(sa.insert(announcement_table), rows)
    journal.move_cursor(session, READER, upto)


def waiting(session: Session) -> dict[Where, list[Waiting]]:
    """What waits, by channel, oldest first."""
    found: dict[Where, list[Waiting]] = {}
    for row in session.execute(sa.select(announcement_table).order_by(announcement_table.c.id)):
        one = Waiting(row.id, row.created, Announcement(row.text, row.heading, row.name))
        found.setdefault((row.network, row.channel), []).append(one)
    return found


def said(session: Session, ids: Collection[int]) -> None:
    """Forget what was said."""
    session.execute(sa.delete(announcement_table).where(announcement_table.c.id.in_(ids)))


def unwanted(session: Session, wanted: Collection[Where]) -> None:
    """Forget what waits for channels that are told nothing any more."""
    columns = announcement_table.c
    kept = sa.tuple_(columns.network, columns.channel).in_(list(wanted))
    session.execute(sa.delete(announcement_table).where(~kept) if wanted else sa.delete(announcement_table))
