# SPDX-License-Identifier: Apache-2.0
"""The schedule at work: reminds channels, says where the agenda is, and notes what did not happen.

A reminder is noted before it is said: after a restart it is not said again. Whether a meeting was held is looked up in
the archive at its end. The agenda is announced to whoever starts a planned meeting, as the journal tells.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from ... import events
from ...clock import Clock
from ...db import Database
from ...journal import Journal
from . import store
from .model import Occurrence, Planned, Schedule
from .occurrences import of_all, of_slot
from .tied import agenda_path, meeting_name
from .tip import Tip

log = logging.getLogger(__name__)

LOOK = 20.0
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Ways:
    """How the channel is spoken to: minutes before a meeting (0: not at all), and whether a missed one is said."""

    site: str
    remind: int = 10
    say_missed: bool = False


class Reminding:
    """Follows the clock and the journal; `say` is given a network, a channel and a line."""

    def __init__(
        self, db: Database, journal: Journal, clock: Clock, tip: Tip, ways: Ways,
        network: Callable[[str], str | None], say: Callable[[str, str, str], None],
    ) -> None:  # fmt: skip
        """`network` tells on which network the bot is in a channel; None: on none."""
        self._db = db
        self._journal = journal
        self._clock = clock
        self._tip = tip
        self._ways = ways
        self._network = network
        self._say = say
        self._began = clock.now()

    async def run(self) -> None:
        """Work for ever."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._watch())
            tasks.create_task(self._follow(await self._journal.last()))

    async def _watch(self) -> None:
        while True:
            try:
                await self.look()
            except Exception:
                log.exception("the schedule could not be looked at; trying again in %.0f s", LOOK)
            await self._clock.sleep(LOOK)

    async def look(self) -> None:
        """Remind of what is near, and settle what is over."""
        schedule = (await asyncio.to_thread(self._tip.now)).schedule
        now = self._clock.now()
        near = of_all(schedule.meetings, now, now + timedelta(minutes=self._ways.remind))
        for date in near:
            if date.skipped is None and date.slot.channel and self._network(date.slot.channel) is not None:
                await self._near(date, now)
        for key, starts in await self._db.read(store.open_dates, now):
            planned = is_planned(schedule, key, starts)
            there = starts >= self._began  # who was away may have missed the start
            missed = await self._db.run_silent(store.settle, key, starts, planned=planned, there=there)
            if missed is not None and self._ways.say_missed:
                self._tell(missed.channel, f"{missed.project} did not happen: nobody said #startmeeting {missed.name}.")

    async def _near(self, date: Occurrence, now: datetime) -> None:
        name = meeting_name(date.meeting)
        if not await self._db.run_silent(store.expect, date, name) or not self._ways.remind or date.start <= now:
            return
        minutes = -(-int((date.start - now).total_seconds()) // 60)
        agenda = await self.agenda(name, date.meeting)
        told = f"{date.meeting.project} begins in {minutes} minute{'s' if minutes > 1 else ''}"
        chair = f", chaired by {date.slot.chair}" if date.slot.chair else ""
        where = f" Agenda: {agenda}" if agenda else ""
        self._tell(date.slot.channel, f"{told}{chair}: #startmeeting {name}.{where}")

    async def agenda(self, name: str, meeting: Planned | None) -> str:
        """Where the agenda of a meeting is: elsewhere as its file says, or here, if anybody wrote one."""
        if meeting is not None and meeting.agenda_url:
            return meeting.agenda_url
        here = await self._db.read(store.has_agenda, [name])
        return f"{self._ways.site}{agenda_path(name)}" if here or meeting is not None else ""

    async def _follow(self, last: int) -> None:
        async for entries in self._journal.follow(last, ("MeetingStarted",)):
            for entry in entries:
                if isinstance(entry.event, events.MeetingStarted):
                    await self._started(entry.event)

    async def _started(self, started: events.MeetingStarted) -> None:
        """Say where the agenda is, on the network on which the meeting was started."""
        try:
            schedule = (await asyncio.to_thread(self._tip.now)).schedule
            meeting = next((one for one in schedule.meetings if meeting_name(one) == started.name), None)
            agenda = await self.agenda(started.name, meeting)
            network = await self._db.read(store.meeting_network, started.meeting)
            if agenda and network is not None:
                self._say(network, started.channel, f"Agenda: {agenda}")
        except Exception:
            log.exception("the agenda of meeting %d was not announced", started.meeting)

    def _tell(self, channel: str, text: str) -> None:
        network = self._network(channel)
        if network is not None:
            self._say(network, channel, " ".join(text.split()))


def is_planned(schedule: Schedule, key: str, starts: datetime) -> bool:
    """Whether a date is planned (still), and not skipped."""
    meeting = schedule.named(key)
    if meeting is None:
        return False
    dates = (one for slot in meeting.slots for one in of_slot(meeting, slot, starts, starts + _DAY))
    return any(one.start == starts and one.skipped is None for one in dates)
