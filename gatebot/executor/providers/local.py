# SPDX-License-Identifier: Apache-2.0
"""The provider `local`: sandboxes on this machine, made by the privileged process and bubblewrap.

A node is an overlay (the prepared layer over an image, a size-limited memory file system on top), a control
group, a network namespace and a uid of its own. Nodes with `network: mirrors` hand the socket that listens
inside them to the egress proxy.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import platform
import shutil
import socket
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePath
from typing import cast
from uuid import uuid4

from ...architectures import ARCHITECTURES, Execution, canonical
from ...errors import GatebotError, Refused, Unavailable
from ...reasons import Reason, reason
from ..egress import Listening
from ..images import arch_of, built, definition_of
from ..model import HOST_IMAGE, Label, Network, Places, Sandbox
from . import trees
from .bubblewrap import HOME, PLAY
from .emulation import installed
from .link import Link
from .making import Making
from .model import Broker, Capacity, Command, Door, Exit, Inside, NodeRequest, Platform, private_address
from .pipe import Pipe
from .ports import Output
from .subordinate import RANGE

log = logging.getLogger(__name__)
_PROBE = Label("probe", network=Network.NONE, memory=256 << 20, disk=32 << 20, processes=64)
_NESTING = (
    *("unshare", "--user", "--map-root-user", "--mount", "--net", "--pid", "--uts", "--ipc", "--fork"),
    *("sh", "-ec", "mount -t proc proc /proc; mount -t tmpfs probe /mnt; : <>/dev/net/tun"),
)
PORT = "3128"


@dataclass(slots=True)
class Images:
    """Directory names of images by the name that labels use; `place` is where more of them may be made."""

    by_name: dict[str, str]
    place: Path | None = None

    def look(self) -> None:
        """Know those that were made meanwhile."""
        if self.place is not None:
            self.by_name |= built(self.place)

    def of(self, arch: str) -> str:
        """An image of an architecture, the default one before all others; empty: there is none."""
        default = self.by_name.get(f"default-{arch}", "")
        return default or next((name for name in sorted(self.by_name) if arch_of(name) == arch), "")

    def resolve(self, name: str, arch: str = "") -> str:
        """The directory of an image; without a built default image it is the host's /usr.

        `arch` is set for a foreign architecture, whose image has to be there: raises `Refused` for any other.
        """
        if not arch:
            return self.by_name.get("default", HOST_IMAGE) if name == "default" else self.by_name.get(name, name)
        found = self.by_name.get(f"default-{arch}", "") if name == "default" else self.by_name.get(name, name)
        if arch_of(found) != arch:
            raise Refused(reason=reason("executor.image-is-other", image=name, arch=arch))
        return found


class Local:
    """Nodes on this machine."""

    layered = True

    def __init__(
        self,
        link: Link | Reason,
        images: Images,
        *,
        layers: Path,
        host: str,
        sandbox: Sandbox,
        listening: Listening,
    ) -> None:
        """`link` is a reason where the privileged process could not be started: then the probe says so."""
        self._channel = link
        self._layers = layers
        self._images = images
        self._host = host
        self._sandbox = sandbox
        self._listening = listening
        self._making = Making()
        self._pipes: dict[str, list[Pipe]] = defaultdict(list)
        self._foreign: dict[str, bool] = {}
        self._doors: dict[str, socket.socket] = {}

    async def probe(self) -> Capacity | Reason:
        """Make a node, run `true` on it, take it away; then the same for each architecture that can be emulated."""
        if shutil.which("bwrap") is None:
            return reason("executor.bubblewrap-missing")
        if isinstance(self._channel, Reason):
            return self._channel
        self._images.look()
        if (said := await self._try("")) is not None:
            return reason("executor.sandbox-refused", told=said)
        nesting = await self._try("", _NESTING, nested=True)
        told, _ = await self._link.ask("hello")
        ranges = cast("int", told["ranges"])
        platforms = [Platform(canonical(platform.machine()), ids=RANGE if ranges else 1)]
        lacking = {arch: await self._lacks(arch) for arch in ARCHITECTURES if arch != platforms[0].arch}
        platforms += [Platform(arch, Execution.EMULATED_USER, ids=1) for arch, why in lacking.items() if why is None]
        problems = () if nesting is None else (reason("executor.nesting-refused", told=nesting),)
        limits = str(told["limits"])
        brings = tuple((arch, why) for arch, why in lacking.items() if why is not None)
        return Capacity(tuple(platforms), 0, limits, self._sandbox, problems, nesting is None, ranges, brings)

    async def _lacks(self, arch: str) -> Reason | None:
        """What is missing before programs of another architecture run here; None: they do."""
        if arch not in {one.arch for one in installed()}:
            return reason("executor.emulator-lacks", arch=arch)
        if not self._images.of(arch):
            return reason("executor.arch-image-lacks", arch=arch)
        if (said := await self._try(arch)) is None:
            return None
        log.warning("programs of %s cannot be run: %s", arch, said)
        return reason("executor.arch-refused", arch=arch, told=said)

    async def _try(self, arch: str, argv: tuple[str, ...] = ("true",), *, nested: bool = False) -> str | None:
        """What is said where this does not run in a sandbox here, of this architecture or another; None: it does."""
        node, label = uuid4().hex, replace(_PROBE, nested=nested)
        for place in (HOME, PLAY):
            (self._layers / node / place.lstrip("/")).mkdir(parents=True)
        try:
            image = self._images.of(arch) if arch else self._images.resolve("default")
            await self._create(node, label, image, arch)
            printed = bytearray()
            ended = await LocalConnection(self._link, node).run(Command(argv, {}, "/"), printed.extend)
        except GatebotError as problem:
            return str(problem)
        finally:
            with contextlib.suppress(GatebotError):
                await self._link.ask("destroy", node=node)
        return None if ended.status == 0 else printed.decode("utf-8", "replace").strip()[:500]

    @property
    def _link(self) -> Link:
        if isinstance(self._channel, Reason):
            raise Unavailable(reason=self._channel)
        return self._channel

    async def create(self, request: NodeRequest) -> None:
        """Begin to make the node."""
        if request.node not in self._making:
            arch = request.arch if request.execution is Execution.EMULATED_USER else ""
            own = definition_of(request.label).name if request.label.imaged else request.label.image
            image = self._images.resolve(own, arch)
            self._foreign[request.node] = bool(arch)
            label, keep = request.label, self._listening
            if request.door:  # a proxy's socket is as good
                label, keep = replace(label, network=Network.MIRRORS), self._keep_door
            self._making.begin(request.node, lambda: self._create(request.node, label, image, arch, keep))

    def _keep_door(self, node: str, listener: socket.socket) -> None:
        self._doors[node] = listener

    async def _create(self, node: str, label: Label, image: str, arch: str, listening: Listening | None = None) -> None:
        """`arch` is set where the node's programs are of another architecture than this machine."""
        _, descriptors = await self._link.ask(
            "create",
            node=node,
            image=image,
            memory=label.memory,
            disk=label.disk,
            processes=label.processes,
            cpus=label.cpus,
            network=label.network.value,
            emulates=arch,
            nested=label.nested,
        )
        for descriptor in descriptors:
            (listening or self._listening)(node, socket.socket(fileno=descriptor))

    async def wait_ready(self, node: str, deadline: float) -> None:
        """Return when the node is made."""
        try:
            await self._making.ready(node, deadline)
        except Refused as problem:
            raise Unavailable(reason=reason("executor.node-not-made", told=str(problem))) from problem

    def places(self, node: str) -> Places:
        """The same in every sandbox."""
        return Places(HOME, PLAY, self._host)

    def connect(self, node: str) -> LocalConnection:
        """Run commands in the sandbox."""
        return LocalConnection(self._link, node, self._pipes[node], foreign=self._foreign.get(node, False))

    def addresses(self, count: int) -> tuple[str, ...]:
        """The same in the network of every build."""
        return tuple(private_address(index) for index in range(count))

    async def join(self, nodes: Sequence[str]) -> None:
        """By a bridge that leads nowhere else."""
        await self._link.ask("join", nodes=list(nodes))

    def door(self, node: str) -> Door:
        """The same port as the proxy's in other nodes: whoever has a door has no proxy."""
        return Door(self._doors.pop(node).detach(), PORT)

    async def freeze(self, node: str, frozen: bool = True) -> None:
        """Stop all processes of the node, or let them go on."""
        await self._link.ask("freeze", node=node, frozen=frozen)

    async def destroy(self, node: str) -> None:
        """Take the node away, with everything on it."""
        await self._making.end(node, cancel=False)
        self._foreign.pop(node, None)
        await self._link.ask("destroy", node=node)
        if (door := self._doors.pop(node, None)) is not None:
            door.close()
        for pipe in self._pipes.pop(node, ()):
            pipe.close()

    async def close(self) -> None:
        """End the privileged process, and with it every node."""
        if isinstance(self._channel, Link):
            await self._channel.close()

    async def list_owned(self) -> tuple[str, ...]:
        """The nodes that exist."""
        told, _ = await self._link.ask("list")
        return tuple(cast("list[str]", told["nodes"]))


class LocalConnection:
    """Commands in one sandbox; processes and files of one are there for the next. `pipes` outlive their commands."""

    def __init__(self, link: Link, node: str, pipes: list[Pipe] | None = None, *, foreign: bool = False) -> None:
        """`foreign`: this machine's programs, Ansible among them, do not run on the node."""
        self._link = link
        self._foreign = foreign
        self._node = node
        self._pipes = [] if pipes is None else pipes

    @property
    def reach(self) -> Inside | Broker:
        """Playbooks run in the sandbox, where programs of this machine do."""
        return Broker() if self._foreign else Inside()

    async def put(self, source: PurePath, target: str) -> None:
        """By a stream that the job's own uid unpacks."""
        await trees.put(self, source, target)

    async def get(self, path: str, target: PurePath, limit: int) -> None:
        """By a stream that the job's own uid packs."""
        await trees.get(self, path, target, limit)

    async def run(
        self,
        command: Command,
        output: Output,
        *,
        started: Callable[[], None] | None = None,
        source: int | None = None,
    ) -> Exit:
        """Run a command to its end."""
        run = uuid4().hex
        ending = self._link.ending(run)
        pipe = Pipe(output)
        self._pipes.append(pipe)
        begun = False
        try:
            with pipe.writing as writable:
                await self._link.ask(
                    "run",
                    *(writable,) if source is None else (writable, source),
                    node=self._node,
                    run=run,
                    argv=list(command.argv),
                    env=dict(command.env),
                    cwd=command.cwd,
                    apart=command.apart,
                    files=dict(command.files),
                )
            begun = True
            if started is not None:
                started()
            ended = await ending
            pipe.read()
            if ended.robbed:
                raise Unavailable(reason=reason("executor.node-robbed"))
            return ended
        except asyncio.CancelledError:
            if begun:
                await self._link.ask("stop", node=self._node, run=run)
            raise
        finally:
            ending.cancel()

    async def kill(self) -> None:
        """End every process of the node."""
        await self._link.ask("kill", node=self._node)
