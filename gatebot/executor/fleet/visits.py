# SPDX-License-Identifier: Apache-2.0
"""People in kept nodes of other machines: the executor is told that somebody is there, and connects outwards for it.

Here both ends of a visit meet, and what comes from one goes to the other unread. Who may come in was asked before.
"""

from __future__ import annotations

import asyncio
import secrets
from dataclasses import dataclass, field

from aiohttp import WSMsgType, web

from ...errors import Conflict, NotFound
from ...reasons import reason
from ..model import MIB
from . import store
from .fleet import Fleet
from .model import EXECUTOR, VISITS, Verb, Word
from .roster import alive
from .service import Enrolment

_PATIENCE = 15.0
_HEARTBEAT = 20.0


@dataclass(frozen=True, slots=True)
class _Expected:
    """An executor that was told of a visit; `come` is its end of it, until `over`."""

    executor: str
    come: asyncio.Future[web.WebSocketResponse]
    over: asyncio.Event


@dataclass(frozen=True, slots=True)
class Visits:
    """All visits of nodes on other machines."""

    fleet: Fleet
    _expected: dict[str, _Expected] = field(default_factory=dict[str, _Expected])

    async def reached(self, executor: str, node: str) -> None:
        """Raises `Conflict` for a node whose executor is not there; one that a server before this one heard may be."""
        found = await self.fleet.db.read(store.find, executor)
        if found is None or not alive(found, self.fleet.clock.now()):
            raise Conflict(reason=reason("executor.node-away", node=node, executor=executor))

    async def guide(self, executor: str, node: str, visitor: web.WebSocketResponse) -> None:
        """Bring a visitor together with the executor of a node, until one of them leaves. Raises `Conflict`."""
        visit = secrets.token_hex(16)
        come: asyncio.Future[web.WebSocketResponse] = asyncio.get_running_loop().create_future()
        expected = self._expected[visit] = _Expected(executor, come, asyncio.Event())
        try:
            await self.fleet.say(executor, Word(Verb.VISIT, node.partition("-")[0], 0, (node, visit)))
            far = await asyncio.wait_for(come, _PATIENCE)
            await _join(visitor, far)
            await far.close()
        except TimeoutError:
            raise Conflict(reason=reason("executor.node-away", node=node, executor=executor)) from None
        finally:
            del self._expected[visit]
            expected.over.set()

    async def end(self, executor: str, build: str) -> None:
        """Tell an executor at once that kept nodes may go; it would hear it as the answer to its next beat."""
        await self.fleet.say(executor, Word(Verb.LET_GO, build, 0))

    async def welcome(self, executor: str, visit: str, request: web.Request) -> web.StreamResponse:
        """An executor comes for a visit that it was told of; once. Raises `NotFound`."""
        expected = self._expected.get(visit)
        if expected is None or expected.executor != executor or expected.come.done():
            raise NotFound(reason=reason("executor.no-visit"))
        socket = web.WebSocketResponse(heartbeat=_HEARTBEAT, max_msg_size=MIB)
        await socket.prepare(request)
        if not expected.come.done():
            expected.come.set_result(socket)
            await expected.over.wait()
        await socket.close()
        return socket


def routes(enrolment: Enrolment, visits: Visits) -> list[web.RouteDef]:
    """The way for executors."""

    async def come(request: web.Request) -> web.StreamResponse:
        known = await enrolment.known(request.headers.get(EXECUTOR, ""))
        return await visits.welcome(known.name, request.match_info["visit"], request)

    return [web.get(f"{VISITS}{{visit:[0-9a-f]{{32}}}}", come)]


async def _join(one: web.WebSocketResponse, other: web.WebSocketResponse) -> None:
    """Hand on what either says, as fast as the other takes it, until one has said all."""
    ways = {asyncio.create_task(_hand_on(one, other)), asyncio.create_task(_hand_on(other, one))}
    try:
        await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for way in ways:
            way.cancel()
        await asyncio.gather(*ways, return_exceptions=True)


async def _hand_on(source: web.WebSocketResponse, target: web.WebSocketResponse) -> None:
    async for message in source:
        if message.type is WSMsgType.BINARY:
            await target.send_bytes(message.data)
        elif message.type is WSMsgType.TEXT:
            await target.send_str(message.data)
