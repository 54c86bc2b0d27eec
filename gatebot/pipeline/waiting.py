# SPDX-License-Identifier: Apache-2.0
"""What builds that have not begun wait for, and when what runs may end: the same on every page, in REST and in the CLI.

Gathers the numbers that `forecast.py` and `status.py` decide by. How long jobs usually take is asked seldom.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta

from ..assignment import NodeWait
from ..clock import Clock
from ..db import Database
from ..reasons import Reason
from . import history
from .forecast import forecasts, slot
from .queue.model import Queue
from .rows import BuildRow
from .status import Times, Unbegun, unbegun

_REMEMBERED = timedelta(minutes=1)


class Waiting:
    """`queues` and `waits` answer from memory."""

    def __init__(
        self,
        queues: Callable[[], Iterable[Queue]],
        db: Database,
        clock: Clock,
        waits: Callable[[], Mapping[str, NodeWait]] = dict[str, NodeWait],
    ) -> None:
        self._queues = queues
        self._db = db
        self._clock = clock
        self._waits = waits
        self._usual: tuple[datetime, dict[str, float]] | None = None

    async def times(self) -> Times:
        """What is known now of everything that is in a queue."""
        queues = tuple(self._queues())
        names = {
            job.name for queue in queues for item in queue.items.values() if item.prepared for job in item.prepared.jobs
        }
        started = await self._db.read(history.running_since)
        usual, now = await self._usual_seconds(names), self._clock.now()
        elapsed = {build: (now - at).total_seconds() for build, at in started.items()}
        waits = forecasts(self._waits(), queues, usual, elapsed)
        return Times(started, usual, now, waits, slot(queues, usual, elapsed))

    async def reasons(self, rows: Iterable[BuildRow]) -> Mapping[str, Reason]:
        """What those of these builds wait for that have not begun."""
        waiting = [row.build for row in rows if row.waits]
        if not waiting:
            return {}
        times = await self.times()
        return {build: times.forecast(build).why for build in waiting}

    async def unbegun(self, change: int) -> Sequence[Unbegun]:
        """The jobs of a change that nobody has begun to run, in all queues that it is in."""
        queues = [queue for queue in self._queues() if any(change in item.numbers for item in queue.items.values())]
        return unbegun(queues, change, await self.times()) if queues else ()

    async def _usual_seconds(self, names: set[str]) -> Mapping[str, float]:
        """How long jobs usually take; asked again after a while, because it changes slowly."""
        now = self._clock.now()
        if self._usual is None or now - self._usual[0] > _REMEMBERED or not names <= self._usual[1].keys():
            known = await self._db.read(history.usual_seconds, sorted(names))
            self._usual = now, {**dict.fromkeys(names, 0.0), **known}
        return {name: seconds for name, seconds in self._usual[1].items() if seconds}
