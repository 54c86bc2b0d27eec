# SPDX-License-Identifier: Apache-2.0
"""Brings what a build leaves to the server: its log while it grows, its files and its result when it ends.

Everything is said until the server took it, or until it says that the build is not ours: then the
answer is False, and the build is ended. A piece that was lost on the way is sent again from where the server is.
"""

from __future__ import annotations

import asyncio
import logging
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ...clock import Clock
from ...errors import Conflict, GatebotError, Invalid, NotFound, Unauthenticated, Unavailable
from ...events import BuildCompleted
from ..files.model import INDEX, OUTPUT
from ..logs import Logs
from .server import Server, words_of

log = logging.getLogger(__name__)
_PIECE = 1024 * 1024
_CHUNK = 256 * 1024
_DELAYS = (0.2, 0.5, 1.0, 2.0)


class Lost(Exception):
    """The build is not ours any more."""


@dataclass(slots=True)
class _Run:
    """One run of a build. `ended`: nothing more will be written."""

    fence: int
    shown: str
    ended: asyncio.Event
    sending: asyncio.Task[None] | None = None
    lost: bool = False


class Uplink:
    """All builds of this executor. `logs` are plugged in once there are any; nodes of builds that are `over` may go."""

    def __init__(self, server: Server, clock: Clock) -> None:
        self._server = server
        self._clock = clock
        self._runs: dict[str, _Run] = {}
        self.logs: Logs | None = None
        self.over: frozenset[str] = frozenset()

    # -- builds come and go

    def begin(self, build: str, fence: int, shown: str) -> None:
        """A build was claimed; `shown` is its pass."""
        self.drop(build)
        if self.logs is not None:
            shutil.rmtree(self.logs.directory(build), ignore_errors=True)  # of a run that was lost
        self._runs[build] = run = _Run(fence, shown, asyncio.Event())
        run.sending = asyncio.create_task(self._send_log(build, run), name=f"log of {build}")

    def drop(self, build: str) -> None:
        """A build is not ours any more: what is still to be said of it is not said."""
        run = self._runs.pop(build, None)
        if run is not None:
            run.lost = True
            if run.sending is not None:
                run.sending.cancel()

    @property
    def runs(self) -> Mapping[str, int]:
        """The builds that are ours, with their fences: also those that have ended and are not told yet."""
        return {build: run.fence for build, run in self._runs.items()}

    def locate(self, store: str, build: str) -> str:
        """Where git finds a store for a build."""
        return self._server.store(self._runs[build].shown if build in self._runs else "", store)

    # -- what is said of them

    async def tell(self, build: str, fence: int, name: str, value: object) -> Any:
        """Report something; the server's answer, or False for a run that is not ours any more."""
        run = self._runs.get(build)
        if run is None or run.fence != fence:
            return False
        try:
            return await self._insist(run, lambda: self._server.report(build, run.shown, name, value))
        except Lost:
            return False

    async def completed(self, event: BuildCompleted) -> bool:
        """The log and the files first, the result last; then nothing of the build is left here."""
        run = self._runs.get(event.build)
        if run is None or run.fence != event.fence:
            return False
        try:
            run.ended.set()
            if run.sending is not None:
                await asyncio.wait([run.sending])
            await self._insist(run, lambda: self._send_files(event.build, run))
            mine = await self.tell(event.build, event.fence, "completed", event)
        except Lost:
            mine = False
        if self._runs.get(event.build) is run:
            self.drop(event.build)
            await self._forget(event.build)
        return bool(mine)

    # -- inside

    async def _insist(self, run: _Run, act: Callable[[], Awaitable[Any]]) -> Any:
        """Until it works; raises `Lost` when the server knows the run no more, or we gave it up."""
        attempt = 0
        while not run.lost:
            try:
                return await act()
            except (Conflict, Unauthenticated, NotFound) as refusal:
                log.info("the server refuses: %s", words_of(refusal))
                raise Lost from None
            except Unavailable:
                await self._clock.sleep(_DELAYS[min(attempt, len(_DELAYS) - 1)])
                attempt += 1
        raise Lost

    async def _send_log(self, build: str, run: _Run) -> None:
        """Follow the log, in pieces that grow while the server is slow."""
        logs, sent = self.logs, 0
        if logs is None:
            return
        try:
            while True:
                growing = logs.growing.get(build)
                changed = growing.changed if growing is not None else None
                size = logs.size(build) or 0
                if sent < size:
                    sent = await self._insist(run, lambda start=sent: self._piece(logs, build, run, start))
                elif run.ended.is_set() and changed is None:
                    return
                else:
                    await _first(run.ended.wait(), changed.wait() if changed is not None else self._clock.sleep(0.05))
        except Lost:
            return
        except GatebotError as refusal:
            log.warning("the log of build %s is not taken: %s", build, words_of(refusal))

    async def _piece(self, logs: Logs, build: str, run: _Run, start: int) -> int:
        data = await asyncio.to_thread(logs.read, build, start, _PIECE)
        try:
            return await self._server.log(build, run.shown, start, data)
        except Conflict:  # either the run is stale, or something before it is missing
            return await self._server.log_size(build, run.shown)

    async def _send_files(self, build: str, run: _Run) -> None:
        if self.logs is None:
            return
        root = self.logs.directory(build)
        for path in sorted(path for path in root.rglob("*") if path.is_file() and not path.is_symlink()):
            if path.name in (OUTPUT, INDEX):
                continue
            name = str(path.relative_to(root))
            try:
                await self._server.file(build, run.shown, name, _pieces(path))
            except Invalid as refusal:  # its name, or its size: the build has its result all the same
                log.warning("build %s: %s is not kept: %s", build, name, words_of(refusal))

    async def _forget(self, build: str) -> None:
        if self.logs is not None:
            await asyncio.to_thread(shutil.rmtree, self.logs.directory(build), ignore_errors=True)


async def _first(*waits: Awaitable[object]) -> None:
    """Until one of these came."""
    tasks = [asyncio.ensure_future(wait) for wait in waits]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()


async def _pieces(path: Path) -> AsyncIterator[bytes]:
    with path.open("rb") as file:
        while piece := await asyncio.to_thread(file.read, _CHUNK):
            yield piece
