# SPDX-License-Identifier: Apache-2.0
"""Sends what waits in the outbox, and tries again what failed, less and less often.

Only rows: what a message says was decided when it was written. How sending goes is told to the health page.
"""

from __future__ import annotations

import asyncio
import logging
import uuid
from contextlib import aclosing
from datetime import datetime

from ...clock import Clock
from ...db import Database
from ...errors import Invalid
from ...reasons import reason
from ..deliveries.driver import Driver
from ..deliveries.pauses import patience
from ..deliveries.store import Counts
from . import store
from .ports import Carried, Carrier
from .rendering import Notice, can_be_mailed, notice
from .store import Outgoing

log = logging.getLogger(__name__)
_BATCH = 20
_GOODBYE = 10.0


class Sending:
    """The outbox of a site."""

    def __init__(self, db: Database, clock: Clock, carrier: Carrier) -> None:
        self._db = db
        self._clock = clock
        self._carrier = carrier
        self._driver = Driver(clock, self._whole, lambda: db.read(store.OUTBOX.next_due))
        self._stopping = False
        self.last: datetime | None = None

    def wake(self) -> None:
        """There is something new to send."""
        self._driver.wake()

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
        await self._driver.run()

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
            await self._db.run_silent(store.OUTBOX.taken, one.id)
            self.last = now
            return
        wait = None if one.final else patience(tries + 1)
        again = None if wait is None else now + wait
        await self._db.run_silent(store.OUTBOX.put_off, one.id, one.problem, again, now)
        log.warning("mail %d was not sent: %s", one.id, one.problem)

    async def counts(self) -> Counts:
        """How it goes."""
        return await self._db.read(store.OUTBOX.counts)
