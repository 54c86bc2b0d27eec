# SPDX-License-Identifier: Apache-2.0
"""Sends what waits in the outbox, and tries again what failed, less and less often.

Only rows: what a message says was decided when it was written. How sending goes is told to the health page.
"""

from __future__ import annotations

import asyncio
import logging
import uuid
from contextlib import aclosing
from datetime import datetime, timedelta

from ...clock import Clock
from ...db import Database
from ...errors import Invalid
from ...reasons import reason
from . import store
from .ports import Carried, Carrier
from .rendering import Notice, can_be_mailed, notice
from .store import Counts, Outgoing

log = logging.getLogger(__name__)
_BATCH = 20
_FIRST = timedelta(minutes=1)
_LONGEST = timedelta(hours=4)
_MOST_TRIES = 30  # some four days
_LOOK = 60.0
_GOODBYE = 10.0


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
        self._stopping = False
        self.last: datetime | None = None

    def wake(self) -> None:
        """There is something new to send."""
        self._wake.set()

    async def post(self, told: Notice) -> None:
        """Queue a text for one reader."""
        if not can_be_mailed(told.reader):
            raise Invalid(reason=reason("hall.email-invalid", email=told.reader))
        now = self._clock.now()
        content = notice(told, now, uuid.uuid4().hex)
        await self._db.run_silent(store.queue, Outgoing(0, told.reader, content), now)
        self.wake()

    async def run(self) -> None:
        """Send for ever."""
        while True:
            self._wake.clear()
            if not await self._whole():
                await self._rest()

    async def _whole(self) -> int:
        """`send`, of which an end of the server leaves no message half done: it would be sent twice."""
        working = asyncio.ensure_future(self.send())
        try:
            return await asyncio.shield(working)
        except asyncio.CancelledError:
            self._stopping = True
            await asyncio.wait({working}, timeout=_GOODBYE)
            working.cancel()
            raise

    async def send(self) -> int:
        """Try what is due, a batch at most; how many messages were tried."""
        messages = await self._db.read(store.due, self._clock.now(), _BATCH)
        if not messages:
            return 0
        tries = {message.id: message.tries for message in messages}
        async with aclosing(self._carrier.carry(messages)) as outcomes:
            async for one in outcomes:
                await self._note(one, tries[one.id])
                if self._stopping:
                    break
        return len(messages)

    async def _note(self, one: Carried, tries: int) -> None:
        now = self._clock.now()
        if not one.problem:
            await self._db.run_silent(store.sent, [one.id])
            self.last = now
            return
        wait = None if one.final else pause(tries + 1)
        again = None if wait is None else now + wait
        await self._db.run_silent(store.put_off, one.id, one.problem, again, now)
        log.warning("mail %d was not sent: %s", one.id, one.problem)

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
