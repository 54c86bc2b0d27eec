# SPDX-License-Identifier: Apache-2.0
"""Follows one Gerrit for ever: its stream of events says where to look, and whatever was missed is looked for.

The stream may end, lose lines, or stand still: each new connection and each minute brings everything up to date by a
query. A Gerrit that does not answer is asked again, ever more slowly; nothing else waits for it meanwhile.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from itertools import chain, repeat

from ...clock import Clock
from ...errors import GatebotError
from .mirror import Mirror
from .model import Hint
from .ssh import Stream
from .stream import hint

log = logging.getLogger(__name__)

_DELAYS = (1, 2, 5, 10, 30, 60)
SWEEP = 60.0


class Follower:
    """`stream` opens a connection; `sweep` is how often, in seconds, everything is looked at without a hint."""

    def __init__(self, mirror: Mirror, stream: Callable[[], Stream], clock: Clock, sweep: float = SWEEP) -> None:
        self._mirror = mirror
        self._open = stream
        self._clock = clock
        self._sweep = sweep
        self._hints: dict[Hint, None] = {}
        self._behind = True
        self._wake = asyncio.Event()
        self._seen = asyncio.Condition()
        self.stream: Stream | None = None
        self.trouble = "not asked yet"
        self._asked = 0
        self._answered = 0

    async def run(self) -> None:
        """Follow for ever; cancel it to stop."""
        listening = asyncio.create_task(self._listen(), name=f"stream of {self._mirror.place.name}")
        ticking = asyncio.create_task(self._tick(), name=f"sweeps of {self._mirror.place.name}")
        try:
            await self._work()
        finally:
            for task in (listening, ticking):
                task.cancel()
            await asyncio.gather(listening, ticking, return_exceptions=True)

    async def caught_up(self) -> None:
        """Wait until everything was looked at once more, from now on."""
        async with self._seen:
            self._asked += 1
            goal = self._asked
            self._fall_behind()
            await self._seen.wait_for(lambda: self._answered >= goal)

    # What says that there may be something

    async def _listen(self) -> None:
        delays = chain(_DELAYS, repeat(_DELAYS[-1]))
        while True:
            self.stream = self._open()
            # Whatever happened before the connection stands is found by looking; once more when it surely does.
            settling = asyncio.create_task(self._settle())
            try:
                async for line in self.stream.lines():
                    delays = chain(_DELAYS, repeat(_DELAYS[-1]))
                    self._take(line)
            except (GatebotError, OSError, ValueError) as error:
                log.warning("the stream of %s ended: %s", self._mirror.place.name, error)
            finally:
                settling.cancel()
            await self._clock.sleep(next(delays))

    async def _settle(self) -> None:
        for seconds in (0, 3):
            await self._clock.sleep(seconds)
            self._fall_behind()

    async def _tick(self) -> None:
        while True:
            await self._clock.sleep(self._sweep)
            self._fall_behind()

    def _take(self, line: str) -> None:
        found = hint(line)
        if found is not None:
            self._hints[found] = None
            self._behind = self._behind or not found.project
            self._wake.set()

    def _fall_behind(self) -> None:
        self._behind = True
        self._wake.set()

    # What looks

    async def _work(self) -> None:
        delays = chain(_DELAYS, repeat(_DELAYS[-1]))
        while True:
            await self._wake.wait()
            self._wake.clear()
            try:
                await self._look()
            except Exception as error:
                known = isinstance(error, GatebotError | OSError)
                log.warning("%s cannot be read: %s", self._mirror.place.name, error, exc_info=not known)
                self.trouble = str(error)
                await self._clock.sleep(next(delays))
                self._fall_behind()
                continue
            delays = chain(_DELAYS, repeat(_DELAYS[-1]))
            self.trouble = ""

    async def _look(self) -> None:
        hints, self._hints = list(self._hints), {}
        if self._behind:
            self._behind, asked = False, self._asked
            await self._mirror.catch_up()
            async with self._seen:
                self._answered = asked
                self._seen.notify_all()
        # Also after that: a query of Gerrit may not know yet what an event told already.
        projects = self._mirror.use.projects()
        for one in [one for one in hints if one.project in projects]:
            if one.change is not None:
                done = await self._mirror.look(one.project, one.change)
            else:
                done = await self._mirror.project(one.project)
            if not done:  # it is being merged, which tells most of it: the rest is looked at with the next hint
                self._hints.setdefault(one)
