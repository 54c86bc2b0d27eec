# SPDX-License-Identifier: Apache-2.0
"""A real HTTP server that is told events, keeps what it took, and answers as a test says."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web
from aiohttp.test_utils import TestServer

from tests.fakes.irc import free_port


@dataclass
class HookServer:
    """What it answers next, then 200 for ever; 0: nothing at all. `came` is every request, `taken` what it accepted."""

    answers: list[int] = field(default_factory=list[int])
    came: list[tuple[dict[str, str], bytes]] = field(default_factory=list[tuple[dict[str, str], bytes]])
    taken: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    port: int = field(default_factory=free_port)
    _server: TestServer | None = None
    _took: asyncio.Event = field(default_factory=asyncio.Event)

    async def start(self) -> None:
        """Listen, on the same port as before."""
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", self._answer)
        self._server = TestServer(app, host="127.0.0.1", port=self.port)
        await self._server.start_server()

    async def stop(self) -> None:
        """Be away."""
        if self._server is not None:
            await self._server.close()
            self._server = None

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.port}/hook?key=in-the-url"

    async def heard(self) -> None:
        """Wait until it takes something, or has since this was last asked."""
        await self._took.wait()
        self._took.clear()

    @property
    def types(self) -> list[str]:
        """The types of the events that it took."""
        return [event["type"] for event in self.taken]

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        body = await request.read()
        self.came.append((dict(request.headers), body))
        status = self.answers.pop(0) if self.answers else 200
        if not status:
            await asyncio.Event().wait()
        if 200 <= status < 300:
            self.taken.append(json.loads(body))
            self._took.set()
        return web.Response(status=status, headers={"Location": "/elsewhere"} if status // 100 == 3 else {})
