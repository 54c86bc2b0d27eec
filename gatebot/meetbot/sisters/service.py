# SPDX-License-Identifier: Apache-2.0
"""The announcer at work: follows the journal, queues what each channel is told, and says it.

A line is forgotten when it really went out, as the client tells by letting it be heard. One line at a time is on its
way to a channel; what comes meanwhile waits, and becomes a digest where it is much. That also holds while a network is
away, so that its return brings one line and no flood.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta

from ... import words
from ...clock import Clock
from ...db import Database
from ...journal import Entry, Journal
from ..names import folded
from ..store import Heard
from . import store
from .announcing import announcement, bundle, is_said
from .model import Announcement, Audience
from .ports import News
from .store import Where

log = logging.getLogger(__name__)

GATHER = timedelta(seconds=3)
_LOOK = 60.0
_PAUSE = 5.0


@dataclass(frozen=True, slots=True)
class _OnItsWay:
    text: str
    ids: tuple[int, ...]


class Announcer:
    """Tells channels; `say` is given a network, a channel and a line, `site` is the address of the site."""

    def __init__(
        self, db: Database, journal: Journal, clock: Clock, audiences: Sequence[Audience], news: News,
        say: Callable[[str, str, str], None], site: str,
    ) -> None:  # fmt: skip
        self._db = db
        self._journal = journal
        self._clock = clock
        self._audiences = tuple(audiences)
        self._news = news
        self._say = say
        self._site = site.rstrip("/") + "/"
        self._on_their_way: dict[Where, _OnItsWay] = {}
        self._gone: list[int] = []
        self._wake = asyncio.Event()

    async def run(self) -> None:
        """Announce for ever."""
        place = await self.begin()
        if not self._audiences:
            await asyncio.Event().wait()  # a part of the site that ends would end the site
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._follow(place))
            tasks.create_task(self._speak())

    async def begin(self) -> int:
        """Where the reader stands."""
        wanted = {(one.network, one.channel) for one in self._audiences}
        await self._db.run_silent(store.unwanted, wanted)
        return await self._db.run_silent(lambda session: store.begin(session, telling=bool(self._audiences)))

    async def note(self, entries: Sequence[Entry]) -> None:
        """Queue what some facts tell."""
        found: list[tuple[Audience, Announcement]] = []
        for one in await self._news.told(entries):
            for audience in self._audiences:
                gettext = words.translations(audience.language).gettext
                if (told := announcement(audience, one, gettext)) is not None:
                    found.append((audience, told))
        await self._db.run_silent(store.queue, found, entries[-1].id, self._clock.now())
        if found:
            self._wake.set()

    async def speak(self) -> float:
        """Forget what was said, and say what is due; after how many seconds to look again."""
        await self._forget()
        wait, now = _LOOK, self._clock.now()
        for where, several in (await self._db.read(store.waiting)).items():
            if where in self._on_their_way:
                continue
            early = (several[0].created + GATHER - now).total_seconds()
            if early > 0:
                wait = min(wait, early)
                continue
            audience = next(one for one in self._audiences if (one.network, one.channel) == where)
            gettext = words.translations(audience.language).gettext
            text, count = bundle(several, audience.digest, self._site, gettext)
            self._on_their_way[where] = _OnItsWay(text, tuple([one.id for one in several[:count]]))
            self._say(*where, text)
        return wait

    def heard(self, heard: Heard) -> None:
        """A line of a channel: what of it is the bot's own may be an announcement that went out."""
        where = next((one for one in self._on_their_way if _same(one, heard)), None)
        if heard.line.own and where is not None and is_said(self._on_their_way[where].text, heard.line.text):
            self._gone += self._on_their_way.pop(where).ids
            self._wake.set()

    async def close(self) -> None:
        """Forget what went out last."""
        await self._forget()

    async def _forget(self) -> None:
        if gone := tuple(self._gone):
            await self._db.run_silent(store.said, gone)
            self._gone = [id for id in self._gone if id not in gone]

    async def _follow(self, place: int) -> None:
        async for entries in self._journal.follow(place, self._news.kinds):
            await self._note_all(entries)

    async def _note_all(self, entries: Sequence[Entry]) -> None:
        """Note facts; one that cannot be told is passed over, so that it does not end the others' announcements."""
        try:
            await self.note(entries)
        except Exception:
            if len(entries) == 1:
                log.exception("fact %d cannot be announced", entries[0].id)
                await self._clock.sleep(_PAUSE)
                await self._db.run_silent(store.queue, (), entries[0].id, self._clock.now())
                return
            for entry in entries:
                await self._note_all([entry])

    async def _speak(self) -> None:
        while True:
            self._wake.clear()
            try:
                async with asyncio.timeout(await self.speak()):
                    await self._wake.wait()
            except TimeoutError:
                continue


def _same(where: Where, heard: Heard) -> bool:
    return where[0] == heard.network and folded(where[1]) == folded(heard.channel)
