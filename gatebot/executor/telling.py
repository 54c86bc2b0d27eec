# SPDX-License-Identifier: Apache-2.0
"""What the scheduler is told while a build runs, in order and without making the job wait.

A scheduler that answers that the build is no longer ours has given it to somebody else: it is ended.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence

from ..assignment import Assignment, GivenNode, Json
from ..events import BuildPaused
from ..reasons import Reason
from .ports import Reports


class Telling:
    """`stale` ends the build."""

    def __init__(self, reports: Reports, assignment: Assignment, stale: Callable[[], Awaitable[None]]) -> None:
        self._reports = reports
        self._build, self._fence = assignment.build, assignment.fence
        self._stale = stale
        self._last: asyncio.Task[None] | None = None
        self._started = False
        self.failing_told = False

    def started(self, nodes: Sequence[GivenNode]) -> None:
        """The first process runs."""
        if not self._started:
            self._started = True
            self._tell(lambda: self._reports.started(self._build, self._fence, nodes))

    def failing(self, why: Reason) -> None:
        """The build can no longer succeed; said once."""
        if not self.failing_told:
            self.failing_told = True
            self._tell(lambda: self._reports.failing(self._build, self._fence, why))

    async def paused(self, event: BuildPaused) -> None:
        """The build waits to be resumed."""
        await self._tell(lambda: self._reports.paused(event))

    def secret_data(self, data: Mapping[str, Json]) -> None:
        """What nobody but the jobs after it may see."""
        if data:
            self._tell(lambda: self._reports.secret_data(self._build, self._fence, data))

    async def semaphores(self, names: Sequence[str]) -> None:
        """A playbook waits for these."""
        await self._tell(lambda: self._reports.semaphores(self._build, self._fence, names))

    def released(self, names: Sequence[str]) -> None:
        """The playbook that had these ended."""
        self._tell(lambda: self._reports.released(self._build, self._fence, names))

    async def done(self) -> None:
        """Wait until all that was told has arrived, so that the result comes last."""
        if self._last is not None:
            await asyncio.wait([self._last])

    def _tell(self, tell: Callable[[], Awaitable[bool]]) -> asyncio.Task[None]:
        self._last = asyncio.create_task(self._after(self._last, tell))
        return self._last

    async def _after(self, before: asyncio.Task[None] | None, tell: Callable[[], Awaitable[bool]]) -> None:
        if before is not None:
            await asyncio.wait([before])
        if not await tell():
            await self._stale()
