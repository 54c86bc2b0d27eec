# SPDX-License-Identifier: Apache-2.0
"""Boards at work: reads commands of their channels from the journal, and those that are said to the bot alone.

A command in a channel is a stored line; the reader's place moves in the transaction that keeps what it does. Answers
and notices to subscribers go out once that is kept.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from datetime import datetime, timedelta

from ...clock import Clock
from ...db import Database
from ...events import LineSaid
from ...journal import Entry, Journal
from ..heeding import store as heeding
from ..heeding.service import heed
from ..model import Line, LineKind, Priority, Reply
from ..names import folded
from ..sisters.asking import OBEYED, too_much
from ..sisters.patience import Patience
from ..store import Heard
from . import deciding, reading, store
from .model import Answer, Event
from .ports import World
from .reading import Said

log = logging.getLogger(__name__)

_WAITING = 50
_MINE = (6, 0.25)
_FRESH = timedelta(minutes=2)
_SELDOM = timedelta(hours=1)
_Whisper = tuple[str, Line, Said]


class Boards:
    """The boards of a site; `site` is its address."""

    def __init__(
        self, db: Database, journal: Journal, clock: Clock, events: Sequence[Event], world: World, site: str
    ) -> None:
        self._db = db
        self._journal = journal
        self._clock = clock
        self._events = tuple(events)
        self._world = world
        self._site = site
        self._patience = Patience(_MINE)
        self._told: dict[tuple[str, str, str], datetime] = {}
        self._whispers: asyncio.Queue[_Whisper] = asyncio.Queue(_WAITING)

    def heard(self, heard: Heard) -> None:
        """A line of a channel. What is said to a board is read from the journal, once it is kept; here who says it
        where there is none is told so, once an hour."""
        line, now = heard.line, self._clock.now()
        where = (heard.network, folded(heard.channel))
        fresh = line.kind is LineKind.SAID and not line.own and now - line.at < _FRESH
        if not fresh or any(_place(one) == where for one in self._events):
            return
        tracks = {track for one in self._events for track in one.tracks}
        command, who = reading.elsewhere(line.text, tracks), (*where, line.nick.lower())
        if not command or now - self._told.get(who, now - _SELDOM) < _SELDOM:
            return
        self._told = {key: at for key, at in self._told.items() if now - at < _SELDOM} | {who: now}
        channels = [one.channel for one in self._events if one.network == heard.network]
        if reply := self._within_patience(deciding.nowhere(command, channels, self._site), *where, line.nick):
            self._world.send(heard.network, heard.channel, Reply(f"{line.nick}: {reply}"), Priority.ANSWER)

    def whispered(self, network: str, line: Line) -> bool:
        """What people say to the bot alone: where they are, and what they want to be told."""
        said = reading.whispered(line.text)
        if said is None or not any(one.network == network for one in self._events):
            return False
        if not self._whispers.full():
            self._whispers.put_nowait((network, line, said))
        return True

    async def run(self) -> None:
        """Work for ever."""
        place = await self._db.run_silent(
            lambda session: heeding.begin(session, store.READER, leading=bool(self._events))
        )
        if not self._events:
            await asyncio.Event().wait()  # a part of the site that ends would end the site
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(heed(self._db, self._journal, self._clock, store.READER, place, self.note))
            tasks.create_task(self._answer_whispers())

    async def note(self, entry: Entry) -> None:
        """Carry out the command that a line of a board's channel is, if it is one."""
        fact = entry.event
        if not isinstance(fact, LineSaid) or self._clock.now() - entry.at > OBEYED:
            return
        event = next((one for one in self._events if _place(one) == (fact.network, folded(fact.channel))), None)
        said = reading.said(fact.text) if event is not None else None
        line = await self._db.read(heeding.said, fact.line) if said is not None else None
        if event is None or said is None or line is None:
            return
        who = await self._world.speaker(fact.network, line)
        answer = await self._db.run(store.take, event, said, who, line.at, self._site, line.id, entry.id)
        if answer is not None:
            self._tell(answer)
            if reply := self._within_patience(answer.reply, fact.network, fact.channel, line.nick):
                self._world.send(fact.network, fact.channel, Reply(f"{line.nick}: {reply}"), Priority.ANSWER)

    async def whisper(self, network: str, line: Line, said: Said) -> None:
        """Carry out a command that was said to the bot alone: it is about the first board of the network."""
        event = next(one for one in self._events if one.network == network)
        who = await self._world.speaker(network, line)
        answer = await self._db.run(store.take, event, said, who, self._clock.now(), self._site)
        reply = self._within_patience(answer.reply, network, "", line.nick) if answer is not None else ""
        if reply:
            self._world.send(network, line.nick, Reply(reply), Priority.ANSWER)

    def _within_patience(self, reply: str, network: str, channel: str, nick: str) -> str:
        """What of an answer is said; what was done stays done."""
        if not reply:
            return ""
        self._patience, turn = self._patience.ask(network, channel, nick, self._clock.now().timestamp())
        if turn.answered:
            return reply
        return too_much(turn.again, str) if turn.again else ""

    def _tell(self, answer: Answer) -> None:
        for network, nick, text in answer.told:
            self._world.send(network, nick, Reply(text), Priority.NEWS)

    async def _answer_whispers(self) -> None:
        while True:
            network, line, said = await self._whispers.get()
            try:
                await self.whisper(network, line, said)
            except Exception:
                log.exception("what somebody said alone did nothing to a board")


def _place(event: Event) -> tuple[str, str]:
    return event.network, folded(event.channel)
