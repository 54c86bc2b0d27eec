# SPDX-License-Identifier: Apache-2.0
"""The provider `qemu`: a virtual machine for each node, with a kernel of its own, of this or another architecture.

A node is a process of qemu and a directory with what its disk differs in from the image's. It begins in a saved state
where there is one, is told who it is on its console, and is reached by SSH on an address of this machine's loopback,
with keys that nobody had before. With `network: mirrors` the egress proxy is shown to it over that connection: its own
network leads nowhere.
"""

from __future__ import annotations

import asyncio
import os
import platform
import secrets
import shutil
import socket
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from ...architectures import Execution, canonical
from ...errors import GatebotError, Unavailable
from ...reasons import Reason, reason
from ..egress import PROXY, Listening
from ..machines import guest, planning
from ..machines.guest import BUNDLE, CLOCK, OPEN, Orders
from ..machines.images import name_of, trial
from ..machines.running import Running, end_left
from ..machines.saving import Plan
from ..machines.shapes import EMULATED, KINDS, Shape
from ..model import Network, Places
from .bubblewrap import HOME, OWN, PLAY
from .making import Making, never_asked
from .model import NODE_ID, Capacity, Command, NodeRequest, Platform
from .pairs import new_pair
from .shells import Line, ShellConnection
from .ssh import Address, SshHost, control_directory

_USER = "job"
_ATTEMPTS = 3
_KNOWN = "acceleration.json"
#: Where the proxy is in a machine.
_PROXY = PROXY.partition("//")[2]


@dataclass(slots=True)
class _Node:
    """What there is of one node here."""

    running: Running
    ssh: SshHost
    line: Line


@dataclass(slots=True)
class Qemu:
    """Nodes that are virtual machines. `architectures` are those that are wanted; none: all that have an image."""

    directory: Path
    images: Path
    site: str
    slots: int = 0
    architectures: tuple[str, ...] = ()
    layered: bool = field(default=False, init=False)
    _listening: Listening | None = field(default=None, init=False)
    _bundle: str = field(default="", init=False)
    _plans: dict[str, Plan] = field(default_factory=dict[str, Plan], init=False)
    _nodes: dict[str, _Node] = field(default_factory=dict[str, _Node], init=False)
    _making: Making = field(default_factory=Making, init=False)
    _control: Path = field(default_factory=control_directory, init=False)
    _first: tuple[str, ...] = field(default=(), init=False)
    _found: Callable[[Capacity], None] = field(default=lambda _: None, init=False)
    _seen: frozenset[str] = field(default=frozenset(), init=False)

    def through(self, listening: Listening, bundle: str) -> None:
        """Nodes with `network: mirrors` have a way out, and programs in them trust what this machine's do."""
        self._listening, self._bundle = listening, bundle

    def begin_with(self, architectures: Sequence[str], found: Callable[[Capacity], None]) -> None:
        """Those that labels name; a machine that was not tried on this computer yet may take a minute."""
        self._first, self._found = tuple(architectures), found

    async def probe(self) -> Capacity | Reason:
        """Start a machine of each architecture for real; those that cannot be had are said."""
        self.directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._seen = self._imaged()
        platforms: list[Platform] = []
        problems: dict[str, Reason] = {}
        own = canonical(platform.machine())
        for arch in sorted(self.architectures or KINDS, key=lambda one: (one not in self._first, one != own)):
            try:
                plan = self._plans[arch] = await planning.plan(arch, self.images, self.directory / _KNOWN)
            except Unavailable as problem:
                problems[arch] = problem.reason or reason("executor.provider-failed", told=str(problem))
                continue
            platforms.append(Platform(arch, Execution.EMULATED_SYSTEM if plan.how == EMULATED else Execution.KVM))
            self._found(self._capacity(platforms, problems))
        if not platforms:
            return reason("executor.no-machine", *problems.values())
        return self._capacity(platforms, problems)

    def has_more(self) -> bool:
        """Whether an image has come since."""
        return not self._imaged() <= self._seen

    def _imaged(self) -> frozenset[str]:
        """The architectures that have an image."""
        known = [arch for arch in self.architectures or KINDS if arch in KINDS]
        return frozenset(arch for arch in known if trial(arch, self.images) is not None)

    def _capacity(self, platforms: Sequence[Platform], problems: Mapping[str, Reason]) -> Capacity:
        """The machine's own architecture first, whatever was tried first; what was not asked for is no problem."""
        own = canonical(platform.machine())
        best = tuple(sorted(platforms, key=lambda one: one.arch != own))
        told = tuple(problems.values()) if self.architectures else ()
        slots = self.slots or max(os.cpu_count() or 1, 2)
        return Capacity(best, slots, "vm", problems=told, nested=True, lacking=tuple(problems.items()))

    async def create(self, request: NodeRequest) -> None:
        """Begin to start the machine."""
        self._making.begin(request.node, lambda: self._make(request))

    async def wait_ready(self, node: str, deadline: float) -> None:
        """Return when it answers SSH."""
        await self._making.ready(node, deadline)

    def places(self, node: str) -> Places:
        """The same in every machine."""
        return Places(HOME, PLAY, self.site, OWN, bundle=BUNDLE)

    def connect(self, node: str) -> ShellConnection:
        """Run commands in it."""
        known = self._nodes.get(node)
        if known is None:
            raise never_asked()
        return ShellConnection(known.line)

    async def freeze(self, node: str, frozen: bool = True) -> None:
        """Stop all processes of the job, or let them go on; the machine goes on, so that people can look into it."""
        await self.connect(node).signal("STOP" if frozen else "CONT")

    async def destroy(self, node: str) -> None:
        """End the machine and delete what it wrote."""
        await self._making.end(node, cancel=True)
        known = self._nodes.pop(node, None)
        if known is not None:
            await known.running.end()
            await known.line.close()
            await known.ssh.close()
        directory = self.directory / node
        await end_left(directory)
        self._way_out(node).unlink(missing_ok=True)
        await asyncio.to_thread(shutil.rmtree, directory, ignore_errors=True)

    async def close(self) -> None:
        """End the machines that are left."""
        for node in tuple(self._nodes):
            await self.destroy(node)
        shutil.rmtree(self._control, ignore_errors=True)

    async def list_owned(self) -> tuple[str, ...]:
        """The machines that have a directory here, running or not, whoever started them."""
        if not self.directory.is_dir():
            return ()
        return tuple(sorted(path.name for path in self.directory.iterdir() if NODE_ID.fullmatch(path.name)))

    # -- what these are made of -----------------------------------------------------------------

    async def _make(self, request: NodeRequest) -> None:
        label = request.label
        image = self.images / name_of(request.arch, label.packages, label.script)
        if not image.is_dir():
            raise Unavailable(reason=reason("executor.machine-image", arch=request.arch))
        plan = replace(self._plans[request.arch], image=image)
        node = self.directory / request.node
        for attempt in range(_ATTEMPTS):
            address = Address(_loopback(), _USER, 20000 + secrets.randbelow(30000))
            await asyncio.to_thread(shutil.rmtree, node, ignore_errors=True)
            node.mkdir(mode=0o700)
            try:
                await self._start(plan, request, node, address)
            except Unavailable as problem:
                told = str(problem.reason.get("told")) if problem.reason else ""
                if "host forwarding" in told and attempt + 1 < _ATTEMPTS:
                    continue  # somebody has that port
                raise
            return

    async def _start(self, plan: Plan, request: NodeRequest, node: Path, address: Address) -> None:
        label = request.label
        ssh, orders = _identity(request, node, address, self._control)
        closed = label.network is not Network.FULL
        forward = f"{address.host}:{address.port}"
        running = await plan.begin(node, Shape.of(label), forward, closed=closed)
        try:
            running.tell(orders.line(plan.kind.loses))
            while await running.hears(CLOCK, OPEN) == CLOCK:
                running.tell(guest.answer(time.time()))
            running.leave()
            if label.network is Network.MIRRORS and self._listening is not None:
                ssh.shown = f"{_PROXY} {self._way_out(request.node)}"
                self._listening(request.node, _listening_at(self._way_out(request.node)))
            await ssh.begin()
            if label.network is not Network.NONE and self._bundle:
                await self._trust(ssh.line(request.node, whole=True))
        except (GatebotError, asyncio.CancelledError):
            await running.end()
            raise
        self._nodes[request.node] = _Node(running, ssh, ssh.line(request.node, whole=True))

    def _way_out(self, node: str) -> Path:
        """The socket of this machine that leads to the proxy."""
        return self._control / node

    async def _trust(self, line: Line) -> None:
        """Bring the machine the certificates of this one: a proxy on the way may have one that nobody else knows."""
        printed, source = bytearray(), os.open(self._bundle, os.O_RDONLY)
        try:
            command = Command(("sudo", "sh", "-c", f"cat > {BUNDLE}"), {"PATH": "/usr/bin:/bin"}, "/")
            ended = await ShellConnection(line).run(command, printed.extend, source=source)
        finally:
            os.close(source)
            await line.close()
        if ended.status:
            raise Unavailable(reason=reason("executor.machine-ended", told=printed.decode("utf-8", "replace")[-300:]))


def _listening_at(place: Path) -> socket.socket:
    place.unlink(missing_ok=True)
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(place))
    listener.listen(128)
    return listener


def _loopback() -> str:
    """An address of this machine's loopback, so that the nodes of one build have different ones."""
    return ".".join(("127", *(str(1 + secrets.randbelow(254)) for _ in range(3))))


def _identity(request: NodeRequest, node: Path, address: Address, control: Path) -> tuple[SshHost, Orders]:
    """Keys for a machine and for its job, which only this directory has, and what the machine is told."""
    (host, host_public), (job, job_public) = new_pair(), new_pair()
    key, known = node / "key", node / "known_hosts"
    for file, text in ((key, job), (known, f"{address.known_as} {host_public}\n")):
        file.touch(mode=0o600)
        file.write_text(text)
    told = Orders(
        hostname=f"node-{request.node[:8]}{request.node[32:]}",
        machine_id=secrets.token_hex(16),
        host_key=host,
        authorized=job_public,
        seed=secrets.token_bytes(64),
        processes=request.label.processes,
        nested=request.label.nested,
    )
    return SshHost(address, key, known, control), told
