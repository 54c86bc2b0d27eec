# SPDX-License-Identifier: Apache-2.0
"""The scheduler's ear, as an executor on another machine has it: `Reports` by HTTP.

Which kept nodes may go is answered to beats, and only asked for here.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

import msgspec

from ...assignment import GivenNode, Json, NodeHold, Playbook
from ...events import BuildCompleted, BuildPaused
from ...reasons import Reason
from .uplink import Uplink


class FarReports:
    """Each waits until the server took it; False: the build is not ours any more."""

    def __init__(self, uplink: Uplink) -> None:
        self._uplink = uplink

    async def started(self, build: str, fence: int, nodes: Sequence[GivenNode]) -> bool:
        """The first process of the build runs."""
        return bool(await self._uplink.tell(build, fence, "started", tuple(nodes)))

    async def failing(self, build: str, fence: int, reason: Reason) -> bool:
        """The build can no longer succeed, though it goes on."""
        return bool(await self._uplink.tell(build, fence, "failing", reason))

    async def paused(self, event: BuildPaused) -> bool:
        """The build waits to be resumed."""
        return bool(await self._uplink.tell(event.build, event.fence, "paused", event))

    async def semaphores(self, build: str, fence: int, names: Sequence[str]) -> bool:
        """A playbook waits for these."""
        return bool(await self._uplink.tell(build, fence, "semaphores", tuple(names)))

    async def released(self, build: str, fence: int, names: Sequence[str]) -> bool:
        """The playbook that had these ended."""
        return bool(await self._uplink.tell(build, fence, "released", tuple(names)))

    async def tokens(self, build: str, fence: int, playbook: Playbook) -> Mapping[str, str]:
        """The OpenID Connect tokens of a playbook that begins now."""
        return await self._uplink.tell(build, fence, "tokens", playbook) or {}

    async def hold(self, build: str, fence: int, result: str) -> NodeHold | None:
        """The autohold request that keeps the nodes of a build that ended so."""
        told = await self._uplink.tell(build, fence, "hold", result)
        return msgspec.convert(told, NodeHold) if told else None

    async def kept(self, builds: Collection[str]) -> Collection[str]:
        """Those that the server wants no more, as it said last."""
        return self._uplink.over.intersection(builds)

    async def secret_data(self, build: str, fence: int, data: Mapping[str, Json]) -> bool:
        """What the build returned for nobody but the jobs after it."""
        return bool(await self._uplink.tell(build, fence, "secret_data", data))

    async def completed(self, event: BuildCompleted) -> bool:
        """The build ended; its log and files are brought first."""
        return await self._uplink.completed(event)
