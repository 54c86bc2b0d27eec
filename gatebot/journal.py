# SPDX-License-Identifier: Apache-2.0
"""The journal: every fact as one appended row, in the order of the commits, read by cursors.

A fact is appended in the transaction of the rows that it explains. A reader that writes moves its
cursor in its own transaction and so acts exactly once. Wake-ups are hints: the table is the truth,
and whoever waits also looks by itself now and then. Rows are never changed; kinds that this version
does not know (a newer one wrote them) are passed over.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import AsyncIterator, Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import TypeVar

import msgspec
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert

from . import events
from .db import Database, Session, metadata, note_append, utc
from .events import Event

log = logging.getLogger(__name__)

_journal = sa.Table(
    "journal",
    metadata,
    sa.Column("id", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("at", utc, nullable=False),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("subject", sa.Text, nullable=False),
    sa.Column("body", sa.Text, nullable=False),
    sa.Index("ix_journal_subject", "subject", "id"),
)

# Holds nothing: on PostgreSQL, locking it puts the transactions that append in one line.
_clock = sa.Table("journal_clock", metadata, sa.Column("id", sa.Integer, primary_key=True, autoincrement=False))

_cursor = sa.Table(
    "journal_cursor",
    metadata,
    sa.Column("reader", sa.Text, primary_key=True),
    sa.Column("id", sa.BigInteger, nullable=False),
)

E = TypeVar("E", bound=Event)

Kinds = Collection[type[Event] | str]
"""Classes of events, or their names."""

unknown_kinds: Counter[str] = Counter()
"""How often rows of an unknown or unreadable kind were passed over, by kind; for the metrics."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One row: a fact, when it happened, and its place in the order of everything."""

    id: int
    at: datetime
    event: Event


_encoder = msgspec.json.Encoder()
_decoders: dict[str, msgspec.json.Decoder[Event]] = {}

_next_id = sa.select(sa.func.coalesce(sa.func.max(_journal.c.id), 0) + 1).scalar_subquery()
_append = (
    _journal.insert()
    .values(
        id=_next_id,
        at=sa.bindparam("at"),
        kind=sa.bindparam("kind"),
        subject=sa.bindparam("subject"),
        body=sa.bindparam("body"),
    )
    .returning(_journal.c.id)
)
_insert = _journal.insert()
_last = sa.select(sa.func.coalesce(sa.func.max(_journal.c.id), 0))
_move = {
    name: statement.on_conflict_do_update(index_elements=["reader"], set_={"id": statement.excluded.id})
    for name, statement in (("sqlite", sqlite_insert(_cursor)), ("postgresql", postgresql_insert(_cursor)))
}
_get_cursor = sa.select(_cursor.c.id).where(_cursor.c.reader == sa.bindparam("reader"))


def register(*classes: type[Event]) -> None:
    """Make kinds of facts readable; their name is their kind, so it must not change or be taken twice."""
    for event_class in classes:
        kind = event_class.__name__
        known = _decoders.get(kind)
        if known is not None and known.type is not event_class:
            raise ValueError(f"two kinds of facts are named {kind}")
        _decoders[kind] = msgspec.json.Decoder(event_class)


register(*events.ALL)


def append(session: Session, event: Event, at: datetime) -> int:
    """Add a fact to the end and return its id. Ids have no gaps, and their order is that of the commits."""
    id = session.execute(_append, _row(event, at)).scalar_one()
    note_append(session, id)
    return id


def append_all(session: Session, facts: Sequence[Event], at: datetime) -> int:
    """Add facts to the end, in this order and by one statement; the id of the newest entry afterwards."""
    return append_dated(session, [(fact, at) for fact in facts])


def append_dated(session: Session, facts: Sequence[tuple[Event, datetime]]) -> int:
    """The same for facts of different moments."""
    last = last_in(session)
    if facts:
        rows = [{**_row(event, at), "id": id} for id, (event, at) in enumerate(facts, start=last + 1)]
        session.execute(_insert, rows)
        last += len(rows)
        note_append(session, last)
    return last


def rewrite(session: Session, kind: type[E], moments: Sequence[datetime], change: Callable[[E], E]) -> None:
    """Overwrite facts of one kind and of some moments: only where what people said must not stay."""
    columns = _journal.c
    query = sa.select(columns.id, columns.body).where(columns.kind == kind.__name__, columns.at.in_(set(moments)))
    for row in session.execute(query).all() if moments else ():
        fact = _decoders[kind.__name__].decode(row.body)
        assert isinstance(fact, kind)
        if (changed := change(fact)) != fact:
            body = _encoder.encode(changed).decode()
            session.execute(sa.update(_journal).where(columns.id == row.id).values(body=body))


def _row(event: Event, at: datetime) -> dict[str, datetime | str | int]:
    kind = type(event).__name__
    if kind not in _decoders:
        raise ValueError(f"{kind} is not registered: call journal.register({kind}) in the store of its room")
    return {"at": at, "kind": kind, "subject": event.subject, "body": _encoder.encode(event).decode()}


def cursor(session: Session, reader: str) -> int:
    """The id up to which a reader has dealt with everything; 0 for a new reader."""
    return session.execute(_get_cursor, {"reader": reader}).scalar() or 0


def move_cursor(session: Session, reader: str, id: int) -> None:
    """Remember that a reader has dealt with everything up to `id`, in the transaction of its effects."""
    session.execute(_move[session.dialect.name], {"reader": reader, "id": id})


def begin_cursor(session: Session, reader: str, *, active: bool = True) -> int:
    """Where a reader begins that acts on nothing older than itself: the newest entry at first, then its own place.

    While it has nothing to do (not `active`) it stands nowhere: what happens meanwhile stays undone afterwards, too.
    """
    place = cursor(session, reader)
    if not active:
        if place:
            move_cursor(session, reader, 0)
        return 0
    if not place:
        # 0 is a reader that never began; an empty journal has no entry to stand on.
        place = last_in(session) or -1
        move_cursor(session, reader, place)
    return place


def last_in(session: Session) -> int:
    """The id of the newest entry, 0 when there is none."""
    return session.execute(_last).scalar_one()


def last_before(session: Session, moment: datetime) -> int:
    """The id of the last entry that was written before a moment, 0 when there is none.

    Found by halving: ids have no gaps, and their order is that of the clock, as far as clocks go forward.
    """
    low, high = 0, last_in(session)
    while low < high:
        middle = (low + high + 1) // 2
        at = session.execute(sa.select(_journal.c.at).where(_journal.c.id == middle)).scalar()
        low, high = (middle, high) if at is None or at < moment else (low, middle - 1)
    return low


def known(session: Session, subjects: Collection[str]) -> frozenset[str]:
    """Those of some subjects of which anything was ever told."""
    asked = sa.select(_journal.c.subject).where(_journal.c.subject.in_(subjects)).distinct()
    return frozenset(session.execute(asked).scalars())


def read_in(session: Session, after: int, kinds: Kinds | None = None, limit: int = 1000) -> list[Entry]:
    """The next entries after an id, oldest first, inside a transaction."""
    return _scan(session, after, kinds, None, limit)[0]


def _scan(
    session: Session, after: int, kinds: Kinds | None, subject: str | None, limit: int
) -> tuple[list[Entry], int]:
    """The next entries, and the id up to which nothing more needs to be looked at."""
    last = last_in(session)
    names = None if kinds is None else tuple([kind if isinstance(kind, str) else kind.__name__ for kind in kinds])
    query = _query(names, by_subject=subject is not None)
    while after < last:
        asked = {"after": after, "last": last, "subject": subject, "limit": limit}
        rows = session.execute(query, asked).all()
        entries = [entry for row in rows if (entry := _entry(row)) is not None]
        after = rows[-1].id if len(rows) == limit else last
        if entries:
            return entries, after
    return [], max(after, last)


@lru_cache(maxsize=128)
def _query(kinds: tuple[str, ...] | None, *, by_subject: bool) -> sa.Select[int, datetime, str, str, str]:
    """The statement by which a reader looks at the journal again and again: put together once."""
    query = sa.select(_journal).where(_journal.c.id > sa.bindparam("after"), _journal.c.id <= sa.bindparam("last"))
    if kinds is not None:
        query = query.where(_journal.c.kind.in_([sa.literal(kind) for kind in kinds]))
    if by_subject:
        query = query.where(_journal.c.subject == sa.bindparam("subject"))
    return query.order_by(_journal.c.id).limit(sa.bindparam("limit"))


def _entry(row: sa.Row[int, datetime, str, str, str]) -> Entry | None:
    id, at, kind, _, body = row
    decoder = _decoders.get(kind)
    try:
        if decoder is not None:
            return Entry(id, at, decoder.decode(body))
        why = "this version does not know its kind"
    except msgspec.MsgspecError as error:
        why = str(error)
    if not unknown_kinds[kind]:
        log.warning("journal entry %d (%s) was passed over: %s", id, kind, why)
    unknown_kinds[kind] += 1
    return None


class Journal:
    """The journal for those who wait for facts in an event loop."""

    def __init__(self, db: Database, *, poll: float | None = None) -> None:
        """`poll` is how often, in seconds, waiters look for what other processes wrote."""
        self._db = db
        self._poll = poll if poll is not None else (2.0 if db.is_sqlite else 0.25)
        self._waiters: set[asyncio.Future[None]] = set()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._forget: Callable[[], None] | None = None

    async def read(
        self, after: int, *, kinds: Kinds | None = None, subject: str | None = None, limit: int = 1000
    ) -> list[Entry]:
        """The next entries after an id, oldest first."""
        entries, _ = await self._db.read(_scan, after, kinds, subject, limit)
        return entries

    async def last(self) -> int:
        """The id of the newest entry, 0 when there is none."""
        return await self._db.read(last_in)

    async def wait(self, after: int, timeout: float | None = None) -> int:
        """Wait until there is an entry after `after`; the newest id, which is not newer when `timeout` passed."""
        loop = asyncio.get_running_loop()
        self._listen(loop)
        deadline = None if timeout is None else loop.time() + timeout
        while True:
            # Listen first, then look: what is committed between the two wakes us.
            waiter: asyncio.Future[None] = loop.create_future()
            self._waiters.add(waiter)
            try:
                last = await self.last()
                left = self._poll if deadline is None else min(self._poll, deadline - loop.time())
                if last > after or left <= 0:
                    return last
                await asyncio.wait((waiter,), timeout=left)
            finally:
                self._waiters.discard(waiter)

    async def follow(self, after: int, kinds: Kinds | None = None) -> AsyncIterator[list[Entry]]:
        """All entries after an id in batches, for ever: first what is there, then what comes."""
        while True:
            entries, upto = await self._db.read(_scan, after, kinds, None, 1000)
            if entries:
                yield entries
            if upto == after:
                await self.wait(after)
            after = upto

    def _listen(self, loop: asyncio.AbstractEventLoop) -> None:
        if self._loop is loop:
            return
        if self._forget is not None:
            self._forget()
        self._loop = loop
        self._forget = self._db.on_commit(self._wake)

    def _wake(self, _last: int) -> None:
        for waiter in self._waiters:
            if not waiter.done():
                waiter.set_result(None)
