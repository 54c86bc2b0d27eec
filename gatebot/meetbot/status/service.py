# SPDX-License-Identifier: Apache-2.0
"""The status at work: reads commands from the journal, tells channels, keeps alerts in their topics.

A command is a stored line, and the reader's place moves in the transaction that keeps what it does. A line for a
channel is forgotten when it really went out, one at a time for each channel. Topics follow from the alert in force:
they are looked at again and again, so that a restart, a netsplit and a network that is away change nothing in the end.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from ...banners import Banner
from ...clock import Clock
from ...db import Database
from ...events import LineSaid
from ...journal import Entry as Fact
from ...journal import Journal
from ..heeding import store as heeding
from ..heeding.service import heed
from ..model import Act, Line, LineKind, Priority, Reply
from ..names import folded
from ..sisters.announcing import is_said
from ..sisters.asking import OBEYED, too_much
from ..sisters.patience import Patience
from ..store import Heard
from . import deciding, standing, store
from .model import Delivery, Entry, Held, Kind, Person, Place, Step
from .ports import World
from .store import Where

log = logging.getLogger(__name__)

_LOOK = 15.0
_AGAIN = timedelta(minutes=5)
_STALE = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Ways:
    """The address of the site, the channels that hear of the status, and how long a notice stands on pages."""

    site: str
    places: tuple[Place, ...]
    lasts: timedelta


class Statusbot:
    """Tells, and shows what is in force."""

    def __init__(self, db: Database, journal: Journal, clock: Clock, world: World, ways: Ways) -> None:
        self._db = db
        self._journal = journal
        self._clock = clock
        self._world = world
        self._ways = ways
        self._standing: tuple[Entry, ...] = ()
        self._on_their_way: dict[Where, Delivery] = {}
        self._topics_sent: dict[Where, datetime] = {}
        self._held: dict[Where, Held] = {}
        self._past: tuple[str, ...] = ()
        self._gone: list[int] = []
        self._patience = Patience()
        self._wake = asyncio.Event()

    def banners(self) -> Sequence[Banner]:
        """What every page shows now."""
        return standing.banners(self._standing, self._clock.now(), self._ways.lasts)

    def alert(self) -> str | None:
        """The alert in force."""
        return standing.alert(self._standing)

    def judge(self, network: str, channel: str, topic: str) -> str | None:
        """What a topic that is about to go out is to be, whoever sets it; None: the channel has that."""
        places = [(one.network, one.channel) for one in self._ways.places if one.topic and one.network == network]
        where = next((one for one in places if folded(one[1]) == folded(channel)), None)
        if where is None:
            return topic
        now = self._world.topic(*where)
        return standing.judged(self.alert(), self._held.get(where), topic, now, self._past)

    async def run(self) -> None:
        """Work for ever."""
        place = await self._db.run_silent(heeding.begin, store.READER)
        self._standing = await self._db.read(store.standing)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(heed(self._db, self._journal, self._clock, store.READER, place, self.note))
            tasks.create_task(self._speak())

    async def note(self, fact: Fact) -> None:
        """Carry out the command that a line is, if it is one."""
        said = fact.event
        if self._clock.now() - fact.at > OBEYED:
            return
        read = deciding.read(said.text) if isinstance(said, LineSaid) else None
        line = await self._db.read(heeding.said, said.line) if read is not None and isinstance(said, LineSaid) else None
        if read is None or line is None or not isinstance(said, LineSaid):
            return
        person = await self._world.person(said.network, line)
        step = deciding.decide(*read, line.nick, person, self._ways.site)
        if person is None or not person.may:
            step = self._within_patience(step, said, line)
        told = _told(said, line, person)
        await self._db.run(store.take, step, told, self._ways.places, self._clock.now(), fact.id)
        await self._changed()

    def _within_patience(self, step: Step, said: LineSaid, line: Line) -> Step:
        """What of it is answered: not everything that anybody says."""
        now = self._clock.now().timestamp()
        self._patience, turn = self._patience.ask(said.network, said.channel, line.nick, now)
        if turn.answered:
            return step
        return replace(step, first=f"{line.nick}: {too_much(turn.again, str)}" if turn.again else "")

    async def tell(self, kind: Kind, text: str, username: str) -> int:
        """Tell the status from this site; returns the number of what was told."""
        now = self._clock.now()
        step = Step(kind, text, broadcast=deciding.broadcast(kind, text))
        told = Entry(0, now, kind, text, username, username)
        number = await self._db.run(store.take, step, told, self._ways.places, now)
        await self._changed()
        return number

    async def _changed(self) -> None:
        self._standing = await self._db.read(store.standing)
        self._wake.set()

    def heard(self, heard: Heard) -> None:
        """A line of a channel: what of it is the bot's own may be one that was to go out; a topic may be another."""
        if heard.line.kind in (LineKind.TOPIC, LineKind.JOIN):
            self._wake.set()
        where = next((one for one in self._on_their_way if _same(one, heard)), None)
        if heard.line.own and where is not None and is_said(self._on_their_way[where].text, heard.line.text):
            self._gone.append(self._on_their_way.pop(where).id)
            self._wake.set()

    async def speak(self) -> None:
        """Forget what was said, say what is due, and set the topics."""
        now = self._clock.now()
        await self._forget()
        self._standing = await self._db.read(store.standing)  # words may have been removed
        waiting = await self._db.read(store.waiting)
        if any(now - one.created > _STALE for several in waiting.values() for one in several):
            await self._db.run_silent(store.lapse, now - _STALE)
            waiting = await self._db.read(store.waiting)
        for where, several in waiting.items():
            if where not in self._on_their_way:
                one = self._on_their_way[where] = several[0]
                act = Act.NOTICE if one.notice else Act.SAY
                priority = Priority.STATUS if one.notice else Priority.ANSWER
                self._world.send(*where, Reply(one.text, act), priority)
        await self._set_topics(now)

    async def close(self) -> None:
        """Forget what went out last."""
        await self._forget()

    async def _set_topics(self, now: datetime) -> None:
        known = self._held = await self._db.read(store.topics)
        past = self._past = await self._db.read(store.told_lately)
        sittings = await self._db.read(store.sittings)
        for place in self._ways.places:
            where = (place.network, place.channel)
            topic = self._world.topic(*where) if place.topic else None
            if topic is None:
                continue
            sitting = sittings.get((place.network, folded(place.channel)))
            held, wanted = standing.topic(self.alert(), known.get(where), topic, past, sitting)
            if held is not None and held != known.get(where):
                await self._db.run_silent(store.keep_topic, where, held)
                self._held = {**self._held, where: held}
            sent = self._topics_sent.get(where)
            if wanted is None:
                self._topics_sent.pop(where, None)
            elif sent is not None and held == known.get(where) and now - sent >= _AGAIN:
                log.warning("the topic of %s stays as it is: is the bot an operator there? See irc.topics.", where[1])
                self._set_topic(where, wanted, now)
            elif sent is None or held != known.get(where):
                self._set_topic(where, wanted, now)

    def _set_topic(self, where: Where, topic: str, now: datetime) -> None:
        self._topics_sent[where] = now
        # What is not true any more must not stand while others talk.
        priority = Priority.STATUS if self.alert() is not None else Priority.MEETING
        self._world.send(*where, Reply(topic, Act.TOPIC), priority)

    async def _forget(self) -> None:
        if not (gone := tuple(self._gone)):
            return
        await self._db.run_silent(store.delivered, gone)
        self._gone = [id for id in self._gone if id not in gone]

    async def _speak(self) -> None:
        while True:
            self._wake.clear()
            try:
                await self.speak()
            except Exception:
                log.exception("the status could not be told; trying again in %.0f s", _LOOK)
            try:
                async with asyncio.timeout(_LOOK):
                    await self._wake.wait()
            except TimeoutError:
                continue


def _told(said: LineSaid, line: Line, person: Person | None) -> Entry:
    username = person.username if person is not None else ""
    return Entry(
        0, line.at, Kind.LOG, "", line.nick, username, said.network, said.channel, said.line, said.path
    )  # fmt: skip


def _same(where: Where, heard: Heard) -> bool:
    return where[0] == heard.network and folded(where[1]) == folded(heard.channel)
