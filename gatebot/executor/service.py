# SPDX-License-Identifier: Apache-2.0
"""The executor as the rest of the house knows it: slots, assignments, aborts, and what sandbox jobs get.

It implements the scheduler's `Dispatch`. Assigning is idempotent by build and fence; a newer fence of a build
ends the older run. Nothing here knows a database: results go to `Reports`.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ..assignment import Assignment
from ..events import BuildCompleted
from ..reasons import Reason, reason
from .holding import HeldNodes
from .model import Result, Sandbox
from .providers.model import Capacity
from .runner import Run
from .supply import Supply
from .tools import Tools

log = logging.getLogger(__name__)


@dataclass(slots=True)
class _Running:
    run: Run
    fence: int
    task: asyncio.Task[None]


class Executor:
    """Runs builds, as many at once as there are slots."""

    def __init__(self, tools: Tools, *, slots: int) -> None:
        self._tools = tools
        self.slots = slots
        self._capacity: Capacity | Reason = reason("executor.not-probed")
        self._running: dict[str, _Running] = {}
        self._closing = False
        self._sweeping: list[asyncio.Task[None]] = []

    async def start(self) -> Capacity | Reason:
        """Probe for real and warm up; a reason says why no job can run here."""
        self._tools.layers.mkdir(parents=True, exist_ok=True)
        self._tools.workspaces.start()
        self._capacity = await self._tools.supply.start(self._tools.held.begin())
        self._sweeping = [asyncio.create_task(one.run()) for one in (self._tools.held, self._tools.supply)]
        return self._capacity

    def posture(self) -> Reason | None:
        """What every page must say about how jobs run here; None: they run in a sandbox, or elsewhere."""
        if isinstance(self._capacity, Reason):
            return None if self._usable() else reason("executor.no-sandbox", self._capacity)
        if self._capacity.sandbox is Sandbox.NONE:
            return reason("executor.sandbox-none")
        return None

    def _usable(self) -> bool:
        """Whether any provider can have nodes."""
        return any(isinstance(offer.capacity, Capacity) for offer in self._tools.supply.offers.values())

    @property
    def capacity(self) -> Capacity | Reason:
        """What the probe of this machine found."""
        return self._capacity

    @property
    def supply(self) -> Supply:
        """Its providers, and the nodes that builds have."""
        return self._tools.supply

    @property
    def held(self) -> HeldNodes:
        """Nodes that are kept for people."""
        return self._tools.held

    @property
    def running(self) -> Mapping[str, int]:
        """The builds that run, with their fences."""
        return {build: one.fence for build, one in self._running.items()}

    def free_slots(self) -> int:
        """How many more builds may be assigned now."""
        if self._closing or not self._usable():
            return 0
        return max(self.slots - len(self._running) + self._idle(), 0)

    def _idle(self) -> int:
        """How many of the builds that run take no slot: they wait for nodes, or have paused.

        What a paused build waits for could need its slot, as in Zuul.
        """
        return self._tools.supply.waiting + sum(one.run.pausing for one in self._running.values())

    async def assign(self, assignment: Assignment) -> None:
        """Begin a build; a second call with the same fence does nothing."""
        known = self._running.get(assignment.build)
        if known is not None:
            if known.fence >= assignment.fence:
                return
            await known.run.abort(at_once=True)
            await asyncio.wait([known.task])
        run = Run(self._tools, assignment)
        task = asyncio.create_task(self._go(run, assignment), name=f"build {assignment.build}")
        self._running[assignment.build] = _Running(run, assignment.fence, task)

    async def abort(self, build: str, fence: int, why: Reason | None = None, *, at_once: bool = False) -> None:
        """End a build, as canceled when there is a `why`; nothing happens when it is over, or has a newer fence.

        `at_once`: it is over on return.
        """
        known = self._running.get(build)
        if known is not None and known.fence <= fence:
            await known.run.abort(why, at_once=at_once)
            if at_once:
                await asyncio.wait([known.task])

    async def resume(self, build: str, fence: int) -> None:
        """A paused build may go on."""
        known = self._running.get(build)
        if known is not None and known.fence == fence:
            await known.run.resume()

    async def grant(self, build: str, fence: int, names: Sequence[str]) -> None:
        """A build has the semaphores that a playbook of it asked for."""
        known = self._running.get(build)
        if known is not None and known.fence == fence:
            await known.run.grant(names)

    async def close(self) -> None:
        """End all builds, without results: the scheduler assigns them anew."""
        self._closing = True
        for task in self._sweeping:
            task.cancel()
        if self._sweeping:
            await asyncio.wait(self._sweeping)
        running = list(self._running.values())
        for one in running:
            await one.run.abort(at_once=True)
        if running:
            await asyncio.wait([one.task for one in running])
        self._tools.workspaces.close()
        await self._tools.supply.close(self._tools.held.kept)

    async def _go(self, run: Run, assignment: Assignment) -> None:
        try:
            completed = await run.go()
        except OSError as problem:  # not even a log could be begun
            log.warning("build %s cannot be run: %s", assignment.build, problem)
            why = reason("executor.machine-trouble", told=str(problem))
            completed = BuildCompleted(assignment.build, assignment.fence, Result.RETRY.value, why, retry=True)
        finally:
            known = self._running.get(assignment.build)
            if known is not None and known.run is run:
                del self._running[assignment.build]
        if not self._closing:
            await run.told()
            if not await self._tools.reports.completed(completed):
                log.info("build %s: its result came too late", assignment.build)
