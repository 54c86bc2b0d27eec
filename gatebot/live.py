# SPDX-License-Identifier: Apache-2.0
"""News for open pages: one server-sent stream per page, resumed by journal id.

A page names topics (`change/12`, `project/demo/api`, `kind/LineSaid`, `queue`); the stream says only
that something of these topics changed, and the page fetches itself again. So a reader who may not
see a thing learns no more than by loading the page. Slow readers are dropped; they resume from
`Last-Event-ID` and lose nothing.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable

from aiohttp import hdrs, web

from .errors import Invalid
from .journal import Entry, Journal

_PATIENCE = 15.0  # seconds between signs of life, under the idle limits of common proxies
_SLOW = 10.0  # seconds a reader may take for one piece

#: What topics a fact belongs to, besides its own subject: set by app.py, so that a page can follow
#: "the queue" without knowing the facts of the pipeline.
Topics = Callable[[Entry], Iterable[str]]


class Live:
    """The `/live` address; one journal follower serves all readers."""

    def __init__(self, journal: Journal, topics: Topics) -> None:
        self._journal = journal
        self._topics = topics
        self.closing = asyncio.Event()

    def routes(self) -> list[web.RouteDef]:
        """The one route."""
        return [web.get("/live", self._stream)]

    async def _stream(self, request: web.Request) -> web.StreamResponse:
        wanted = frozenset(topic for topic in request.query.get("topics", "").split(",") if topic)
        if not wanted or len(wanted) > 50:
            raise Invalid("Name 1 to 50 topics: /live?topics=change/12,queue")
        answer = web.StreamResponse(headers={hdrs.CONTENT_TYPE: "text/event-stream", hdrs.CACHE_CONTROL: "no-store"})
        answer.headers["X-Accel-Buffering"] = "no"
        since = await self._since(request)
        await answer.prepare(request)
        try:
            await _send(answer, f"retry: 1000\nid: {since}\n\n")
            await self._run(answer, wanted, since)
        except (ConnectionResetError, TimeoutError):
            pass  # gone or too slow: the browser comes back with its last id
        return answer

    async def _since(self, request: web.Request) -> int:
        given = request.headers.get("Last-Event-ID") or request.query.get("since") or ""
        last = await self._journal.last()
        return min(int(given), last) if given.isdigit() else last

    async def _run(self, answer: web.StreamResponse, wanted: frozenset[str], since: int) -> None:
        while not self.closing.is_set():
            entries = await self._journal.read(since, limit=500)
            if not entries:
                if not await self._journal.wait(since, timeout=_PATIENCE):
                    await _send(answer, ": still here\n\n")
                continue
            since = entries[-1].id
            if any(wanted.intersection(self._topics(entry)) for entry in entries):
                await _send(answer, f"event: changed\nid: {since}\ndata: {since}\n\n")


async def _send(answer: web.StreamResponse, text: str) -> None:
    async with asyncio.timeout(_SLOW):
        await answer.write(text.encode())
