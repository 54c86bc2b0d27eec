# SPDX-License-Identifier: Apache-2.0
"""The provider `kubernetes`: pods of a cluster, one for each node, placed by the architecture of its machines.

A pod has no capabilities, no rights in the cluster and a read-only root; what it reaches is what the cluster's network
policies allow. What a server that was killed left is found by the label that carries this executor's mark.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field

from ...architectures import Execution, canonical
from ...errors import Unavailable
from ...reasons import Reason, reason
from ..model import Places
from .answers import Object
from .bubblewrap import HOME, OWN, PLAY
from .cluster import Cluster
from .making import Making
from .model import Broker, Capacity, NodeRequest, Platform
from .pods import INSTANCE, RIGHTS, allowed, architectures, called, owned, pod, review, state, version
from .ports import Output
from .remote_shell import BOOT
from .shells import Channel, Line, ShellConnection

_OLDEST = (1, 30)
_PAUSE = 0.2
_LEAVING = 60.0


@dataclass
class Kubernetes:
    """Nodes that are pods. `image` is what labels without one of their own get; `archs` empty: the cluster is asked."""

    cluster: Cluster
    instance: str
    site: str
    image: str
    slots: int = 0
    archs: Sequence[str] = ()
    layered: bool = field(default=False, init=False)
    _making: Making = field(default_factory=Making, init=False)
    _waits: dict[str, str] = field(default_factory=dict[str, str], init=False)
    _lines: dict[str, Line] = field(default_factory=dict[str, Line], init=False)

    async def probe(self) -> Capacity | Reason:
        """Ask what the cluster is and what we may there; what is missing is named."""
        try:
            found = version(await self.cluster.ask("GET", "/version"))
            if found < _OLDEST:
                told, least = (".".join(map(str, one)) for one in (found, _OLDEST))
                return reason("executor.kubernetes-old", version=told, least=least)
            asked = await asyncio.gather(*(self._may(right) for right in RIGHTS))
            lacking = [called(right) for right, may in zip(RIGHTS, asked, strict=True) if not may]
            if lacking:
                namespace = self.cluster.namespace
                return reason("executor.kubernetes-rights", namespace=namespace, lacking=", ".join(lacking))
            archs = await self._architectures()
        except Unavailable as problem:
            return problem.reason or reason("executor.provider-failed", told=str(problem))
        if isinstance(archs, Reason):
            return archs
        return Capacity(tuple(Platform(arch, Execution.NATIVE) for arch in archs), self.slots, "kubernetes")

    async def _may(self, right: tuple[str, str, str]) -> bool:
        question = review(self.cluster.namespace, right)
        return allowed(
            await self.cluster.ask("POST", "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", question)
        )

    async def _architectures(self) -> Sequence[str] | Reason:
        if self.archs:
            return [canonical(arch) for arch in self.archs]
        listing = await self.cluster.try_ask("GET", "/api/v1/nodes")
        found = () if isinstance(listing, Unavailable) else architectures(listing)
        return found or reason("executor.kubernetes-machines")

    async def create(self, request: NodeRequest) -> None:
        """Begin to make the pod."""
        wanted = pod(
            request.node, request.label, image=self.image, arch=request.arch, instance=self.instance
        )  # fmt: skip
        self._making.begin(request.node, lambda: self._make(request.node, wanted))

    async def _make(self, node: str, wanted: Object) -> None:
        await self.cluster.ask("POST", self.cluster.pods(), wanted)
        while True:
            found = state(await self.cluster.ask("GET", self.cluster.pods(node)))
            self._waits[node] = found.why
            if found.hopeless:
                raise Unavailable(reason=reason("executor.node-not-made", told=found.why))
            if found.ready:
                return
            await asyncio.sleep(_PAUSE)

    async def wait_ready(self, node: str, deadline: float) -> None:
        """Return when the container runs; what the pod waits for is said where that takes too long."""
        try:
            await self._making.ready(node, deadline)
        except Unavailable as problem:
            waits = self._waits.get(node)
            if not waits:
                raise
            raise Unavailable(reason=reason("executor.node-not-made", told=waits)) from problem

    def places(self, node: str) -> Places:
        """The same in every pod."""
        return Places(HOME, PLAY, self.site, OWN)

    def connect(self, node: str) -> ShellConnection:
        """Run commands in the pod."""

        async def opened(first: bytes, source: int | None, output: Output) -> Channel:
            return await self.cluster.run(node, BOOT, first, source, output)

        return ShellConnection(self._lines.setdefault(node, Line(node, opened, Broker(), whole=True)))

    async def freeze(self, node: str, frozen: bool = True) -> None:
        """Stop all its processes by signals, or let them go on."""
        await self.connect(node).signal("STOP" if frozen else "CONT")

    async def destroy(self, node: str) -> None:
        """Take the pod away; returns when it is gone."""
        await self._making.end(node, cancel=True)
        self._waits.pop(node, None)
        line = self._lines.pop(node, None)
        if line is not None:
            await line.close()
        gone: Object = {}
        at_once: Object = {"apiVersion": "v1", "kind": "DeleteOptions", "gracePeriodSeconds": 0}
        found = await self.cluster.try_ask("DELETE", self.cluster.pods(node), at_once, missing=gone)
        deadline = asyncio.get_running_loop().time() + _LEAVING
        while found is not gone:
            if isinstance(found, Unavailable):
                raise found
            if asyncio.get_running_loop().time() > deadline:
                raise Unavailable(reason=reason("executor.kubernetes-failed", told=f"the pod of {node} does not go"))
            found = await self.cluster.try_ask("GET", self.cluster.pods(node), missing=gone)
            if found is not gone:
                await asyncio.sleep(_PAUSE)

    async def close(self) -> None:
        """Let go of what is open."""
        for line in self._lines.values():
            await line.close()
        await self.cluster.close()

    async def list_owned(self) -> tuple[str, ...]:
        """The pods that carry the mark of this executor."""
        selector = {"labelSelector": f"{INSTANCE}={self.instance}"}
        return owned(await self.cluster.ask("GET", self.cluster.pods(), query=selector))
