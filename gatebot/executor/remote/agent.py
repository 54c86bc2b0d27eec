# SPDX-License-Identifier: Apache-2.0
"""What an executor on another machine does all day: say that it lives, take what it is offered, end what it lost.

Nobody answered for ten seconds: it ends its builds itself, because the server gives them away after twenty; after a
farewell of the server both are later (`leases.py`). The pause is counted from when the last answered beat was sent, by
a clock that goes on while the process is stopped.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import cast

from ...assignment import Assignment, Json
from ...clock import Clock
from ...errors import Conflict, NotFound, Unavailable
from ...keys import boxes
from ..fleet.leases import Answered, patience
from ..fleet.model import BEAT_SECONDS, Answer, Beat, Claimed, Verb, Word, about_secrets
from ..nodes.terminal import converse
from ..service import Executor
from .line import Line
from .server import Server, words_of
from .uplink import Uplink

log = logging.getLogger(__name__)
_AGAIN = 1.0


@dataclass(slots=True)
class Agent:
    """`beat` tells what this executor can, `key` opens what is sealed for it, `labels` takes what the site says."""

    server: Server
    line: Line
    executor: Executor
    uplink: Uplink
    clock: Clock
    key: bytes
    beat: Callable[[], Beat]
    labels: Callable[[Mapping[str, Mapping[str, str | int | float | bool]]], None]
    _answered: Answered | None = None
    _taking: dict[str, int] = field(default_factory=dict[str, int])
    _ending: dict[str, int] = field(default_factory=dict[str, int])
    _gone: frozenset[str] = frozenset()
    _sweeping: asyncio.Task[None] | None = None
    _visits: set[asyncio.Task[None]] = field(default_factory=set[asyncio.Task[None]])

    async def run(self) -> None:
        """Go on for ever; cancel it to stop. Raises `Unauthenticated` when the site does not know us any more."""
        hearing = asyncio.create_task(self._hear(), name="words of the server")
        beating = asyncio.create_task(self._beat_on(), name="beats")
        try:
            done, _ = await asyncio.wait({hearing, beating}, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        finally:
            working = (hearing, beating, *self._visits, *(() if self._sweeping is None else (self._sweeping,)))
            for task in working:
                task.cancel()
            await asyncio.gather(*working, return_exceptions=True)
            await self.line.close()

    # -- words of the server

    async def _hear(self) -> None:
        """Be connected, again and again."""
        while True:
            try:
                session = await self.server.session()
                await self.line.connect(session, self._word)
                await self.beat_once()
                await self.line.closed()
                log.info("the connection to %s is lost", session.nats)
            except Unavailable as problem:
                log.warning("%s", words_of(problem))
            await self.clock.sleep(_AGAIN)

    async def _word(self, word: Word) -> bool:
        """Do what a word says; whether it need not be said again."""
        match word.verb:
            case Verb.OFFER:
                return await self._take(word.build, word.fence)
            case Verb.ABORT:
                self._ending[word.build] = word.fence
                await self.executor.abort(word.build, word.fence, word.why)
            case Verb.RESUME:
                await self.executor.resume(word.build, word.fence)
            case Verb.GRANT:
                await self.executor.grant(word.build, word.fence, word.names)
            case Verb.LET_GO:
                await self.beat_once()  # its answer says so
            case Verb.PART:
                await self.beat_once()  # its answer says so
                await self.beat_once()  # and this, that we know
            case Verb.VISIT:
                visit = asyncio.create_task(self._visit(*word.names), name=f"visit of {word.build}")
                self._visits.add(visit)
                visit.add_done_callback(self._visits.discard)
        return True

    async def _take(self, build: str, fence: int) -> bool:
        """Claim a build and begin it; one that we have, or are about to have, is not claimed twice."""
        have = max(self.uplink.runs.get(build, 0), self._taking.get(build, 0))
        if have >= fence:
            return True
        self._taking[build] = fence
        try:
            if have:
                await self._drop(build)
            claimed = await self.server.claim(build, fence)
            self.labels(claimed.labels)
            self.uplink.begin(build, fence, claimed.token)
            await self.executor.assign(self._opened(claimed))
        except (Conflict, NotFound) as refusal:
            log.info("build %s is not ours: %s", build, words_of(refusal))
        except Unavailable as problem:
            log.warning("build %s cannot be claimed now: %s", build, words_of(problem))
            return False
        finally:
            del self._taking[build]
        return True

    async def _visit(self, node: str, visit: str) -> None:
        """Let somebody into a node that is kept here."""
        try:
            async with self.server.visit(visit) as socket:
                log.info("somebody enters the node %s", node)
                await converse(socket, partial(self.executor.held.enter, node))
        except Unavailable as problem:
            log.warning("the visit of the node %s is over: %s", node, words_of(problem))

    def _opened(self, claimed: Claimed) -> Assignment:
        given = claimed.assignment
        box = boxes.decrypt(self.key, about_secrets(given.build, given.fence), claimed.box)
        told = cast("dict[str, Mapping[str, Json]]", json.loads(box))
        return replace(given, secrets=told["secrets"], secret_data=told["secret_data"])

    # -- that it lives

    async def _beat_on(self) -> None:
        while True:
            await self.beat_once()
            await self.clock.sleep(BEAT_SECONDS)

    async def beat_once(self) -> None:
        """Say that we live, and end what is not ours any more, or was not answered for too long."""
        await self._end_if_silent()
        sent = self.clock.now()
        try:
            answer: Answer = await self.line.beat(self._beat())
        except Unavailable:
            await self._end_if_silent()
            return
        told = Answered(sent, answer.parting)
        self._answered = told if self._answered is None else self._answered.newer(told)
        for build in answer.lost:
            log.warning("build %s is not ours any more: it is ended", build)
            await self._drop(build)
        self._ending = {build: fence for build, fence in self._ending.items() if build in self.uplink.runs}
        for word in answer.again:
            if self._ending.get(word.build) != word.fence:  # a second abort would cut short what cleans up
                await self._word(word)
        self._hold(answer)
        if not answer.known:
            await self.line.close()  # the next session says why

    def _beat(self) -> Beat:
        held = tuple(self.executor.held.kept)
        excused = self._answered is not None and self._answered.parting
        return replace(self.beat(), builds=self.uplink.runs, held=held, gone=tuple(self._gone), excused=excused)

    def _hold(self, answer: Answer) -> None:
        """Nodes that may go are taken away, meanwhile; those that are not here are told of in the next beat."""
        self._gone = frozenset(answer.held).difference(self.executor.held.kept, self.uplink.runs)
        self.uplink.over = frozenset(answer.over)
        if self.uplink.over and (self._sweeping is None or self._sweeping.done()):
            self._sweeping = asyncio.create_task(self._sweep(), name="kept nodes that may go")

    async def _sweep(self) -> None:
        had = frozenset(self.executor.held.kept)
        await self.executor.held.sweep()
        self._gone |= had.difference(self.executor.held.kept)
        await self.beat_once()

    async def _end_if_silent(self) -> None:
        now = self.clock.now()
        if self._answered is None:
            self._answered = Answered(now)
        if not self._answered.over(now):
            return
        for build in tuple(self.uplink.runs):
            log.warning("nobody answered for %s seconds: build %s is ended", patience(self._answered.parting), build)
            await self._drop(build)

    async def _drop(self, build: str) -> None:
        fence = self.uplink.runs.get(build, 0)
        self.uplink.drop(build)  # first: nothing more is said of it
        await self.executor.abort(build, fence, at_once=True)
