# SPDX-License-Identifier: Apache-2.0
"""An executor that runs one build for the person in front of it: no scheduler, nobody else who waits.

Here are whom it reports to, and what is kept for that person. A pause ends at once, because nothing depends on the
build; semaphores are free, because nobody else runs.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Protocol

from ..assignment import Assignment, GivenNode, Json, NodeHold, Playbook
from ..clock import Clock
from ..errors import GatebotError
from ..events import BuildCompleted, BuildPaused
from ..reasons import Reason
from .commands import Surroundings, login, surroundings_of
from .holding import HeldNodes
from .ledger import Ledger
from .model import MIB, Verdict
from .ports import Reports
from .staying import Stay, wished
from .supply import Supply
from .switchboard import Line

_LARGEST = 8192 * MIB


class Answers(Protocol):
    """The executor, as far as it waits for a scheduler's answers."""

    async def resume(self, build: str, fence: int) -> None: ...

    async def grant(self, build: str, fence: int, names: Sequence[str]) -> None: ...


class Alone:
    """Reports of one build; `ended` is how it ended."""

    def __init__(self) -> None:
        self.ended: asyncio.Future[BuildCompleted] = asyncio.get_running_loop().create_future()
        self._executor: Answers | None = None

    def listen_to(self, executor: Answers) -> None:
        """Whom the answers go to."""
        self._executor = executor

    async def started(self, build: str, fence: int, nodes: Sequence[GivenNode]) -> bool:
        """Nobody has to know."""
        return True

    async def failing(self, build: str, fence: int, reason: Reason) -> bool:
        """The log says it."""
        return True

    async def paused(self, event: BuildPaused) -> bool:
        """Nothing depends on it here."""
        if self._executor is not None:
            await self._executor.resume(event.build, event.fence)
        return True

    async def semaphores(self, build: str, fence: int, names: Sequence[str]) -> bool:
        """All are free."""
        if self._executor is not None:
            await self._executor.grant(build, fence, names)
        return True

    async def released(self, build: str, fence: int, names: Sequence[str]) -> bool:
        """Nobody waits for them."""
        return True

    async def tokens(self, build: str, fence: int, playbook: Playbook) -> Mapping[str, str]:
        """Only a site signs tokens."""
        return {}

    async def hold(self, build: str, fence: int, result: str) -> NodeHold | None:
        """Nobody asked for nodes of a site."""
        return None

    async def kept(self, builds: Collection[str]) -> Collection[str]:
        """None are."""
        return ()

    async def secret_data(self, build: str, fence: int, data: Mapping[str, Json]) -> bool:
        """No job comes after it."""
        return True

    async def completed(self, event: BuildCompleted) -> bool:
        """The end."""
        if not self.ended.done():
            self.ended.set_result(event)
        return True


class KeptFiles(HeldNodes):
    """Keeps the files of a node's home: `into` gets them before the node goes, however the build ended.

    The node itself stays as long as the person in front of it does, if its job wants that.
    """

    def __init__(
        self, supply: Supply, reports: Reports, clock: Clock, layers: Path, around: Surroundings, ledger: Ledger,
        into: Path, stay: Stay,
    ) -> None:  # fmt: skip
        super().__init__(supply, reports, clock, layers, around, ledger)
        self._from = supply
        self._here = around
        self._into = into
        self._stay = stay

    async def keep(self, assignment: Assignment, found: Verdict) -> NodeHold | None:
        """Nobody keeps the node for longer than this takes."""
        for node in self._from.nodes.get(assignment.build, ())[:1]:
            provider = self._from.provider(node.provider)
            connection, places = provider.connect(node.node), provider.places(node.node)
            with contextlib.suppress(GatebotError):  # a node that is lost has nothing any more
                await connection.get(places.home, self._into, _LARGEST)
            if (wish := wished(self._into)) is not None:
                around = surroundings_of(self._here, node.arch, places, layered=provider.layered)
                await self._stay.until_left(wish, Line(connection, login(places, node.label, around)))
        return None
