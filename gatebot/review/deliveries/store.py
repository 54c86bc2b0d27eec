# SPDX-License-Identifier: Apache-2.0
"""The rows of what waits to be delivered: tried when it is due, put off when it fails, forgotten when it is taken.

Transaction functions on a table of each kind (`mail/store.py`, `trackers/store.py`), which is filled in the transaction
that moves the reader of the journal. What is given up stays for two weeks, for the eyes of an administrator.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import (
    Column,
    ColumnElement,
    Integer,
    Row,
    Table,
    Text,
    and_,
    delete,
    func,
    insert,
    select,
    true,
    update,
)

from ...db import Session, utc

_GIVEN_UP_KEPT = timedelta(days=14)
_LONGEST_PROBLEM = 500


def waiting_columns() -> tuple[Column[Any], ...]:
    """What every such table has beside its own columns. Without `due` it was given up."""
    return (
        Column("id", Integer, primary_key=True),
        Column("tries", Integer, nullable=False),
        Column("due", utc),
        Column("created", utc, nullable=False),
        Column("problem", Text, nullable=False, server_default=""),
    )


@dataclass(frozen=True, slots=True)
class Counts:
    """How delivering goes: what waits and since when, what was given up, and the last problem."""

    waiting: int = 0
    oldest: datetime | None = None
    given_up: int = 0
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Outbox:
    """A table, or those of its rows whose columns have these values."""

    rows: Table
    values: Mapping[str, str] = field(default_factory=dict[str, str])

    @property
    def _here(self) -> ColumnElement[bool]:
        return and_(true(), *(self.rows.c[name] == value for name, value in self.values.items()))

    def queue(self, session: Session, row: Mapping[str, object], at: datetime) -> None:
        """Something new, that is due at once."""
        session.execute(insert(self.rows).values({**self.values, **row, "tries": 0, "due": at, "created": at}))

    def due(self, session: Session, now: datetime, limit: int) -> Sequence[Row[Any]]:
        """What is to be tried now, oldest first."""
        wanted = select(self.rows).where(self._here, self.rows.c.due <= now)
        return session.execute(wanted.order_by(self.rows.c.id).limit(limit)).all()

    def next_due(self, session: Session) -> datetime | None:
        """When something is to be tried next."""
        return session.execute(select(func.min(self.rows.c.due)).where(self._here)).scalar()

    def taken(self, session: Session, id: int) -> None:
        """Forget what was delivered."""
        session.execute(delete(self.rows).where(self.rows.c.id == id))

    def put_off(self, session: Session, id: int, problem: str, again: datetime | None, now: datetime) -> None:
        """Try it again later; None: never. What was given up long ago goes."""
        rows, row = self.rows, {"tries": self.rows.c.tries + 1, "due": again, "problem": problem[:_LONGEST_PROBLEM]}
        session.execute(update(rows).where(rows.c.id == id).values(row))
        session.execute(delete(rows).where(rows.c.due.is_(None), rows.c.created < now - _GIVEN_UP_KEPT))

    def counts(self, session: Session) -> Counts:
        """How it goes."""
        rows, here, waits = self.rows, self._here, self.rows.c.due.is_not(None)
        waiting, oldest = session.execute(select(func.count(), func.min(rows.c.created)).where(here, waits)).one()
        given_up = session.execute(select(func.count()).select_from(rows).where(here, ~waits)).scalar_one()
        newest = select(rows.c.problem).where(here, rows.c.problem != "").order_by(rows.c.id.desc()).limit(1)
        return Counts(waiting, oldest, given_up, session.execute(newest).scalar() or "")
