# SPDX-License-Identifier: Apache-2.0
"""A clock that stands still until a test moves it.

`advance` wakes, in order, everyone whose time has come; `run` does the same and lets each of them act before the
next one wakes, so that a task that sleeps again and again runs as often as it would have.
"""

from __future__ import annotations

import asyncio
import heapq
from datetime import UTC, datetime, timedelta

from gatebot.clock import SystemClock

START = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)
_TURNS = 20  # of the event loop, enough for a woken task to act and to sleep again


class FakeClock:
    """Implements `gatebot.clock.Clock`."""

    def __init__(self, start: datetime = START) -> None:
        self._now = start
        self._sleepers: list[tuple[datetime, int, asyncio.Future[None]]] = []
        self._order = 0

    def now(self) -> datetime:
        """The moment the test has reached."""
        return self._now

    async def sleep(self, seconds: float) -> None:
        """Wait until the test has moved the clock this far; a wait of nothing only gives way."""
        if seconds <= 0:
            await asyncio.sleep(0)
            return
        woken = asyncio.get_running_loop().create_future()
        self._order += 1
        heapq.heappush(self._sleepers, (self._now + timedelta(seconds=seconds), self._order, woken))
        await woken

    @property
    def sleeping(self) -> int:
        """How many wait."""
        return sum(not woken.done() for _, _, woken in self._sleepers)

    def advance(self, seconds: float) -> None:
        """Move on and wake everyone whose time has come; they act when the test next awaits."""
        end = self._now + timedelta(seconds=seconds)
        while self._wake_next(end):
            pass
        self._now = end

    async def run(self, seconds: float) -> None:
        """Move on step by step; whoever wakes acts at the moment that it slept for."""
        end = self._now + timedelta(seconds=seconds)
        await self._settle()
        while self._wake_next(end):
            await self._settle()
        self._now = end
        await self._settle()

    def _wake_next(self, end: datetime) -> bool:
        while self._sleepers and self._sleepers[0][0] <= end:
            due, _, woken = heapq.heappop(self._sleepers)
            if not woken.done():
                self._now = due
                woken.set_result(None)
                return True
        return False

    @staticmethod
    async def _settle() -> None:
        for _ in range(_TURNS):
            await asyncio.sleep(0)


class SkippingClock(SystemClock):
    """The real clock, which a story may move ahead; who sleeps sleeps on."""

    def __init__(self) -> None:
        self._ahead = timedelta()

    def now(self) -> datetime:
        """The present moment, and what was skipped."""
        return super().now() + self._ahead

    def skip(self, seconds: float) -> None:
        """It is later now."""
        self._ahead += timedelta(seconds=seconds)
