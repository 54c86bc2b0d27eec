# SPDX-License-Identifier: Apache-2.0
"""News for open pages: one server-sent stream per page, resumed by journal id.

A page names topics (`change/12`, `project/demo/api`, `kind/LineSaid`, `queue`); the stream says only
that something of these topics changed, and the page fetches itself again. So a reader who may not
see a thing learns no more than by loading the page. Slow readers are dropped; they resume from
`Last-Event-ID` and lose nothing.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterable

from aiohttp import hdrs, web

from .errors import Invalid
from .journal import Entry, Journal

_PATIENCE = 15.0  # seconds between signs of life, under the idle limits of common proxies
_SLOW = 10.0  # seconds a reader may take for one piece
_KEPT = 5_000  # facts remembered for readers that come back

#: What topics a fact belongs to, besides its own subject: set by app.py, so that a page can follow
#: "the queue" without knowing the facts of the pipeline.
Topics = Callable[[Entry], Iterable[str]]


class Live:
    """The `/live` address; one journal follower serves all readers."""

    def __init__(self, journal: Journal, topics: Topics) -> None:
        self._journal = journal
        self._topics = topics
        self._recent: deque[tuple[int, frozenset[str]]] = deque(maxlen=_KEPT)
        self._last = 0
        self._news = asyncio.Event()
        self._closed = False

    def routes(self) -> list[web.RouteDef]:
        """The one route."""
        return [web.get("/live", self._stream)]

    def last(self) -> int:
        """The newest fact that this process knows of."""
        return self._last

    async def run(self) -> None:
        """Follow the journal for ever."""
        self._last = await self._journal.last()
        async for entries in self._journal.follow(self._last):
            self._recent.extend((entry.id, frozenset(self._topics(entry))) for entry in entries)
            self._last = entries[-1].id
            self._wake()

    def attach(self, app: web.Application) -> None:
        """Run with an application; the streams end before the server waits for its connections."""
        app.cleanup_ctx.append(self._context)
        app.on_shutdown.append(self._shutdown)

    async def _context(self, _app: web.Application) -> AsyncIterator[None]:
        task = asyncio.create_task(self.run())
        yield
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    async def _shutdown(self, _app: web.Application) -> None:
        self.close()

    def close(self) -> None:
        """End all streams: the server is going; browsers come back to the next one."""
        self._closed = True
        self._wake()

    async def _stream(self, request: web.Request) -> web.StreamResponse:
        wanted = frozenset(topic for topic in request.query.get("topics", "").split(",") if topic)
        if not wanted or len(wanted) > 50:
            raise Invalid("Name 1 to 50 topics: /live?topics=change/12,queue")
        answer = web.StreamResponse(headers={hdrs.CONTENT_TYPE: "text/event-stream", hdrs.CACHE_CONTROL: "no-store"})
        answer.headers["X-Accel-Buffering"] = "no"
        given = request.headers.get("Last-Event-ID") or request.query.get("since") or ""
        since = min(int(given), self._last) if given.isdigit() else self._last
        await answer.prepare(request)
        try:
            await _send(answer, f"retry: 1000\nid: {since}\n\n")
            await self._tell(answer, wanted, since)
        except (ConnectionResetError, TimeoutError):
            pass  # gone or too slow: the browser comes back with its last id
        return answer

    async def _tell(self, answer: web.StreamResponse, wanted: frozenset[str], since: int) -> None:
        while not self._closed:
            news = self._news
            if self._touched(wanted, since):
                await _send(answer, f"event: changed\nid: {self._last}\ndata: {self._last}\n\n")
            since = max(since, self._last)
            try:
                async with asyncio.timeout(_PATIENCE):
                    await news.wait()
            except TimeoutError:
                await _send(answer, ": still here\n\n")

    def _touched(self, wanted: frozenset[str], since: int) -> bool:
        """Whether something wanted came after `since`; yes when that is longer ago than we remember."""
        if since >= self._last:
            return False
        if not self._recent or self._recent[0][0] > since + 1:
            return True
        return any(id > since and not wanted.isdisjoint(topics) for id, topics in self._recent)

    def _wake(self) -> None:
        waiting, self._news = self._news, asyncio.Event()
        waiting.set()


async def _send(answer: web.StreamResponse, text: str) -> None:
    async with asyncio.timeout(_SLOW):
        await answer.write(text.encode())
