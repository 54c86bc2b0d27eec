# SPDX-License-Identifier: Apache-2.0
"""The provider for `sandbox = "none"`: jobs as plain processes of the server's own uid, in a directory.

For machines where no sandbox can be had and every change is written by somebody who is trusted. Nothing
keeps such a job from reading what the server can read; the site says so on every page.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import platform
import signal
import socket
import subprocess
import sys
from collections import defaultdict
from collections.abc import Callable, Generator, Mapping, Sequence
from pathlib import Path, PurePath

from ...architectures import canonical
from ...errors import Unavailable
from ...reasons import reason
from ..model import Places, Sandbox
from . import trees
from .bubblewrap import HOME, PLAY
from .model import Capacity, Command, Door, Exit, Inside, NodeRequest, Platform
from .pipe import Pipe
from .ports import Output
from .processes import kill_tree
from .sweeping import removed
from .user import current_user

_MARK = "GATEBOT_NODE"
_EVERYWHERE = frozenset(("", *(f"{root}/{kind}" for root in ("", "/usr", "/usr/local") for kind in ("bin", "sbin"))))


class Bare:
    """Nodes that are directories below `root`."""

    layered = True

    def __init__(self, root: Path, *, host: str) -> None:
        self._root = root
        self._host = host
        self._pipes: dict[str, list[Pipe]] = defaultdict(list)

    async def probe(self) -> Capacity:
        """There is nothing that could be missing."""
        return Capacity((Platform(canonical(platform.machine())),), 0, "none", Sandbox.NONE)

    async def create(self, request: NodeRequest) -> None:
        """The prepared layer is the node."""
        (self._root / request.node / HOME.lstrip("/")).mkdir(parents=True, exist_ok=True)

    async def wait_ready(self, node: str, deadline: float) -> None:
        """A directory is ready when it is there."""
        if not (self._root / node).is_dir():
            raise Unavailable(reason=reason("executor.node-not-made", told="nobody asked for it"))

    def places(self, node: str) -> Places:
        """Directories of this machine."""
        own = f"{self._root}/{node}"
        return Places(f"{own}{HOME}", f"{own}{PLAY}", self._host, f"{own}/own", user=current_user())

    def connect(self, node: str) -> BareConnection:
        """Run plain processes."""
        return BareConnection(node, self._pipes[node])

    def addresses(self, count: int) -> tuple[str, ...]:
        """They share this machine's network."""
        return ("127.0.0.1",) * count

    async def join(self, nodes: Sequence[str]) -> None:
        """They already are in one network."""

    def door(self, node: str) -> Door:
        """A socket in the node's directory, by a name that cannot be too long for one."""
        directory = os.open(self._root / node, os.O_DIRECTORY)
        listener = socket.socket(socket.AF_UNIX)
        try:
            listener.bind(f"/proc/self/fd/{directory}/door")
        finally:
            os.close(directory)
        (self._root / node / "door").chmod(0o600)
        listener.listen()
        return Door(listener.detach(), f"{self._root}/{node}/door")

    async def freeze(self, node: str, frozen: bool = True) -> None:
        """Stop the processes of the node, or let them go on."""
        _signal(node, signal.SIGSTOP if frozen else signal.SIGCONT)

    async def destroy(self, node: str) -> None:
        """Kill what runs and remove the directory; `Unavailable` while something in it stays."""
        await self.connect(node).kill()
        for pipe in self._pipes.pop(node, ()):
            pipe.close()
        if not await asyncio.to_thread(removed, self._root / node):
            raise Unavailable(reason=reason("executor.files-stay", path=str(self._root / node)))

    async def close(self) -> None:
        """Nodes that are left stay as they are, for who comes next."""
        for node in tuple(self._pipes):
            for pipe in self._pipes.pop(node):
                pipe.close()

    async def list_owned(self) -> tuple[str, ...]:
        """The directories that exist."""
        return tuple(sorted(path.name for path in self._root.iterdir() if path.is_dir())) if self._root.exists() else ()


class BareConnection:
    """Commands beside the server. `pipes` outlive their commands."""

    def __init__(self, node: str, pipes: list[Pipe]) -> None:
        self._node = node
        self._pipes = pipes

    @property
    def reach(self) -> Inside:
        """Playbooks run beside the server."""
        return Inside()

    async def put(self, source: PurePath, target: str) -> None:
        """By a stream: what the node's tree may hold is decided where it is unpacked."""
        await trees.put(self, source, target)

    async def get(self, path: str, target: PurePath, limit: int) -> None:
        """By a stream."""
        await trees.get(self, path, target, limit)

    async def run(
        self,
        command: Command,
        output: Output,
        *,
        started: Callable[[], None] | None = None,
        source: int | None = None,
    ) -> Exit:
        """Run a command to its end; its files are there only so long."""
        environment = {**command.env, "PATH": _programs(command.env.get("PATH", "")), _MARK: self._node}
        pipe = Pipe(output)
        self._pipes.append(pipe)
        with _written(command.files):
            with pipe.writing as writable:
                try:
                    process = await asyncio.create_subprocess_exec(
                        *command.argv,
                        env=environment,
                        cwd=command.cwd,
                        stdin=subprocess.DEVNULL if source is None else source,
                        stdout=writable,
                        stderr=writable,
                        start_new_session=True,
                    )
                except OSError as problem:
                    os.write(writable, f"{command.argv[0]}: {problem.strerror}\n".encode())
                    pipe.read()
                    return Exit(127)
            if started is not None:
                started()
            try:
                status = await process.wait()
            except asyncio.CancelledError:
                kill_tree(process.pid)
                raise
            pipe.read()
            return Exit(status)

    async def kill(self) -> None:
        """End the processes of the node, also those that left its session: they carry its mark."""
        for _ in range(200):
            if not _signal(self._node, signal.SIGKILL):
                return
            await asyncio.sleep(0.01)


def _programs(told: str) -> str:
    """Where programs are: this machine's own places in place of those that every node has."""
    ours = [place for place in told.split(os.pathsep) if place not in _EVERYWHERE]
    return os.pathsep.join([*ours, os.path.dirname(sys.executable), os.environ.get("PATH", "/usr/bin:/bin")])


@contextlib.contextmanager
def _written(files: Mapping[str, str]) -> Generator[None]:
    """Files that only this uid can read, for as long as a command runs."""
    try:
        for path, content in files.items():
            Path(path).parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
                file.write(content)
        yield
    finally:
        for path in files:
            Path(path).unlink(missing_ok=True)


def _signal(node: str, number: signal.Signals) -> int:
    """Signal every process that carries the mark; how many there were."""
    mark = f"{_MARK}={node}".encode()
    found = 0
    for entry in os.scandir("/proc"):
        if not entry.name.isdigit():
            continue
        with contextlib.suppress(OSError):
            if mark in Path(entry.path, "environ").read_bytes().split(b"\0"):
                os.kill(int(entry.name), number)
                found += 1
    return found
