# SPDX-License-Identifier: Apache-2.0
"""Threads that carry out database calls: the way from the event loop to a synchronous engine and back.

Here live the queue, the threads and the hand-over of results. What a transaction is, and on which
engine, lives in `db_sqlite.py` and `db_postgres.py`. A lane costs two thread switches a call and
nothing else: no executor, no future of a future.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import threading
from collections.abc import Callable
from contextlib import suppress
from queue import Empty, SimpleQueue
from typing import TypeVar, cast

from sqlalchemy import Connection

from .errors import Unavailable
from .reasons import reason
from .words import say

T = TypeVar("T")

_CLOSED = reason("hall.database-closed")


class Work:
    """One call that waits for its turn, and whoever waits for its result."""

    __slots__ = ("_future", "_loop", "call")

    def __init__(
        self,
        call: Callable[[Connection], object],
        future: asyncio.Future[object] | concurrent.futures.Future[object],
        loop: asyncio.AbstractEventLoop | None,
    ) -> None:
        self.call = call
        self._future = future
        self._loop = loop

    def finish(self, result: object = None, error: BaseException | None = None) -> None:
        """Hand the outcome over; whoever no longer waits (cancelled, loop closed) is not disturbed."""
        if self._loop is None:
            self._settle(result, error)
        else:
            with suppress(RuntimeError):
                self._loop.call_soon_threadsafe(self._settle, result, error)

    def _settle(self, result: object, error: BaseException | None) -> None:
        if self._future.done():
            return
        if error is None:
            self._future.set_result(result)
        else:
            self._future.set_exception(error)


class Lane:
    """A queue of calls and the threads that serve it; `serve` is one thread's whole life."""

    def __init__(self, name: str, threads: int, serve: Callable[[Lane], None]) -> None:
        self._queue: SimpleQueue[Work | None] = SimpleQueue()
        self._closing = threading.Lock()
        self._closed = False
        self._threads = [
            threading.Thread(target=serve, args=(self,), name=f"{name}-{number}", daemon=True)
            for number in range(threads)
        ]
        for thread in self._threads:
            thread.start()

    async def call(self, call: Callable[[Connection], T]) -> T:
        """Queue a call and wait without blocking the loop; once queued it is carried out, even if the waiter leaves."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[object] = loop.create_future()
        self._put(Work(call, future, loop))
        return cast(T, await future)

    def call_now(self, call: Callable[[Connection], T]) -> T:
        """The same from a thread that may block: never the loop's, never one of the lane's own."""
        if threading.current_thread() in self._threads:
            raise RuntimeError("a transaction asked for another one: pass its session along instead")
        if _loop_runs_here():
            raise RuntimeError("the event loop's thread must not block: await run() or read() instead")
        future: concurrent.futures.Future[object] = concurrent.futures.Future()
        self._put(Work(call, future, None))
        return cast(T, future.result())

    def take(self) -> Work | None:
        """The next call, or None when the lane is closed and empty. Blocks; for the lane's threads."""
        work = self._queue.get()
        if work is None:
            self._queue.put(None)
        return work

    def more(self) -> Work | None:
        """The next call if one already waits. Never blocks; for the lane's threads."""
        try:
            work = self._queue.get_nowait()
        except Empty:
            return None
        if work is None:
            self._queue.put(None)
        return work

    def close(self) -> None:
        """Carry out what is queued, then end the threads."""
        with self._closing:
            if not self._closed:
                self._closed = True
                self._queue.put(None)
        for thread in self._threads:
            thread.join()

    def _put(self, work: Work) -> None:
        with self._closing:
            if self._closed:
                raise Unavailable(say(_CLOSED), reason=_CLOSED)
            self._queue.put(work)


def _loop_runs_here() -> bool:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True
