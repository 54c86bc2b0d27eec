# SPDX-License-Identifier: Apache-2.0
"""Nodes that are kept after their build failed, because somebody asked for them (autohold), and who is in them.

What runs on a kept node is stopped where it is, and goes on while somebody is in it. It is taken away when its time is
over or its request is deleted; no node outlives the server, so at a start nothing is kept any more.
"""

from __future__ import annotations

import contextlib
import logging
from collections import Counter
from collections.abc import AsyncGenerator
from pathlib import Path

from .. import assets
from ..assignment import Assignment
from ..clock import Clock
from ..errors import GatebotError, NotFound
from ..reasons import reason
from .commands import Surroundings, login, surroundings_of
from .model import Result, Verdict
from .nodes.model import Wanted
from .ports import Reports
from .providers.model import Command, Exit
from .providers.ports import Output
from .supply import Supply

log = logging.getLogger(__name__)
_LOOK = 20.0
_RETRY_LIMIT = "RETRY_LIMIT"


class HeldNodes:
    """`reports` knows the requests; `layers` is where nodes' files are, `around` what they have of this machine."""

    def __init__(self, supply: Supply, reports: Reports, clock: Clock, layers: Path, around: Surroundings) -> None:
        self._supply = supply
        self._layers = layers
        self._reports = reports
        self._clock = clock
        self._around = around
        self._kept: set[str] = set()
        self._inside: Counter[str] = Counter()

    def layer(self, build: str) -> Path:
        """Where the files of a node are."""
        return self._layers / build

    async def keep(self, assignment: Assignment, found: Verdict) -> str:
        """The id of the request that keeps the node of a build that ended so, which is stopped then; else empty."""
        last = found.retry and assignment.attempt >= assignment.job.attempts
        result = _RETRY_LIMIT if last else found.result.value
        if found.result in (Result.SUCCESS, Result.ABORTED):
            return ""
        try:
            request = await self._reports.hold(assignment.build, assignment.fence, result)
        except Exception:  # a database away must not leave a node behind
            log.exception("nobody could be asked whether the node of %s is wanted", assignment.build)
            return ""
        if request:
            self._kept.add(assignment.build)
            await self._supply.freeze(assignment.build)
        return request

    async def enter(self, node: str, wanted: Wanted, source: int, output: Output) -> Exit:
        """Run something on a kept node, as the job's user where the job ran; with a terminal `source` is framed.

        Raises `NotFound` for a node that is not kept here.
        """
        build = node.partition("-")[0]
        placed = next((one for one in self._supply.nodes.get(build, ()) if one.node == node), None)
        if placed is None or build not in self._kept:
            raise NotFound(reason=reason("executor.node-not-held", node=node))
        provider = self._supply.provider(placed.provider)
        places = provider.places(node)
        around = surroundings_of(self._around, placed.arch, layered=provider.layered)
        argv = wanted.argv or ("sh",)
        if wanted.terminal:
            program = assets.path("jobs", "node", "terminal.py").read_text("utf-8")
            argv = ("python3", "-c", program, str(wanted.rows), str(wanted.columns), *wanted.argv)
        environment = {**login(places, placed.label, around), "TERM": wanted.term}
        async with self._going_on(build):
            return await provider.connect(node).run(Command(argv, environment, places.home), output, source=source)

    @contextlib.asynccontextmanager
    async def _going_on(self, build: str) -> AsyncGenerator[None, None]:
        """Let what is on the build's nodes go on, until the last visitor has left."""
        self._inside[build] += 1
        try:
            await self._supply.freeze(build, frozen=False)
            yield
        finally:
            self._inside[build] -= 1
            if not self._inside[build] and build in self._kept:
                with contextlib.suppress(GatebotError):
                    await self._supply.freeze(build)

    async def begin(self) -> None:
        """What a server before this one kept is gone."""
        for build in await self._reports.held(over=False):
            await self._reports.let_go(build)

    async def run(self) -> None:
        """Take away for ever what need not be kept any more."""
        while True:
            try:
                await self.sweep()
            except Exception:
                log.exception("held nodes could not be looked at; again in %s seconds", _LOOK)
            await self._clock.sleep(_LOOK)

    async def sweep(self) -> None:
        """Take away what need not be kept any more."""
        if not self._kept:
            return
        for build in await self._reports.held(over=True):
            if build in self._kept:
                with contextlib.suppress(GatebotError):
                    await self._supply.destroy(build)
                self._kept.discard(build)
            await self._reports.let_go(build)
