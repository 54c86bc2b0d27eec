# SPDX-License-Identifier: Apache-2.0
"""Nodes that are kept after their build failed, because somebody asked for them (autohold), and who is in them.

What runs on a kept node is stopped where it is, and goes on while somebody is in it. It is taken away when its time is
over or its request is deleted. Who asked, and until when, is known by whoever gives out builds.
"""

from __future__ import annotations

import contextlib
import logging
from collections import Counter
from collections.abc import AsyncGenerator, Collection, Mapping, Sequence
from pathlib import Path

from .. import assets
from ..assignment import Assignment, NodeHold
from ..clock import Clock
from ..errors import GatebotError, NotFound
from ..reasons import Reason, reason
from ..words import say
from .commands import Surroundings, login, surroundings_of, visiting
from .ledger import Ledger
from .model import Result, Verdict
from .nodes.model import Wanted
from .placing import Placed
from .ports import Reports
from .providers.model import Exit
from .providers.ports import Output
from .steps import shown
from .supply import Supply

log = logging.getLogger(__name__)
_LOOK = 20.0


class HeldNodes:
    """`reports` knows the requests; `layers` is where nodes' files are, `around` what they have of this machine.

    `ledger` is for who comes after this executor.
    """

    def __init__(
        self, supply: Supply, reports: Reports, clock: Clock, layers: Path, around: Surroundings, ledger: Ledger
    ) -> None:
        self._supply = supply
        self._ledger = ledger
        self._layers = layers
        self._reports = reports
        self._clock = clock
        self._around = around
        self._kept: set[str] = set()
        self._inside: Counter[str] = Counter()

    def layer(self, build: str) -> Path:
        """Where the files of a node are."""
        return self._layers / build

    @property
    def kept(self) -> Collection[str]:
        """The builds whose nodes are kept here."""
        return self._kept

    async def keep(self, assignment: Assignment, found: Verdict) -> NodeHold | None:
        """What keeps the nodes of a build that ended so, which are stopped then; None: nobody asked for them."""
        result = shown(assignment, found).result.value
        if found.result in (Result.SUCCESS, Result.ABORTED):
            return None
        try:
            hold = await self._reports.hold(assignment.build, assignment.fence, result)
        except Exception:  # a database away must not leave a node behind
            log.exception("nobody could be asked whether the node of %s is wanted", assignment.build)
            return None
        if hold is not None:
            self._kept.add(assignment.build)
            self._write()
            with contextlib.suppress(GatebotError):  # what cannot be stopped is kept all the same
                await self._supply.freeze(assignment.build)
        return hold

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
        around = surroundings_of(self._around, placed.arch, places, layered=provider.layered)
        program = assets.path("jobs", "node", "terminal.py").read_text("utf-8")
        lacking = say(reason("executor.terminal-needs-python", node=node))
        command = visiting(wanted, program, login(places, placed.label, around), places.home, lacking)
        async with self._going_on(build):
            return await provider.connect(node).run(command, output, source=source)

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

    def begin(self) -> Mapping[str, Sequence[Placed]]:
        """Know again what was kept when this executor ended: the nodes of each build."""
        known = self._ledger.read()
        self._kept.update(known)
        return known

    def _write(self) -> None:
        self._ledger.write({build: self._supply.nodes.get(build, ()) for build in self._kept})

    async def run(self) -> None:
        """Take away for ever what need not be kept any more."""
        while True:
            try:
                await self.sweep()
            except Exception:
                log.exception("held nodes could not be looked at; again in %s seconds", _LOOK)
            await self._clock.sleep(_LOOK)

    async def sweep(self) -> None:
        """Take away what need not be kept any more, and forget what did not outlive an executor before this one."""
        self._kept.intersection_update(self._supply.nodes)
        over = await self._reports.kept(self._kept)
        for build in self._kept.intersection(over):
            with contextlib.suppress(GatebotError):
                await self._supply.destroy(build)
            self._kept.discard(build)
        if over:
            self._write()
            await self._reports.kept(self._kept)

    async def give_up(self) -> None:
        """Take away all of them: nobody can come for them any more."""
        for build in tuple(self._kept):
            with contextlib.suppress(GatebotError):
                await self._supply.destroy(build)
        self._kept.clear()
        self._write()


def said_of(build: str, hold: NodeHold) -> Reason:
    """What the log says of nodes that are kept, with how to come in."""
    if hold.until is None:
        return reason("executor.node-held", node=build, request=hold.request)
    return reason(
        "executor.node-held-until", node=build, request=hold.request, until=f"{hold.until:%Y-%m-%d %H:%M} UTC"
    )
