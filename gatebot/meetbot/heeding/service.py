# SPDX-License-Identifier: Apache-2.0
"""Follows what is said in channels and lets a reader carry it out, line by line and in order.

A command waits for a database that is away, and holds up those behind it; one that breaks by itself is passed over.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable

from ...clock import Clock
from ...db import AWAY, Database
from ...events import LineSaid
from ...journal import Entry, Journal
from . import store

log = logging.getLogger(__name__)

Note = Callable[[Entry], Awaitable[None]]
_PAUSE = 5.0
_OFTEN = 500


async def heed(db: Database, journal: Journal, clock: Clock, reader: str, place: int, note: Note) -> None:
    """Note what is said behind a place, for ever."""
    async for entries in journal.follow(place, (LineSaid,)):
        for entry in entries:
            await _note(clock, reader, entry, note)
        # A command moves the place by itself; talk that is read twice does nothing.
        if entries[-1].id - place > _OFTEN:
            place = entries[-1].id
            await db.run_silent(store.moved, reader, place)


async def _note(clock: Clock, reader: str, entry: Entry, note: Note) -> None:
    while True:
        try:
            return await note(entry)
        except AWAY:
            log.exception("the command of fact %d waits for the database", entry.id)
            await clock.sleep(_PAUSE)
        except Exception:
            log.exception("fact %d did nothing to %s", entry.id, reader)
            return None
