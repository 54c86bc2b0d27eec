# SPDX-License-Identifier: Apache-2.0
"""Nodes that are kept after their build failed, because somebody asked for them (autohold).

What runs on a kept node is stopped where it is. It is taken away when its time is over or its request is deleted; no
node outlives the server, so at a start nothing is kept any more.
"""

from __future__ import annotations

import contextlib
import logging
from pathlib import Path

from ..assignment import Assignment
from ..clock import Clock
from ..errors import GatebotError
from .model import Result, Verdict
from .ports import Reports
from .supply import Supply

log = logging.getLogger(__name__)
_LOOK = 20.0
_RETRY_LIMIT = "RETRY_LIMIT"


class HeldNodes:
    """`reports` knows the requests; `layers` is where the files of nodes are."""

    def __init__(self, supply: Supply, reports: Reports, clock: Clock, layers: Path) -> None:
        self._supply = supply
        self._layers = layers
        self._reports = reports
        self._clock = clock
        self._kept: set[str] = set()

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
