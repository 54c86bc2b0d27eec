# SPDX-License-Identifier: Apache-2.0
"""Sends what waits in the outbox, and tries again what failed, less and less often.

Only rows: what a message says was decided when it was written. How sending goes is told to the health page.
"""

from __future__ import annotations

import asyncio
import logging
from datetime import datetime, timedelta

from ...clock import Clock
from ...db import Database
from . import store
from .ports import Carrier
from .store import Counts

log = logging.getLogger(__name__)
_BATCH = 20
_FIRST = timedelta(minutes=1)
_LONGEST = timedelta(hours=4)
_MOST_TRIES = 30  # some four days
_LOOK = 60.0


def pause(tries: int) -> timedelta | None:
    """How long a message waits after it failed for the `tries`-th time; None: it is given up."""
    return None if tries >= _MOST_TRIES else min(_LONGEST, _FIRST * 2 ** min(tries - 1, 20))


class Sending:
    """The outbox of a site."""

    def __init__(self, db: Database, clock: Clock, carrier: Carrier) -> None:
        self._db = db
        self._clock = clock
        self._carrier = carrier
        self._wake = asyncio.Event()
        self.last: datetime | None = None

    def wake(self) -> None:
        """There is something new to send."""
        self._wake.set()

    async def run(self) -> None:
        """Send for ever."""
        while True:
            self._wake.clear()
            if not await self.send():
                await self._rest()

    async def send(self) -> int:
        """Try what is due, a batch at most; how many messages were tried."""
        messages = await self._db.read(store.due, self._clock.now(), _BATCH)
        if not messages:
            return 0
        tries = {message.id: message.tries for message in messages}
        outcomes = await self._carrier.carry(messages)
        good = [one.id for one in outcomes if not one.problem]
        if good:
            await self._db.run_silent(store.sent, good)
            self.last = self._clock.now()
        for one in outcomes:
            if one.problem:
                now, wait = self._clock.now(), None if one.final else pause(tries[one.id] + 1)
                again = None if wait is None else now + wait
                await self._db.run_silent(store.put_off, one.id, one.problem, again, now)
                log.warning("mail %d was not sent: %s", one.id, one.problem)
        return len(messages)

    async def counts(self) -> Counts:
        """How it goes."""
        return await self._db.read(store.counts)

    async def _rest(self) -> None:
        """Until the next message is due, somebody wakes us, or a minute passed."""
        coming = await self._db.read(store.next_due)
        wait = _LOOK if coming is None else min(_LOOK, max(0.1, (coming - self._clock.now()).total_seconds()))
        try:
            async with asyncio.timeout(wait):
                await self._wake.wait()
        except TimeoutError:
            return
