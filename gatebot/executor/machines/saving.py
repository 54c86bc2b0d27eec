# SPDX-License-Identifier: Apache-2.0
"""Saved states: a machine that was started once, up to where it waits for its orders, and written to a file.

Nodes begin there instead of at the kernel. A state lies with its image, one for each shape that labels have, and is
made when the image is; it fits the very qemu and machine that made it, so its name says all that.
"""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import socket
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from ...errors import Unavailable
from ...reasons import reason
from .guest import WAITING
from .running import ENVIRONMENT, Running
from .shapes import Kind, Shape, boot, disk, hardware, key, network

_BOOTING = 900.0
_SAVING = 600.0
_STATES = "states"
_DISK, _STATE = "disk", "state"
_MIGRATION = "MIGRATION"


@dataclass(frozen=True, slots=True)
class Plan:
    """How the machines of one image run here: `how` is their acceleration, `version` the one of qemu."""

    kind: Kind
    image: Path
    how: tuple[str, ...]
    version: str

    def state(self, shape: Shape) -> Path:
        """The directory of the saved state for a shape."""
        return self.image / _STATES / key(self.version, hardware(self.kind, self.how, shape), shape)

    def is_saved(self, shape: Shape) -> bool:
        """Whether that is there."""
        return self.state(shape).is_dir()

    def line(self, name: str, shape: Shape, disk_file: str, forward: str, *, closed: bool) -> tuple[str, ...]:
        """The command line of a machine; the same for the one that is saved and for those that begin there."""
        start = boot(self.kind, f"{self.image}/kernel", f"{self.image}/initrd")
        wires = network(self.kind, forward, closed=closed)
        return (
            *(self.kind.program, "-name", name, *hardware(self.kind, self.how, shape)),
            *(*disk(self.kind, disk_file), *wires, *start),
        )

    async def begin(self, node: Path, shape: Shape, forward: str, *, closed: bool) -> Running:
        """Start a machine in a directory of its own: from its saved state where there is one, else from its kernel.

        The one from a state takes orders at once; the other has said that it waits when this returns.
        """
        state = self.state(shape)
        saved = await asyncio.to_thread(state.is_dir)
        await self._lay(node / _DISK, state / _DISK if saved else self.image / "disk.img", shape)
        line = self.line(f"gatebot-{node.name}", shape, _DISK, forward, closed=closed)
        if not saved:
            running = await Running.start(line, node)
            await running.hears(WAITING)
            return running
        descriptor = os.open(state / _STATE, os.O_RDONLY)
        try:
            return await Running.start((*line, "-incoming", f"fd:{descriptor}"), node, (descriptor,))
        finally:
            os.close(descriptor)

    async def save(self, shape: Shape) -> None:
        """Make the state for a shape, unless it is there."""
        target = self.state(shape)
        if target.is_dir():
            return
        made = target.with_suffix(".new")
        shutil.rmtree(made, ignore_errors=True)
        made.mkdir(parents=True)
        await self._lay(made / _DISK, Path("../../disk.img"), shape)
        ours, its = socket.socketpair()
        with its:
            control = ("-chardev", f"socket,id=m,fd={its.fileno()}", "-mon", "chardev=m,mode=control")
            line = self.line(f"gatebot-{target.name}", shape, _DISK, "", closed=True)
            running = await Running.start((*line, *control), made, (its.fileno(),))
        try:
            await asyncio.wait_for(running.hears(WAITING), _BOOTING)
            await asyncio.wait_for(_written(ours, made / _STATE), _SAVING)
        except TimeoutError as problem:
            raise Unavailable(reason=reason("executor.machine-ended", told="timeout")) from problem
        finally:
            await running.end()
        (made / "pid").unlink()
        for file in made.iterdir():
            file.chmod(0o444)
        made.rename(target)

    async def _lay(self, made: Path, base: Path, shape: Shape) -> None:
        """A disk that is all of another one, and room."""
        image = await asyncio.to_thread((self.image / "disk.img").stat)
        size = image.st_size + -(-shape.disk // 4096) * 4096
        form = "qcow2" if base.name == _DISK else "raw"
        process = await asyncio.create_subprocess_exec(
            *("qemu-img", "create", "-q", "-f", "qcow2", "-b", str(base), "-F", form, str(made), str(size)),
            env=ENVIRONMENT,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.PIPE,
        )
        _, said = await process.communicate()
        if process.returncode:
            raise Unavailable(reason=reason("executor.machine-ended", told=said.decode("utf-8", "replace").strip()))


async def _written(control: socket.socket, state: Path) -> None:
    """Have qemu write the machine to a file; it speaks JSON, a line each."""
    reader, writer = await asyncio.open_connection(sock=control)

    status = ""

    async def until(wanted: str) -> None:
        nonlocal status
        while line := await reader.readline():
            told = cast("dict[str, object]", json.loads(line))
            if "error" in told:
                break
            if told.get("event") == _MIGRATION:
                status = cast("dict[str, str]", told["data"])["status"]
            if wanted in told or told.get("event") == wanted:
                return
        raise Unavailable(reason=reason("executor.machine-ended", told=line.decode().strip()))

    async def ended() -> str:
        while status not in ("completed", "failed"):
            await until(_MIGRATION)
        return status

    async def ask(command: str, **arguments: object) -> None:
        writer.write(json.dumps({"execute": command, "arguments": arguments}).encode() + b"\n")
        await until("return")

    try:
        await until("QMP")
        await ask("qmp_capabilities")
        await ask("migrate-set-capabilities", capabilities=[{"capability": "events", "state": True}])
        await ask("migrate-set-parameters", **{"max-bandwidth": 1 << 40})
        await ask("migrate", uri=f"exec:cat > {state.name}")
        if await ended() == "failed":
            raise Unavailable(reason=reason("executor.machine-ended", told="migration failed"))
    finally:
        writer.close()
