# SPDX-License-Identifier: Apache-2.0
"""`gerrit stream-events`: what happens, as it happens; with `--since-id` also what has happened.

Each reader has his own place in the journal, so a slow one loses nothing. Rights are looked at anew with every batch.
"""

from __future__ import annotations

import asyncio
import contextlib

from ...access import SITE, Actor, Verb, may
from ...errors import NotPermitted
from ...identity import Identity
from ...journal import Journal
from ...reasons import reason
from ..room import ReviewRoom
from . import arguments, happenings
from .arguments import Option
from .model import Call, Failed
from .querying import line
from .telling import Telling

_OPTIONS = (
    Option(("--subscribe", "-s"), "TYPE", "subscribe to specific stream-events"),
    Option(("--since-id",), "ID", "begin behind the event with this `eventId`, instead of now"),
)
#: gerritlib hears one event each time that something arrives: what happens together is sent a little apart.
_APART = 0.02
_INTERRUPTED = 130


class Streaming:
    """Tells events as they come."""

    def __init__(self, journal: Journal, identity: Identity, room: ReviewRoom, telling: Telling) -> None:
        self._journal = journal
        self._identity = identity
        self._room = room
        self._telling = telling

    async def run(self, call: Call) -> None:
        """The command; it ends when the reader goes, or presses Ctrl-C."""
        given = arguments.read(_OPTIONS, call.words)
        if given.has(arguments.HELP):
            raise Failed(arguments.usage("gerrit stream-events", "", _OPTIONS))
        self._require(call.actor)
        now = await self._journal.last()
        after = min(given.number("--since-id"), now) if given.all("--since-id") else now
        telling = asyncio.create_task(self._tell(call, frozenset(given.all("--subscribe")), after, now))
        leaving = asyncio.create_task(call.terminal.interrupted())
        try:
            await asyncio.wait({telling, leaving}, return_when=asyncio.FIRST_COMPLETED)
            if telling.done():
                await telling
        finally:
            for task in (telling, leaving):
                task.cancel()
                with contextlib.suppress(asyncio.CancelledError, Exception):
                    await task
        raise Failed("", _INTERRUPTED)

    def _require(self, actor: Actor) -> None:
        if not may(actor, Verb.STREAM_EVENTS, SITE, self._room.rules):
            what = {"username": actor.username, "capability": "stream events"}
            raise NotPermitted(reason=reason("review.no-capability", **what))

    async def _tell(self, call: Call, wanted: frozenset[str], after: int, now: int) -> None:
        async for entries in self._journal.follow(after, happenings.KINDS):
            account = await self._identity.by_id(call.account.id)
            if account is None or not account.active:
                raise Failed("fatal: This account is not active any more; ask an administrator of this site.")
            actor = Call(account, (), call.terminal).actor
            self._require(actor)
            async for id, told in self._telling.events(actor, entries):
                if wanted and told["type"] not in wanted:
                    continue
                await call.terminal.say(line(told))
                if id > now:
                    await asyncio.sleep(_APART)
