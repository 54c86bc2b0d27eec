# SPDX-License-Identifier: Apache-2.0
"""Intents: what is about to be done to references, and the numbers handed out for it.

Beat 0 opens an intent, beat 2 closes it in the transaction that writes the rows it promised. An
intent that is still open when the server starts is settled by its kind's owner. An intent that is
already there under its key is handed back as it is, so that asking twice does a thing once.
"""

from __future__ import annotations

import json
import re
from dataclasses import asdict
from datetime import datetime

from sqlalchemy import RowMapping, bindparam, insert, select, update

from ..db import Session
from .model import Intent, RefMove
from .tables import changes, counters, intents

# Each landing and each push goes through these: put together once, not each time.
_open = insert(intents).returning(intents)
_close = update(intents).where(intents.c.id == bindparam("intent"), intents.c.closed.is_(None))
_by_key = select(intents).where(intents.c.kind == bindparam("kind"), intents.c.key == bindparam("key"))
_SOON = 100
_PATCH_SET = re.compile(r"refs/changes/\d{2}/(\d+)/\d+")
_all_open = select(intents).where(intents.c.closed.is_(None)).order_by(intents.c.id)


def allocate_changes(session: Session, count: int = 1) -> int:
    """Take `count` change numbers for ever; the first of them. The first ever is 1."""
    return _allocate(session, "change", count)


def next_changes(session: Session) -> range:
    """The numbers that the next changes get: as many as may be made while somebody is answered."""
    last = session.scalar(select(counters.c.value).where(counters.c.name == "change")) or 0
    return range(last + 1, last + 1 + _SOON)


def _allocate(session: Session, name: str, count: int) -> int:
    bump = update(counters).where(counters.c.name == name).values(value=counters.c.value + count)
    last = session.execute(bump.returning(counters.c.value)).scalar()
    if last is None:
        session.execute(insert(counters).values(name=name, value=count))
        last = count
    return last - count + 1


def open_intent(
    session: Session, kind: str, key: str, moves: tuple[RefMove, ...], payload: str, at: datetime
) -> Intent:
    """Write down what is about to move; the intent of this key that is already there, when there is one."""
    known = intent_of(session, kind, key)
    if known is not None:
        return known
    values = {"kind": kind, "key": key, "moves": _to_text(moves), "payload": payload, "opened": at}
    row = session.execute(_open, values).mappings().one()
    return _intent(row)


def close_intent(session: Session, intent: int, outcome: str, at: datetime) -> bool:
    """Mark it as done; `outcome` is JSON that tells how it ended. False: somebody else closed it."""
    return session.execute(_close, {"intent": intent, "closed": at, "outcome": outcome}).rowcount == 1


def reopen_intent(session: Session, intent: int, moves: tuple[RefMove, ...], payload: str, at: datetime) -> Intent:
    """Use the key of a closed intent again, for another try at the same thing."""
    values = {"moves": _to_text(moves), "payload": payload, "opened": at, "closed": None, "outcome": ""}
    again = update(intents).where(intents.c.id == intent).values(values).returning(intents)
    return _intent(session.execute(again).mappings().one())


def intent_of(session: Session, kind: str, key: str) -> Intent | None:
    """The intent of this key, open or closed."""
    row = session.execute(_by_key, {"kind": kind, "key": key}).mappings().first()
    return _intent(row) if row else None


def open_intents(session: Session, kind: str | None = None) -> tuple[Intent, ...]:
    """What was begun and not finished, oldest first."""
    rows = session.execute(_all_open).mappings()
    return tuple(_intent(row) for row in rows if kind in (None, row["kind"]))


def unborn(session: Session, project: str) -> frozenset[int]:
    """The changes of a project whose references may be there although their rows are not written yet."""
    begun = {move.ref for intent in open_intents(session) for move in intent.moves if move.project == project}
    numbers = {int(found[1]) for ref in begun if (found := _PATCH_SET.fullmatch(ref))}
    if not numbers:
        return frozenset()
    return frozenset(numbers) - set(session.scalars(select(changes.c.number).where(changes.c.number.in_(numbers))))


def _to_text(moves: tuple[RefMove, ...]) -> str:
    return json.dumps([asdict(move) for move in moves], separators=(",", ":"))


def _intent(row: RowMapping) -> Intent:
    return Intent(
        id=row["id"],
        kind=row["kind"],
        key=row["key"],
        moves=tuple(RefMove(**move) for move in json.loads(row["moves"])),
        payload=row["payload"],
        opened=row["opened"],
        outcome=row["outcome"],
    )
