# SPDX-License-Identifier: Apache-2.0
"""The scheduler's ear, as an executor on another machine has it: `Reports` by HTTP.

Nodes are not kept here for people: nobody could look into them from the site.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ...assignment import GivenNode, Json, Playbook
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

    async def hold(self, build: str, fence: int, result: str) -> str:
        """No request is used up for a node that nobody could look into."""
        return ""

    async def held(self, *, over: bool) -> Sequence[str]:
        """None."""
        return ()

    async def let_go(self, build: str) -> None:
        """None is kept."""

    async def secret_data(self, build: str, fence: int, data: Mapping[str, Json]) -> bool:
        """What the build returned for nobody but the jobs after it."""
        return bool(await self._uplink.tell(build, fence, "secret_data", data))

    async def completed(self, event: BuildCompleted) -> bool:
        """The build ended; its log and files are brought first."""
        return await self._uplink.completed(event)
