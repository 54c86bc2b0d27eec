# SPDX-License-Identifier: Apache-2.0
"""Delivers for ever: what is due is tried, then it rests until more is.

It knows no rows and no servers: both are behind the two questions that it asks.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime

from ...clock import Clock

_LOOK = 60.0


class Driver:
    """`send` tries what is due, a batch at most, and says how much that was; `next_due` says when more is."""

    def __init__(
        self, clock: Clock, send: Callable[[], Awaitable[int]], next_due: Callable[[], Awaitable[datetime | None]]
    ) -> None:
        self._clock = clock
        self._send = send
        self._next_due = next_due
        self._wake = asyncio.Event()

    def wake(self) -> None:
        """There may be something new."""
        self._wake.set()

    async def run(self) -> None:
        """Deliver for ever."""
        while True:
            self._wake.clear()
            if not await self._send():
                await self._rest()

    async def _rest(self) -> None:
        """Until the next is due, somebody wakes us, or a minute passed."""
        coming = await self._next_due()
        wait = _LOOK if coming is None else min(_LOOK, max(0.1, (coming - self._clock.now()).total_seconds()))
        try:
            async with asyncio.timeout(wait):
                await self._wake.wait()
        except TimeoutError:
            return
