# SPDX-License-Identifier: Apache-2.0
"""A virtual machine that runs: its process, what it says on its console, what it is told there, its end.

Knows how a process of qemu is started and ended, and nothing of nodes. A machine outlives the server that started it;
it is found again by its directory and by the name that its command line carries.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import signal
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ...errors import Unavailable
from ...reasons import reason
from ..providers.processes import kill_child
from .guest import WAITING, last_words
from .shapes import EMULATED, TRIAL, VIRTUALIZED, Kind, Shape, boot, hardware

ENVIRONMENT = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C"}
_PID = "pid"
_KEPT = 4000
#: A processor that does not start a machine in this time does not run it at speed either.
_VIRTUALIZED_DEADLINE = 15.0
#: Where all is emulated, on a machine that is busy; a kernel that does not start mostly says so, and ends.
_TRIAL_DEADLINE = 600.0


@dataclass(slots=True)
class Running:
    """One machine, as long as this process knows it."""

    process: asyncio.subprocess.Process
    _said: bytes = b""
    _draining: asyncio.Task[None] | None = field(default=None)

    @classmethod
    async def start(cls, line: Sequence[str], directory: Path, passed: Sequence[int] = ()) -> Running:
        """Start qemu in a directory; `passed` are descriptors that its command line names."""
        process = await asyncio.create_subprocess_exec(
            *line,
            cwd=directory,
            env=ENVIRONMENT,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            pass_fds=passed,
            start_new_session=True,
        )
        (directory / _PID).write_text(str(process.pid))
        return cls(process)

    async def hears(self, *words: bytes) -> bytes:
        """The first of these that the machine says; what was before it is forgotten.

        Raises `Unavailable` with its last words when it ends before.
        """
        assert self.process.stdout is not None
        while not (found := [(place, word) for word in words if (place := self._said.find(word)) >= 0]):
            piece = await self.process.stdout.read(4096)
            if not piece:
                raise Unavailable(reason=reason("executor.machine-ended", told=last_words(self._said)))
            self._said = (self._said + piece.replace(b"\r", b""))[-_KEPT:]
        place, word = min(found)
        self._said = self._said[place + len(word) :]
        return word

    def tell(self, line: bytes) -> None:
        """Say a line on its console."""
        assert self.process.stdin is not None
        self.process.stdin.write(line)

    def leave(self) -> None:
        """Nobody listens to its console any more; it must not wait for that."""
        self._draining = asyncio.create_task(self._drain())

    async def _drain(self) -> None:
        assert self.process.stdout is not None
        while await self.process.stdout.read(65536):
            pass

    async def end(self) -> None:
        """End it at once."""
        kill_child(self.process)
        await self.process.wait()
        if self._draining is not None:
            await asyncio.wait([self._draining])


async def end_left(directory: Path) -> None:
    """End the machine of a directory whose server is gone."""
    pid = _left(directory)
    if pid is None:
        return
    with contextlib.suppress(ProcessLookupError):
        watched = os.pidfd_open(pid)
        try:
            gone = asyncio.Event()
            asyncio.get_running_loop().add_reader(watched, gone.set)
            os.kill(pid, signal.SIGKILL)
            await gone.wait()
        finally:
            asyncio.get_running_loop().remove_reader(watched)
            os.close(watched)


def _left(directory: Path) -> int | None:
    """The process of a machine; its number may be another one's by now."""
    try:
        pid = int((directory / _PID).read_text())
        line = Path(f"/proc/{pid}/cmdline").read_bytes()
    except (OSError, ValueError):
        return None
    return pid if f"gatebot-{directory.name}".encode() in line.split(b"\0") else None


def program(kind: Kind) -> str | None:
    """Where qemu for a kind of machine is; None: not here."""
    return shutil.which(kind.program, path=ENVIRONMENT["PATH"])


async def version(kind: Kind) -> str:
    """What qemu says of itself."""
    process = await asyncio.create_subprocess_exec(
        kind.program, "--version", env=ENVIRONMENT, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL
    )
    told, _ = await process.communicate()
    return told.decode("utf-8", "replace").partition("\n")[0]


async def acceleration(kind: Kind, image: Path, *, own: bool) -> tuple[str, ...]:
    """How machines of a kind run here, found by starting one. `own`: it is this machine's architecture.

    Neither the device /dev/kvm nor that it opens says that a kernel starts in it. Raises `Unavailable` where none does.
    """
    if own and os.access("/dev/kvm", os.R_OK | os.W_OK):
        with contextlib.suppress(TimeoutError):  # what is too slow with one processor model is with any
            for tried in VIRTUALIZED:
                with contextlib.suppress(Unavailable):
                    await _trial(kind, image, tried, _VIRTUALIZED_DEADLINE)
                    return tried
    try:
        await _trial(kind, image, EMULATED, _TRIAL_DEADLINE)
    except TimeoutError as problem:
        raise Unavailable(reason=reason("executor.machine-ended", told="timeout")) from problem
    return EMULATED


async def _trial(kind: Kind, image: Path, how: tuple[str, ...], deadline: float) -> None:
    """Start a kernel with nothing behind it."""
    shape = Shape(1, 256 * 1024 * 1024, 0)
    line = [kind.program, *hardware(kind, how, shape), *boot(kind, f"{image}/kernel", f"{image}/initrd", TRIAL)]
    process = await asyncio.create_subprocess_exec(
        *line,
        env=ENVIRONMENT,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        start_new_session=True,
    )
    running = Running(process)
    try:
        await asyncio.wait_for(running.hears(WAITING), deadline)
    finally:
        await running.end()
