# SPDX-License-Identifier: Apache-2.0
"""Tells trackers of merges: follows the journal, queues what each is to be told, and sends it till it is taken.

What is queued and the reader's place are written in one transaction. Each tracker has a line of its own, so that a slow
one keeps no other waiting. Without hooks nothing is followed.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from pathlib import Path

from ...clock import Clock
from ...db import Database, Session
from ...events import ChangeMerged
from ...journal import Entry, Journal
from .. import store as changes
from ..deliveries.driver import Driver
from ..deliveries.pauses import patience
from ..deliveries.posting import Poster
from ..deliveries.store import Counts
from . import store
from .model import Delivery, Tracker
from .news import news

log = logging.getLogger(__name__)
_BATCH = 20


class Trackers:
    """The trackers of a site that are told of merges; `site` is its address."""

    def __init__(
        self, db: Database, journal: Journal, clock: Clock, trackers: Sequence[Tracker], site: str, poster: Poster
    ) -> None:
        self._db = db
        self._journal = journal
        self._clock = clock
        self._trackers = tuple(tracker for tracker in trackers if tracker.hook)
        self._lines = [_Line(db, clock, tracker, poster) for tracker in self._trackers]
        self._site = site.rstrip("/")

    async def run(self) -> None:
        """Tell for ever."""
        place = await self.begin()
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._follow(place))
            for line in self._lines:
                tasks.create_task(line.run())

    async def begin(self) -> int:
        """Where the reader stands."""
        return await self._db.run_silent(self._begin)

    async def note(self, entries: Sequence[Entry]) -> None:
        """Queue what some facts tell."""
        await self._db.run_silent(self._queue, entries)
        for line in self._lines:
            line.wake()

    async def send(self) -> int:
        """Try what is due, a batch for each tracker at most; how many were tried."""
        return sum([await line.send() for line in self._lines])

    async def counts(self) -> dict[str, Counts]:
        """How it goes with each, by its name."""
        found = [await self._db.read(store.outbox(tracker.name).counts) for tracker in self._trackers]
        return {tracker.name: one for tracker, one in zip(self._trackers, found, strict=True)}

    async def _follow(self, place: int) -> None:
        if not self._trackers:
            await asyncio.Event().wait()  # a part of the site that ends would end the site
        async for entries in self._journal.follow(place, (ChangeMerged,)):
            await self.note(entries)

    def _begin(self, session: Session) -> int:
        return store.begin(session, telling=bool(self._trackers))

    def _queue(self, session: Session, entries: Sequence[Entry]) -> None:
        found = [one for entry in entries for one in self._news(session, entry)]
        store.queue(session, found, entries[-1].id, self._clock.now())

    def _news(self, session: Session, entry: Entry) -> list[Delivery]:
        fact = entry.event
        if not isinstance(fact, ChangeMerged):
            return []
        change = changes.find_change(session, fact.change)
        if change is None:
            return []
        patch_set = changes.get_patch_set(session, change.number, fact.patch_set)
        return [
            one
            for tracker in self._trackers
            for one in news(tracker, fact, entry.id, entry.at, change, patch_set, self._site)
        ]


class _Line:
    """One tracker and what waits for it."""

    def __init__(self, db: Database, clock: Clock, tracker: Tracker, poster: Poster) -> None:
        self._db = db
        self._clock = clock
        self._tracker = tracker
        self._poster = poster
        self._outbox = store.outbox(tracker.name)
        self._driver = Driver(clock, self.send, lambda: db.read(self._outbox.next_due))

    def wake(self) -> None:
        """There may be something new."""
        self._driver.wake()

    async def run(self) -> None:
        """Send for ever."""
        await self._driver.run()

    async def send(self) -> int:
        """Try what is due, a batch at most; how many were tried."""
        waiting = await self._db.read(store.due, self._tracker.name, self._clock.now(), _BATCH)
        for one in waiting:
            await self._try(one)
        return len(waiting)

    async def _try(self, one: Delivery) -> None:
        try:
            headers = await asyncio.to_thread(_headers, self._tracker, one)
            problem = await self._poster.post(self._tracker.hook, one.body, headers, local=self._tracker.local)
        except OSError as error:
            problem = f"its token_file cannot be read: {error.strerror}"
        except ValueError:
            problem = "what is in its token_file is no token"
        if not problem:
            await self._db.run_silent(self._outbox.taken, one.id)
            return
        log.warning("tracker %s was not told of %s: %s", self._tracker.name, one.key, problem)
        now, wait = self._clock.now(), patience(one.tries + 1)
        await self._db.run_silent(self._outbox.put_off, one.id, problem, None if wait is None else now + wait, now)


def _headers(tracker: Tracker, one: Delivery) -> dict[str, str]:
    headers = {"Content-Type": "application/json", "User-Agent": "gatebot", "X-Gatebot-Delivery": one.key}
    if tracker.token_file:
        headers["Authorization"] = f"Bearer {Path(tracker.token_file).read_text('utf-8').strip()}"
    return headers
