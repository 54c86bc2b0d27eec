# SPDX-License-Identifier: Apache-2.0
"""Deleting a change: its patch sets, its conversation and its references go, its number is never used again.

In beats: an intent; the references; rows and journal, intent closed. What others know of it stays: the journal, builds
and their logs, letters. What is in the gate must leave it first. Everything here blocks.
"""

from __future__ import annotations

import asyncio
import uuid

import msgspec
from sqlalchemy import delete, text

from .. import access, journal
from ..access import Actor
from ..clock import Clock
from ..db import Database, Session, metadata
from ..errors import Conflict
from ..events import ChangeDeleted
from ..reasons import reason
from ..repo import Repositories
from . import deeds, landing_rows, store
from .edits.keeping import Keeping
from .intents import close_intent, open_intent, open_intents
from .judging import Judge
from .model import ZERO, Change, Intent, RefMove
from .tables import changes

KIND = "delete"


class Deleting:
    """Deletes changes."""

    def __init__(
        self, db: Database, repositories: Repositories, judge: Judge, clock: Clock, rules: access.Rulebook
    ) -> None:
        self._db = db
        self._repositories = repositories
        self._judge = judge
        self._clock = clock
        self._rules = rules
        self._edits = Keeping(db, repositories)

    async def delete(self, actor: Actor, number: int) -> None:
        """Delete a change."""
        await asyncio.to_thread(self._delete, actor, number)

    def settle(self) -> int:
        """Finish what was begun when the server died."""
        begun = self._db.read_now(open_intents, KIND)
        for intent in begun:
            self._finish(intent)
        return len(begun)

    def _delete(self, actor: Actor, number: int) -> None:
        self._finish(self._db.run_now(self._open, actor, number))

    def _finish(self, intent: Intent) -> None:
        self._take(intent.moves)
        # A patch set that came meanwhile goes, too: its reference was there before its rows.
        self._take(self._db.run_now(self._forget, intent))
        self._edits.settle()

    def _open(self, session: Session, actor: Actor, number: int) -> Intent:
        """Beat 0."""
        change = store.get_change(session, number)
        account = deeds.delete(actor, change, self._rules)
        in_gate = self._judge.gates.position(number) is not None
        if in_gate or number in landing_rows.being_landed(session):
            raise Conflict(reason=reason("review.delete-in-gate"))
        payload = msgspec.json.encode((number, account)).decode()
        return open_intent(session, KIND, uuid.uuid4().hex, _moves(session, change), payload, self._clock.now())

    def _take(self, moves: tuple[RefMove, ...]) -> None:
        """Beat 1: every reference; one that is not there is gone already."""
        for move in moves:
            self._repositories.update_ref(move.project, move.ref, move.old, move.new)

    def _forget(self, session: Session, intent: Intent) -> tuple[RefMove, ...]:
        """Beat 2: rows and journal; the references that may still be there."""
        number, account = msgspec.json.decode(intent.payload, type=tuple[int, int])
        now, change = self._clock.now(), store.find_change(session, number)
        if not close_intent(session, intent.id, '{"done":true}', now) or change is None:
            return ()
        moves = _moves(session, change)
        journal.append(session, _fact(session, change, account), now)
        _erase(session, number)
        return moves


def _moves(session: Session, change: Change) -> tuple[RefMove, ...]:
    sets = store.list_patch_sets(session, change.number)
    return tuple(RefMove(change.project, one.ref, one.commit, ZERO, change.project) for one in sets)


def _fact(session: Session, change: Change, account: int) -> ChangeDeleted:
    return ChangeDeleted(
        change=change.number, account=account, project=change.project, branch=change.branch,
        change_id=change.change_id, title=change.subject, owner=change.owner, status=change.status.value,
        private=change.private, work_in_progress=change.work_in_progress, topic=change.topic,
        created=int(change.created.timestamp()),
        message=store.get_patch_set(session, change.number, change.current).message,
    )  # fmt: skip


def _erase(session: Session, number: int) -> None:
    """Every row that is of this change alone: those whose tables say so, and two that need not."""
    for name in ("review_parents", "review_dependencies"):
        table = metadata.tables[name]
        session.execute(delete(table).where(table.c.change == number))
    for table in metadata.sorted_tables:
        of = table.c.get("change")
        if of is not None and any(key.column is changes.c.number for key in of.foreign_keys):
            session.execute(delete(table).where(of == number))
    if session.dialect.name == "sqlite":
        session.execute(text("DELETE FROM review_search WHERE rowid = :change"), {"change": number})
    session.execute(delete(changes).where(changes.c.number == number))
