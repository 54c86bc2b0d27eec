# SPDX-License-Identifier: Apache-2.0
"""Closes actions that merged changes name: follows the journal from where it stood.

What is closed and the reader's place are written in one transaction. What a change's message says is told by the review
room through a function, never for a private change.
"""

from __future__ import annotations

from collections.abc import Callable

from ... import journal
from ...db import Database, Session
from ...events import ChangeMerged
from . import matching, store
from .model import How

MessageOf = Callable[[Session, int, int], str | None]
"""The commit message of a change's patch set; None where it is not for everybody."""
_READER = "meeting actions"


class Closer:
    """The reader of merges; `site` is the address of this site."""

    def __init__(self, db: Database, log: journal.Journal, message_of: MessageOf, site: str) -> None:
        self._db = db
        self._journal = log
        self._message_of = message_of
        self._site = site

    async def run(self) -> None:
        """Follow the journal for ever."""
        while True:
            known = await self._journal.last()
            if not await self._db.run_silent(self.catch_up):
                await self._journal.wait(known, timeout=60)

    def catch_up(self, session: Session) -> int:
        """Look at the next merges, one transaction with the cursor; returns how many were read."""
        entries = journal.read_in(session, journal.cursor(session, _READER), ("ChangeMerged",), 200)
        for entry in entries:
            fact = entry.event
            if isinstance(fact, ChangeMerged) and (message := self._message_of(session, fact.change, fact.patch_set)):
                for number in matching.closed_by_message(message, self._site):
                    store.close(session, number, entry.at, "", How.MERGED, f"/{fact.change}")
        if entries:
            journal.move_cursor(session, _READER, entries[-1].id)
        return len(entries)
