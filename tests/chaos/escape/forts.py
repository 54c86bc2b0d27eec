# SPDX-License-Identifier: Apache-2.0
"""What is attacked: real nodes of each kind of sandbox, and a short way to run a hostile program on one.

`root` is the local sandbox of a server that was started as root, `rootless` the one of a user without rights (somebody
else than whoever runs the tests), `container` one of podman. All have the same small label; that of `nested` and of
`nested-rootless` lets jobs be root of namespaces of their own, with a range of ids; `rootless` has one id for all jobs.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from uuid import uuid4

from gatebot.executor.images import host_skeleton
from gatebot.executor.model import Sandbox
from gatebot.executor.providers import link
from gatebot.executor.providers.checks import Config
from gatebot.executor.providers.container import Containers, Podman
from gatebot.executor.providers.local import Images, Local
from gatebot.executor.providers.model import NodeRequest
from gatebot.executor.providers.ports import Provider
from gatebot.executor.providers.subordinate import RANGE
from gatebot.reasons import Reason
from gatebot.words import say
from tests.fakes.busybox_image import python_image
from tests.fakes.provider_contract import Node, Yard
from tests.programs import leave_out

KINDS = ("root", "nested", "rootless", "container")
#: A user that is nobody's, as whom a server without rights runs here.
STRANGER = 65534
#: Attacks print what became of each attempt as `NAME: OUTCOME`; an error is its name.
_PRELUDE = """
import ctypes, errno, fcntl, os, signal, socket, stat, sys, time
libc = ctypes.CDLL(None, use_errno=True)

def attempt(name, action):
    try:
        print(f"{name}: {action()}", flush=True)
    except OSError as problem:
        print(f"{name}: {errno.errorcode.get(problem.errno, problem)}", flush=True)
    except MemoryError:
        print(f"{name}: ENOMEM", flush=True)

def call(number, *arguments):
    result = libc.syscall(number, *map(ctypes.c_long, arguments))
    if result == -1:
        raise OSError(ctypes.get_errno(), "")
    return result

def read(path):
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    try:
        return os.read(descriptor, 100)
    finally:
        os.close(descriptor)

def write(path):
    descriptor = os.open(path, os.O_WRONLY | os.O_NONBLOCK | os.O_CREAT)
    try:
        return os.write(descriptor, b"escaped")
    finally:
        os.close(descriptor)
"""


@dataclass
class Fort:
    """Sandboxes of one kind. `limited`: control groups keep them from using more memory than they may."""

    kind: str
    yard: Yard
    limited: bool
    _kept: Node | None = None

    @asynccontextmanager
    async def node(self) -> AsyncGenerator[Node]:
        """A node, taken away afterwards."""
        made = await self.yard.node()
        try:
            yield made
        finally:
            await made.provider.destroy(made.name)

    async def attacked(self, body: str, **names: object) -> dict[str, str]:
        """What became of the attempts of an attack that spoils nothing on its node; containers are slow to make."""
        if self.kind == "container":
            self._kept = self._kept or await self.yard.node()
            return await attack(self._kept, body, **names)
        async with self.node() as node:
            return await attack(node, body, **names)

    async def close(self) -> None:
        """Nothing may be left then."""
        if self._kept is not None:
            await self._kept.provider.destroy(self._kept.name)
        assert await self.yard.provider.list_owned() == ()
        await self.yard.provider.close()


async def attack(node: Node, body: str, by: str = "", /, **names: object) -> dict[str, str]:
    """Run a program on a node, `by` another; `names` are values that it knows. What became of its attempts."""
    given = "".join(f"{name} = {value!r}\n" for name, value in names.items())
    (_, told) = await node.ran(f"exec {by} python3 -I - <<'END-OF-ATTACK' 2>&1\n{_PRELUDE}{given}{body}\nEND-OF-ATTACK")
    found = dict(line.split(": ", 1) for line in told.splitlines() if ": " in line)
    assert found, told
    assert "Traceback" not in told, told
    return found


@dataclass
class FortYard(Yard):
    """`strange`: layers belong to somebody without rights. `nested`: jobs may be root of namespaces of their own."""

    strange: bool = False
    nested: bool = False

    def lay(self, name: str) -> None:
        super().lay(name)
        for place in (self.layers / name, *(self.layers / name).rglob("*")) if self.strange else ():
            os.chown(place, STRANGER, STRANGER)

    def request(self, node: str) -> NodeRequest:
        plain = super().request(node)
        return replace(plain, label=replace(plain.label, nested=self.nested))


@asynccontextmanager
async def fort(kind: str, root: Path) -> AsyncGenerator[Fort]:
    """Sandboxes of a kind, until all of them are gone."""
    layers = root / "layers"
    layers.mkdir()
    started: list[subprocess.Popen[bytes]] = []
    strange, nested = kind.endswith("rootless"), kind.startswith("nested")
    provider = _rootless(root, started, ranged=nested) if strange else _of(kind, root)
    yard = FortYard(provider, layers, strange=strange and os.geteuid() == 0, nested=nested)
    with _as_stranger(strange):
        found = await yard.provider.probe()
    if isinstance(found, Reason):
        leave_out(f"What the sandbox `{kind}` needs ({say(found)})", "podman")
    made = Fort(kind, yard, limited=found.limits not in ("none", "rlimits"))
    yield made
    await made.close()
    for process in started:
        process.wait(300)


@contextmanager
def _as_stranger(strange: bool) -> Generator[None]:
    """What a probe lays out belongs to whose server it is."""
    if not strange or os.geteuid() != 0:
        yield
        return
    os.setegid(STRANGER)
    os.seteuid(STRANGER)
    try:
        yield
    finally:
        os.seteuid(0)
        os.setegid(0)


def _of(kind: str, root: Path) -> Provider:
    if kind == "container":
        podman = Podman(root / "podman")
        return Containers(podman, uuid4().hex[:12], "h", python_image(root, podman))
    if os.geteuid() != 0:
        leave_out("Root", "sudo")
    return _local(root, Sandbox.PRIVILEGED, link.start(configuration(root, Sandbox.PRIVILEGED), Sandbox.PRIVILEGED))


def _rootless(root: Path, started: list[subprocess.Popen[bytes]], *, ranged: bool) -> Provider:
    """The privileged process is started by the stranger, as a server of hers would, and its socket handed to us."""
    if os.geteuid() != 0:
        return _local(root, Sandbox.ROOTLESS, link.start(configuration(root, Sandbox.ROOTLESS), Sandbox.ROOTLESS))
    os.chown(root / "layers", STRANGER, STRANGER)
    (root / "images").mkdir()
    os.chown(root / "images", STRANGER, STRANGER)
    ours, theirs = socket.socketpair()
    with ours, theirs:
        (root / "ids").write_text(f"{STRANGER}:{FIRST_OF_JOBS}:{_UIDS + 2 * RANGE}\n" if ranged else "")
        line = ["unshare", "--mount", "sh", "-ec", _AS_STRANGER, "sh", str(root / "ids"), str(STRANGER)]
        line += [sys.executable, "-c", _START, str(root), str(theirs.fileno())]
        started.append(subprocess.Popen(line, pass_fds=[theirs.fileno()], cwd=_ROOT, env=_ENV))
        ours.settimeout(300)  # emulated machines are slow
        theirs.close()
        _, descriptors, _, _ = socket.recv_fds(ours, 1, 1)
    return _local(root, Sandbox.ROOTLESS, socket.socket(fileno=descriptors[0]))


_ROOT = Path(__file__).resolve().parents[3]
_ENV = {"PATH": os.environ.get("PATH", os.defpath), "HOME": "/nonexistent"}
#: Ids that nobody on a machine of tests has; only who sees this /etc/subuid may use them.
FIRST_OF_JOBS, _UIDS = 1_800_000_000, 1024
_AS_STRANGER = """
mount --bind "$1" /etc/subuid && mount --bind "$1" /etc/subgid
stranger=$2; shift 2; exec setpriv --reuid "$stranger" --regid "$stranger" --clear-groups "$@"
"""
_START = """
import socket, sys
from pathlib import Path
from gatebot.executor.model import Sandbox
from gatebot.executor.providers import link
from gatebot.executor.providers.checks import Config
from tests.chaos.escape.forts import configuration

with link.start(configuration(Path(sys.argv[1]), Sandbox.ROOTLESS), Sandbox.ROOTLESS) as channel:
    socket.send_fds(socket.socket(fileno=int(sys.argv[2])), [b"."], [channel.fileno()])
link.processes()[0].wait()
"""


def configuration(root: Path, sandbox: Sandbox) -> Config:
    """The privileged process of a server whose files are below `root`."""
    host_skeleton(root / "images")
    return link.config_for(
        sandbox,
        root=root / "layers",
        images=root / "images",
        instance=uuid4().hex[:12],
        shown={},
        full=False,
        server_uid=os.geteuid(),
    )


def _local(root: Path, sandbox: Sandbox, channel: socket.socket) -> Local:
    return Local(
        link.Link(channel),
        Images({}),
        layers=root / "layers",
        host="h",
        sandbox=sandbox,
        listening=lambda _node, listener: listener.close(),
    )
