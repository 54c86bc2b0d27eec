# SPDX-License-Identifier: Apache-2.0
"""The clock of `timer` triggers: APScheduler fires, and each firing is a fact in the journal like any other event.

A time is `minute hour day month weekday [second [jitter]]`, UTC, as in Zuul: the week begins with Monday as 0, unlike
cron's; the names (`mon` ... `sun`) say it without doubt. What was missed while the server was down is not made up for.
"""

from __future__ import annotations

import asyncio
import logging
from typing import Any, cast

from apscheduler.schedulers.asyncio import AsyncIOScheduler  # pyright: ignore[reportMissingTypeStubs]
from apscheduler.triggers.cron import CronTrigger  # pyright: ignore[reportMissingTypeStubs]

from .. import journal
from ..clock import Clock
from ..db import Database
from .config.model import TimerTrigger
from .layouts import Layouts
from .model import TimerFired

log = logging.getLogger(__name__)

_LATE = 60  # seconds after which a time that was missed is passed over


def cron(time: str) -> CronTrigger:
    """The trigger of one time; ValueError when it cannot be read."""
    parts = time.split()
    if not 5 <= len(parts) <= 7:
        raise ValueError(f"{time!r} has {len(parts)} parts instead of five to seven")
    minute, hour, day, month, weekday = parts[:5]
    return CronTrigger(
        minute=minute,
        hour=hour,
        day=day,
        month=month,
        day_of_week=weekday,
        second=parts[5] if len(parts) > 5 else 0,
        jitter=int(parts[6]) if len(parts) > 6 else None,
        timezone="UTC",
    )


class Timer:
    """Keeps one schedule for each timer of each pipeline; `refresh` follows the configuration."""

    def __init__(self, db: Database, layouts: Layouts, clock: Clock) -> None:
        self._db = db
        self._layouts = layouts
        self._clock = clock
        self._scheduler = cast("Any", AsyncIOScheduler(timezone="UTC"))
        self._known: dict[tuple[str, str, int], TimerTrigger] = {}

    def start(self) -> None:
        """Begin, and follow the configuration from now on; call it inside the event loop."""
        loop = asyncio.get_running_loop()

        def follow() -> None:
            loop.call_soon_threadsafe(self.refresh)

        self._layouts.on_refresh(follow)
        self.refresh()
        self._scheduler.start()

    def refresh(self) -> None:
        """Schedules of timers that are new or were changed begin, those of removed ones end; others go on."""
        wanted = self._wanted()
        for key in [key for key, timer in self._known.items() if wanted.get(key) != timer]:
            self._scheduler.remove_job(_name(key))
            del self._known[key]
        for key, timer in wanted.items():
            if key not in self._known:
                self._scheduler.add_job(
                    self.fire, cron(timer.time), (key, timer), id=_name(key), misfire_grace_time=_LATE, coalesce=True
                )
                self._known[key] = timer

    @property
    def scheduled(self) -> tuple[tuple[str, str, int], ...]:
        """Tenant, pipeline and number of each timer that will fire."""
        return tuple(self._known)

    async def fire(self, key: tuple[str, str, int], timer: TimerTrigger) -> None:
        """The time has come."""
        tenant, pipeline, number = key
        event = TimerFired(tenant, pipeline, number, timer.dereference)
        await self._db.run(journal.append, event, self._clock.now())

    def close(self) -> None:
        """Fire no more."""
        if self._scheduler.running:
            self._scheduler.shutdown(wait=False)

    def _wanted(self) -> dict[tuple[str, str, int], TimerTrigger]:
        found: dict[tuple[str, str, int], TimerTrigger] = {}
        for tenant in self._layouts.tenants():
            layout = self._layouts.current(tenant)
            for pipeline in layout.pipelines.values() if layout is not None else ():
                for number, timer in enumerate(pipeline.timers):
                    try:
                        cron(timer.time)
                    except ValueError as problem:
                        log.warning("a timer of %s in %s never fires: %s", pipeline.name, tenant, problem)
                    else:
                        found[tenant, pipeline.name, number] = timer
        return found


def _name(key: tuple[str, str, int]) -> str:
    return "/".join(map(str, key))
