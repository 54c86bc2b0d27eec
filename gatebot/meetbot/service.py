# SPDX-License-Identifier: Apache-2.0
"""The meetbot at work: lines go into the archive first, then into their meeting, then the answers go out.

One task takes what all networks heard, in order, in batches of one transaction; a line that was taken in is
never lost, and a restart goes on with the stored state. When a meeting ends its files are written before the
bot says where they are.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from sqlalchemy.exc import InternalError, ProgrammingError

from ..clock import Clock
from ..db import AWAY, Database
from . import archive, store
from .commands import parting
from .memory import store as register
from .minutes.render import FORMATS, render
from .model import Act, EntryKind, Priority, Reply, Setting
from .ports import Speaker
from .sisters.announcing import is_said
from .store import Heard, Outcome

log = logging.getLogger(__name__)

_BATCH = 1000
_PAUSE = 2.0
_PROMISED = timedelta(hours=1)  # how long after its end a meeting's last words are still news
_SETTLED = 20  # meetings whose files are looked for at start


class Meetbot:
    """Takes in lines, answers, and keeps minutes below `root`."""

    def __init__(self, db: Database, root: Path, ways: Setting, clock: Clock) -> None:
        """`ways` tells the prefix of the minutes' addresses and what the bot says about itself."""
        self._db = db
        self._root = root
        self.ways = ways
        self._clock = clock
        self._speakers: dict[str, Speaker] = {}
        self._heard: asyncio.Queue[Heard] = asyncio.Queue()
        self._writing = asyncio.Lock()
        self._stuck = 0

    def plug(self, network: str, speaker: Speaker) -> None:
        """Answers for a network go to this speaker."""
        self._speakers[network] = speaker

    def speaker(self, network: str) -> Speaker | None:
        """Who speaks on a network."""
        return self._speakers.get(network)

    def say(self, network: str, channel: str, text: str, priority: Priority = Priority.NEWS) -> None:
        """Say something in a channel of a network; on a network that is not there nothing is said."""
        if (speaker := self._speakers.get(network)) is not None:
            speaker.send(channel, Reply(text), priority)

    def hear(self, heard: Heard) -> None:
        """Take a line; called in the event loop, returns at once."""
        self._heard.put_nowait(heard)

    def stuck(self) -> int:
        """How many lines wait for a database that does not take them."""
        return self._stuck and self._stuck + self._heard.qsize()

    async def run(self) -> None:
        """Work for ever."""
        await self._settle()
        while True:
            batch = [await self._heard.get()]
            while not self._heard.empty() and len(batch) < _BATCH:
                batch.append(self._heard.get_nowait())
            await self._take_in(batch)
            for _ in batch:
                self._heard.task_done()

    async def _settle(self) -> None:
        """Do what the last end of the site came before: minutes of meetings that are over, and their last words."""
        try:
            for over in await self._db.read(archive.over, _SETTLED):
                if not await asyncio.to_thread((self._root / f"{over.location}.html").is_file):
                    await self._write(over.id)
            for one in await self._db.read(archive.partings, self._clock.now() - _PROMISED):
                self._part(one)
        except Exception:
            log.exception("it could not be looked what the last end of the site came before")

    def _part(self, one: archive.Parting) -> None:
        """Say what of a meeting's last words did not go out any more; it gives the topic back before all of them."""
        speaker = self._speakers.get(one.network)
        if speaker is None or one.state.lurking:
            return
        replies = parting(one.state, one.ended, one.location, self.ways)
        words = [reply for reply in replies if reply.act is Act.SAY]
        left = [reply for reply in words if not any(is_said(reply.text, text) for text in one.said)]
        for reply in replies if left == words else left:
            speaker.send(one.state.channel, reply)

    async def settled(self) -> None:
        """Wait until everything heard so far is stored and answered."""
        await self._heard.join()

    async def _take_in(self, batch: list[Heard]) -> None:
        """Store a batch, and try again while the database is away; then answer.

        What one line breaks, the others must not pay for: they are taken in one by one then, and that line is kept in
        the log of its channel alone.
        """
        while True:
            try:
                outcomes = await self._db.run(store.take_in, batch, self.ways)
                break
            except AWAY as error:
                log.warning("lines could not be stored (%s); trying again in %.0f s", error, _PAUSE)
                self._stuck = len(batch)
                await self._clock.sleep(_PAUSE)
            except Exception:
                if len(batch) == 1:
                    log.exception("a line did nothing to its meeting: %r", batch[0].line)
                    await self._keep(batch[0])
                    return
                for one in batch:
                    await self._take_in([one])
                return
        self._stuck = 0
        for outcome in outcomes:
            await self._answer(outcome)

    async def _keep(self, heard: Heard) -> None:
        """Store a line that no meeting can take; only what the database refuses for its own sake is passed over."""
        while True:
            try:
                await self._db.run_silent(store.append_lines, heard.network, heard.channel, [heard.line])
                return
            except (*AWAY, InternalError, ProgrammingError) as error:
                log.warning("a line could not be stored (%s); trying again in %.0f s", error, _PAUSE)
                await self._clock.sleep(_PAUSE)
            except Exception:
                log.exception("a line cannot be stored: %r", heard.line)
                return

    async def _answer(self, outcome: Outcome) -> None:
        if outcome.left:
            await self._forget(outcome.left)
        if outcome.written is not None:
            await self._write(outcome.written)
        speaker = self._speakers.get(outcome.heard.network)
        for reply in outcome.replies if speaker else ():
            assert speaker is not None
            priority = Priority.ASIDE if reply.aside else Priority.MEETING
            speaker.send(reply.to or outcome.heard.channel, reply, priority)

    async def _write(self, meeting: int) -> None:
        """Write minutes, and go on where that fails: pages make them from the record as well, so nothing is lost."""
        try:
            await self.write_minutes(meeting)
        except Exception:
            log.exception("the minutes of meeting %d could not be written; its pages show them all the same", meeting)

    async def write_minutes(self, meeting: int, *, anew: bool = True) -> None:
        """Write the files of a meeting's minutes from its record: all, or those missing; one after the other."""
        async with self._writing:
            files, restricted, people = await self._db.read(self._render, meeting)
            await self._db.run_silent(register.assign, meeting, people)
            if not anew:
                files = {name: text for name, text in files.items() if not (self._root / name).exists()}
            await asyncio.to_thread(_write, self._root, files, restricted)

    async def _forget(self, location: str) -> None:
        """Take away the files of minutes that are elsewhere now: nobody would keep them true."""
        async with self._writing:
            for ending in FORMATS:
                path = self._root / f"{location}{ending}"
                with contextlib.suppress(OSError):
                    await asyncio.to_thread(path.unlink, missing_ok=True)

    def _render(
        self, session: store.Session, meeting: int
    ) -> tuple[dict[str, str], bool, dict[int, tuple[str, ...]]]:  # fmt: skip
        """The files by their names, whether they are restricted, and whom each action names."""
        found = archive.meeting(session, meeting)
        assert found is not None
        minutes = archive.minutes(session, found, self.ways)
        files = render(minutes, replace(self.ways, location=found.location))
        people: dict[int, tuple[str, ...]] = {}
        for place, item in zip(minutes.places, minutes.items, strict=True):
            if item.kind is EntryKind.ACTION:
                named = tuple(nick for nick, own in minutes.by_person if any(one is item for one in own))
                people[register.line_of(item, place)] = named
        return {found.location + ending: text for ending, text in files.items()}, minutes.restricted, people


def _write(root: Path, files: dict[str, str], restricted: bool) -> None:
    """Each file whole or not at all."""
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        draft = path.with_name(path.name + ".new")
        draft.unlink(missing_ok=True)
        draft.touch(0o600)  # nobody reads what is restricted before it is known to be
        draft.write_text(text, encoding="utf-8")
        draft.chmod(0o600 if restricted else 0o644)
        os.replace(draft, path)
