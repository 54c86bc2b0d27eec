# SPDX-License-Identifier: Apache-2.0
"""The rows of the status: what was told, what channels are still to be told, topics that alerts stand in the place of.

Transaction functions. A command is kept together with everything that follows from it and with the reader's place: a
restart neither loses nor doubles it.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any, TypeAlias

import sqlalchemy as sa

from ... import db, journal
from ...db import Session
from ...events import StatusTold
from .. import archive
from ..commands import channel_topic
from ..heeding import store as heeding
from .model import Delivery, Entry, Held, Kind, Place, Sitting, Step

READER = "status"

entry_table = sa.Table(
    "status_entry",
    db.metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("at", db.utc, nullable=False),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("text", sa.Text, nullable=False),
    sa.Column("nick", sa.Text, nullable=False),
    sa.Column("username", sa.Text, nullable=False),
    sa.Column("network", sa.Text, nullable=False),
    sa.Column("channel", sa.Text, nullable=False),
    sa.Column("line", sa.BigInteger, nullable=False),
    sa.Column("path", sa.Text, nullable=False),
    sa.Index("ix_status_entry_kind", "kind", "id"),
)
delivery_table = sa.Table(
    "status_delivery",
    db.metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("entry", sa.Integer, nullable=False),
    sa.Column("network", sa.Text, nullable=False),
    sa.Column("channel", sa.Text, nullable=False),
    sa.Column("text", sa.Text, nullable=False),
    sa.Column("notice", sa.Boolean, nullable=False),
    sa.Column("last", sa.Boolean, nullable=False),
    sa.Column("created", db.utc, nullable=False),
)
topic_table = sa.Table(
    "status_topic",
    db.metadata,
    sa.Column("network", sa.Text, primary_key=True),
    sa.Column("channel", sa.Text, primary_key=True),
    sa.Column("before", sa.Text, nullable=False),
    sa.Column("alert", sa.Text, nullable=False),
    sa.Column("stands", sa.Boolean, nullable=False),
)

Where = tuple[str, str]
Row: TypeAlias = sa.Row[Any]


def take(
    session: Session, step: Step, told: Entry, places: Sequence[Place], at: datetime, upto: int | None = None
) -> int:
    """Keep what a command does; `told` is by whom and where. Returns the number of what was told, 0 for nothing."""
    if upto is not None:
        heeding.moved(session, READER, upto)
    entry = 0
    if step.kind is not None:
        row = {"at": told.at, "kind": step.kind.value, "text": step.text, "nick": told.nick, "line": told.line}
        row |= {"username": told.username, "network": told.network, "channel": told.channel, "path": told.path}
        entry = session.execute(sa.insert(entry_table).values(row).returning(entry_table.c.id)).scalar_one()
        if step.kind is Kind.OK:
            _ended(session, entry)
        journal.append(session, StatusTold(entry, step.kind.value), at)
    where = (told.network, told.channel)
    rows = [_row(entry, where, step.first, at)] if step.first and told.channel else []
    if step.broadcast:
        rows += [_row(entry, (one.network, one.channel), step.broadcast, at, notice=True) for one in places]
    if step.last and told.channel:
        rows.append(_row(entry, where, step.last, at, last=True))
    if rows:
        session.execute(sa.insert(delivery_table), rows)
    return entry


def _row(
    entry: int, where: Where, text: str, at: datetime, *, notice: bool = False, last: bool = False
) -> dict[str, object]:
    row: dict[str, object] = {"entry": entry, "network": where[0], "channel": where[1], "text": text, "created": at}
    return row | {"notice": notice, "last": last}


def _ended(session: Session, by: int) -> None:
    """An alert that is over is told nobody any more who did not hear of it."""
    alerts = sa.select(entry_table.c.id).where(entry_table.c.kind == Kind.ALERT.value, entry_table.c.id < by)
    waits = sa.or_(delivery_table.c.notice, delivery_table.c.last)
    session.execute(sa.delete(delivery_table).where(waits, delivery_table.c.entry.in_(alerts)))


def standing(session: Session) -> tuple[Entry, ...]:
    """The newest alert and the newest notice since the last ok, in their order."""
    columns = entry_table.c
    ended = session.execute(sa.select(sa.func.max(columns.id)).where(columns.kind == Kind.OK.value)).scalar() or 0
    newest = [
        session.execute(sa.select(sa.func.max(columns.id)).where(columns.kind == kind.value)).scalar() or 0
        for kind in (Kind.ALERT, Kind.NOTICE)
    ]
    wanted = sa.select(entry_table).where(columns.id.in_(newest), columns.id > ended).order_by(columns.id)
    return tuple(_entry(row) for row in session.execute(wanted))


def entries(session: Session, kinds: Collection[Kind], before: int | None, limit: int) -> list[Entry]:
    """What was told of some kinds, the newest first."""
    columns = entry_table.c
    wanted = sa.select(entry_table).where(columns.kind.in_([kind.value for kind in kinds]))
    if before is not None:
        wanted = wanted.where(columns.id < before)
    return [_entry(row) for row in session.execute(wanted.order_by(columns.id.desc()).limit(limit))]


def _entry(row: Row) -> Entry:
    return Entry(
        row.id, row.at, Kind(row.kind), row.text, row.nick, row.username, row.network, row.channel, row.line, row.path
    )  # fmt: skip


def _delivery(row: Row) -> Delivery:
    return Delivery(row.id, row.entry, row.network, row.channel, row.text, row.notice, row.last, row.created)


def waiting(session: Session) -> dict[Where, list[Delivery]]:
    """What channels are still to be told, by channel and in order; without what must wait for others."""
    rows = [_delivery(row) for row in session.execute(sa.select(delivery_table).order_by(delivery_table.c.id))]
    open_ones = {row.entry for row in rows if not row.last and row.entry}
    found: dict[Where, list[Delivery]] = {}
    for row in rows:
        if not row.last or row.entry not in open_ones:
            found.setdefault((row.network, row.channel), []).append(row)
    return found


def delivered(session: Session, ids: Collection[int]) -> None:
    """Forget what was said."""
    session.execute(sa.delete(delivery_table).where(delivery_table.c.id.in_(ids)))


def lapse(session: Session, before: datetime) -> None:
    """Forget what is too old to be said."""
    session.execute(sa.delete(delivery_table).where(delivery_table.c.created < before))


def topics(session: Session) -> dict[Where, Held]:
    """The topics that alerts stand, or stood, in the place of."""
    rows = session.execute(sa.select(topic_table))
    return {(row.network, row.channel): Held(row.before, row.alert, row.stands) for row in rows}


def told_lately(session: Session) -> tuple[str, ...]:
    """The newest alerts, whether they are over or not."""
    columns = entry_table.c
    wanted = sa.select(columns.text).where(columns.kind == Kind.ALERT.value).order_by(columns.id.desc()).limit(10)
    return tuple(session.execute(wanted).scalars())


def sittings(session: Session) -> dict[Where, Sitting]:
    """The meetings that lead the topic of their channel; one that lurks does not."""
    return {
        (network, meeting.channel): Sitting(channel_topic(meeting).text, meeting.old_topic)
        for network, meeting in archive.running(session)
        if not meeting.lurking
    }


def keep_topic(session: Session, where: Where, held: Held) -> None:
    """Remember what a channel's topic was."""
    columns = topic_table.c
    session.execute(sa.delete(topic_table).where(columns.network == where[0], columns.channel == where[1]))
    row = {"network": where[0], "channel": where[1], "before": held.before, "alert": held.alert, "stands": held.stands}
    session.execute(sa.insert(topic_table).values(row))


def remove(session: Session, lines: Collection[int], mark: str) -> None:
    """Take away what was told by lines whose words must not stay."""
    gone = entry_table.c.line.in_(lines)
    told = sa.select(entry_table.c.id).where(gone)
    session.execute(sa.delete(delivery_table).where(delivery_table.c.entry.in_(told)))
    session.execute(sa.update(entry_table).where(gone).values(text=mark))
