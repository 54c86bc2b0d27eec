# SPDX-License-Identifier: Apache-2.0
"""News for open pages: one server-sent stream per page, resumed by `JOURNAL ID:LOG OFFSET`.

A page names topics (`change/12`, `project/demo/api`, `queue`); the stream says only that something
of these topics changed, and the page fetches itself again. So a reader who may not see a thing
learns no more than by loading the page. The topic `log/BUILD` brings the text of a growing log.
Slow readers are dropped; they resume from `Last-Event-ID` and lose nothing. A browser has few connections to a host:
with `every=SECONDS` the answer ends when all is told, and says when to come back.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from dataclasses import dataclass
from typing import TypeAlias

import msgspec
from aiohttp import hdrs, web

from .errors import Invalid
from .journal import Entry, Journal

_PATIENCE = 15.0  # seconds between signs of life, under the idle limits of common proxies
_DIGITS = 15  # of a place in the journal or in a log
_RETRY = 1  # seconds until a browser that lost its stream comes back
_SELDOM = 60  # seconds at most until who asks again and again does so
_PAUSE = 0.2  # seconds without a piece of a log after which an answer that ends has told all
_BRIEF = 1.0  # seconds that such an answer takes at most
_SLOW = 10.0  # seconds a reader may take for one piece
_KEPT = 5_000  # facts remembered for readers that come back

#: What topics a fact belongs to, besides its own subject: set by app.py, so that a page can follow
#: "the queue" without knowing the facts of the pipeline.
Topics: TypeAlias = Callable[[Entry], Iterable[str]]
#: Those of some topics that the asker may follow: of what he may not see, he is told nothing.
Sees: TypeAlias = Callable[[web.Request, frozenset[str]], Awaitable[frozenset[str]]]
#: A growing log from an offset on, as (offset after the piece, text), for who may read it: plugged by app.py.
Piece: TypeAlias = tuple[int, str]
Feed: TypeAlias = Callable[[web.Request, str, int], Awaitable[AsyncIterator[Piece]]]
_FED = "log/"


class Live:
    """The `/live` address; one journal follower serves all readers."""

    def __init__(self, journal: Journal, topics: Topics, feed: Feed | None = None, sees: Sees | None = None) -> None:
        self._feed = feed
        self._sees = sees
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
        named = [topic for topic in request.query.get("topics", "").split(",") if topic]
        wanted = frozenset(topic for topic in named if not topic.startswith(_FED))
        fed = next((topic.removeprefix(_FED) for topic in named if topic.startswith(_FED)), "")
        if not named or len(named) > 50:
            raise Invalid("Name 1 to 50 topics: /live?topics=change/12,queue")
        every = request.query.get("every", "")
        if every and not (every.isascii() and every.isdecimal() and len(every) <= 2 and 1 <= int(every) <= _SELDOM):
            raise Invalid(f"every is the seconds until you ask again, 1 to {_SELDOM}: /live?topics=queue&every=3")
        if self._sees is not None:
            wanted = await self._sees(request, wanted)
        answer = web.StreamResponse(headers={hdrs.CONTENT_TYPE: "text/event-stream", hdrs.CACHE_CONTROL: "no-store"})
        answer.headers["X-Accel-Buffering"] = "no"
        reader = _Reader(answer, wanted, *self._place(request))
        pieces = await self._feed(request, fed, reader.offset) if fed and self._feed else _nothing()
        try:
            await answer.prepare(request)
            await reader.send(b"retry: %d000\n" % int(every or _RETRY))
            await self._tell(reader, pieces, (_PAUSE if fed else 0) if every else None)
        except ConnectionResetError:
            pass  # gone: the browser comes back with its last id
        except TimeoutError:
            if request.transport is not None:
                request.transport.abort()  # too slow to hear even that it is over
        return answer

    def _place(self, request: web.Request) -> tuple[int, int]:
        """Where a reader is: `Last-Event-ID`, or what the page said: the journal's id and the offset in a log."""
        said = (
            request.headers.get("Last-Event-ID")
            or f"{request.query.get('since', '')}:{request.query.get('offset', '')}"
        )
        since, _, offset = said.partition(":")
        return (
            min(int(since), self._last) if since.isdecimal() and len(since) <= _DIGITS else self._last,
            int(offset) if offset.isdecimal() and len(offset) <= _DIGITS else 0,
        )

    async def _tell(self, reader: _Reader, pieces: AsyncIterator[Piece], pause: float | None) -> None:
        """Tell news, and the log that is followed, until the reader goes; or until nothing came for a `pause`."""
        over = None if pause is None else asyncio.get_running_loop().time() + _BRIEF
        news: asyncio.Task[bool] = asyncio.ensure_future(self._news.wait())
        piece = asyncio.ensure_future(anext(pieces, None))
        waited: set[asyncio.Task[bool] | asyncio.Task[Piece | None]] = {news, piece}
        try:
            while not self._closed:
                latest = self._last
                if self._touched(reader.wanted, reader.since, latest):
                    await reader.send(f"event: changed\ndata: {latest}\n".encode(), since=latest)
                reader.since = max(reader.since, latest)
                patience = _PATIENCE if pause is None else pause
                done, _ = await asyncio.wait(waited, timeout=patience, return_when=asyncio.FIRST_COMPLETED)
                if not done:
                    await reader.send(b": still here\n")
                if over is not None and (not done or asyncio.get_running_loop().time() > over):
                    return
                if news in done:
                    waited.discard(news)
                    news = asyncio.ensure_future(self._news.wait())
                    waited.add(news)
                if piece in done:
                    waited.discard(piece)
                    told = piece.result()
                    if told is not None:
                        text = msgspec.json.encode(told[1])
                        await reader.send(b"event: log\ndata: %b\n" % text, offset=told[0])
                        piece = asyncio.ensure_future(anext(pieces, None))
                        waited.add(piece)
        finally:
            news.cancel()
            piece.cancel()

    def _touched(self, wanted: frozenset[str], since: int, latest: int) -> bool:
        """Whether something wanted came after `since`; yes when that is longer ago than we remember."""
        if since >= latest:
            return False
        if not self._recent or self._recent[0][0] > since + 1:
            return True
        return any(id > since and not wanted.isdisjoint(topics) for id, topics in self._recent)

    def _wake(self) -> None:
        waiting, self._news = self._news, asyncio.Event()
        waiting.set()


@dataclass(slots=True)
class _Reader:
    """One open page: what it wants, and how far it is. Every message carries the place to resume from."""

    answer: web.StreamResponse
    wanted: frozenset[str]
    since: int
    offset: int

    async def send(self, message: bytes, *, since: int | None = None, offset: int | None = None) -> None:
        self.since = self.since if since is None else since
        self.offset = self.offset if offset is None else offset
        async with asyncio.timeout(_SLOW):
            await self.answer.write(b"%bid: %d:%d\n\n" % (message, self.since, self.offset))


async def _nothing() -> AsyncIterator[Piece]:
    for piece in ():
        yield piece
