# SPDX-License-Identifier: Apache-2.0
"""The provider `openstack`: servers of a cloud, one for each node, made for it and deleted after it.

A server is known by a host key that it was given or that its console shows, and is entered with a key that only this
node's directory has. What a server of ours that was killed left in the cloud is found by its name.
"""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from ...architectures import Execution, canonical
from ...errors import Unavailable
from ...reasons import Reason, reason
from ..clouds import choosing, parts
from ..clouds.entering import Way, enter, new_keys, recalled, remember
from ..clouds.model import Server
from ..clouds.starting import Starting
from ..clouds.troubles import AWAY, QUOTA
from ..model import Places
from .host_places import places_below
from .making import Making, never_asked
from .model import NODE_ID, Capacity, NodeRequest, Platform
from .shells import Line, ShellConnection
from .ssh import Address, SshHost, control_directory

#: How long a node may wait for others to give quota back, beside the time that it takes itself.
_PATIENCE = 3600.0
#: How often is looked for what a node waits.
_STEP = 1.0
_DEFAULT_ARCH = "x86_64"


@dataclass(slots=True)
class OpenStack:
    """Nodes that are servers. `server` is what they are where a label says nothing; `archs` empty: the image is asked.

    `keys` is the directory of this machine for what lets us in; `site` stands for the site in workspaces.
    """

    starting: Starting
    server: Server
    way: Way
    keys: Path
    site: str
    wanted: int = 0
    archs: Sequence[str] = ()
    execution: Execution = Execution.KVM
    layered: bool = field(default=False, init=False)
    _known: Capacity | None = field(default=None, init=False)
    _making: Making = field(default_factory=Making, init=False)
    _waits: dict[str, Reason] = field(default_factory=dict[str, Reason], init=False)
    _nodes: dict[str, tuple[SshHost, Line]] = field(default_factory=dict[str, tuple[SshHost, Line]], init=False)
    _control: Path = field(default_factory=control_directory, init=False)

    async def probe(self) -> Capacity | Reason:
        """Log in, and ask for what servers are made of, and for the quota.

        A cloud that is away after it was there once is asked again: builds wait for it rather than fail.
        """
        looking, holding = self.starting.looking, self.starting.holding
        try:
            image = await looking.image(self.starting.image)
            await looking.network(self.server.network or "")
            own = len(await holding.owned_of(parts.SERVER))
            slots = await looking.slots(own, self.wanted, self.server.flavor or "")
        except Unavailable as problem:
            why = problem.reason or reason("executor.provider-failed", told=str(problem))
            return replace(self._known, problems=(why,)) if self._known and why.kind == AWAY else why
        archs = [canonical(arch) for arch in self.archs] or [choosing.architecture_of(image) or _DEFAULT_ARCH]
        platforms = tuple(Platform(arch, self.execution) for arch in archs)
        self._known = Capacity(platforms, slots, "vm", nested=True)
        return self._known

    async def create(self, request: NodeRequest) -> None:
        """Begin to make the server."""
        self._making.begin(request.node, lambda: self._make(request))

    async def wait_ready(self, node: str, deadline: float) -> None:
        """Return when it answers SSH; a wait for quota is not counted. What is waited for is said at the end."""
        patience = _PATIENCE
        while True:
            step = min(_STEP, deadline)
            try:
                return await self._making.ready(node, step)
            except Unavailable as problem:
                if self._making.ended(node):
                    return await self._making.ready(node, _STEP)
                waits = self._waits.get(node)
                if waits is not None and waits.kind == QUOTA and patience > 0:
                    patience -= step
                    continue
                deadline -= step
                if deadline <= 0:
                    raise Unavailable(reason=waits or problem.reason) from problem

    def places(self, node: str) -> Places:
        """The same directories on every server."""
        return places_below(self.way.directory, node, self.site)

    def connect(self, node: str) -> ShellConnection:
        """Run commands on it."""
        known = self._nodes.get(node) or self._recalled(node)
        if known is None:
            raise never_asked()
        return ShellConnection(known[1])

    async def freeze(self, node: str, frozen: bool = True) -> None:
        """Stop all processes of the job, or let them go on; the server goes on, so that people can look into it."""
        await self.connect(node).signal("STOP" if frozen else "CONT")

    async def destroy(self, node: str) -> None:
        """Delete the server and everything that was made for it; returns when it is gone."""
        await self._making.end(node, cancel=True)
        self._waits.pop(node, None)
        await self._leave(node)
        await self.starting.holding.remove(self.starting.holding.name(node))
        await asyncio.to_thread(shutil.rmtree, self.keys / node, ignore_errors=True)

    async def close(self) -> None:
        """Let go of what is open."""
        for node in tuple(self._nodes):
            await self._leave(node)
        await self.starting.holding.cloud.close()
        shutil.rmtree(self._control, ignore_errors=True)

    async def list_owned(self) -> tuple[str, ...]:
        """The nodes of which anything is in the cloud under this executor's mark, or here."""
        here = {path.name for path in self.keys.iterdir()} if self.keys.is_dir() else set[str]()
        found = await self.starting.holding.owned()
        return tuple(sorted(found | {name for name in here if NODE_ID.fullmatch(name)}))

    # -- what these are made of -----------------------------------------------------------------

    async def _make(self, request: NodeRequest) -> None:
        node, directory = request.node, self.keys / request.node
        wanted = request.label.server.over(self.server)
        keys = await asyncio.to_thread(new_keys, directory)

        def waits(why: Reason) -> None:
            self._waits[node] = why

        try:
            started = await self.starting.start(request, wanted, keys, waits)
            address = Address(started.address, wanted.user or "", self.way.port)
            ssh = self._host(node, address)
            holding = self.starting.holding
            arch = await enter(self.way, keys, ssh, node, console=lambda: holding.console(started.server), waits=waits)
        finally:
            self._waits.pop(node, None)
        await asyncio.to_thread(remember, directory, address)
        self._nodes[node] = (ssh, ssh.line(node, whole=wanted.user != "root"))
        if arch != request.arch:
            told = reason("executor.cloud-is-other", host=str(address), arch=arch, asked=request.arch)
            raise Unavailable(reason=told)

    def _host(self, node: str, address: Address) -> SshHost:
        return SshHost(address, self.keys / node / "key", self.keys / node / "known_hosts", self._control)

    def _recalled(self, node: str) -> tuple[SshHost, Line] | None:
        """A node that a process before this one made, and that was kept."""
        address = recalled(self.keys / node)
        if address is None:
            return None
        ssh = self._host(node, address)
        self._nodes[node] = (ssh, ssh.line(node, whole=address.user != "root"))
        return self._nodes[node]

    async def _leave(self, node: str) -> None:
        known = self._nodes.pop(node, None)
        if known is not None:
            ssh, line = known
            await ssh.close()  # first: it holds open what commands print that still run
            await line.close()
