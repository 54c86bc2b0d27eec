# SPDX-License-Identifier: Apache-2.0
"""The server's end of the privileged process: start it, become nobody, ask it, hear how runs end.

`start` and `drop` are called before the event loop, while the server may still be root; everything else is
asynchronous and runs as the server's own uid.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import cast

from ...errors import Refused, Unavailable
from ...reasons import reason
from ..model import Sandbox
from . import cgroups, emulation, rootless, subordinate
from .checks import Config
from .model import Exit

_CEILING = 256 * 1024
#: Far above the ids of people, services, containers and subordinate ranges.
MACHINE_UIDS = 1_900_000_000
_NAMESPACE_UIDS = 1
_UIDS = 1024  # of jobs at once; as root as many ranges
_PATIENCE = 60.0


#: The privileged process is in a space of processes of its own, which the kernel ends whole, whatever was being made in
#: it: with `unshare`, whose end its child hears, and with its first process. That ends with the privileged one, and
#: waits for whoever has lost the parent who would.
_SPACE = ("unshare", "--mount", "--pid", "--mount-proc", "--fork", "--kill-child", "--")
_FIRST = 'trap "" INT TERM; "$@"; exit'
#: Jobs are entered from the interpreter's process. Where it is owned by their own uid, they must not write to it.
_UNWRITABLE = 'mount --bind "$1" "$1" && mount -o remount,bind,ro "$1" && shift || exit; '


def start(config: Config, sandbox: Sandbox) -> socket.socket:
    """Start the privileged process: as root, or as root of a new user namespace. The socket is the way to it.

    Returns when it is ready, or raises `Unavailable` with what was said.
    """
    cgroups.make_room()
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    package = Path(__file__).resolve().parents[3]
    line = [sys.executable, "-P", "-m", "gatebot.executor.providers.privileged", str(theirs.fileno())]
    line.append(json.dumps(config.to_json()))
    locked = [_UNWRITABLE + _FIRST, "sh", os.path.realpath(sys.executable)]
    line = [*_SPACE, "sh", "-c", *(locked if sandbox is Sandbox.ROOTLESS else [_FIRST, "sh"]), *line]
    environment = {"PATH": "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin", "PYTHONPATH": str(package)}
    with tempfile.TemporaryFile() as said, theirs:
        given = [theirs.fileno()]
        if sandbox is Sandbox.ROOTLESS:
            most = config.uid_count + config.range_count * subordinate.RANGE
            process = rootless.start(line, most, environment=environment, given=given, said=said)
        else:
            process = subprocess.Popen(line, env=environment, pass_fds=given, stdin=subprocess.DEVNULL, stderr=said)
        theirs.close()
        ours.settimeout(_PATIENCE)
        try:
            told = json.loads(ours.recv(_CEILING) or b'{"error": ""}').get("error")
        except TimeoutError:
            told = "it did not start in time"
        if told is None:
            _STARTED[ours.fileno()] = process
            return ours
        process.kill()
        process.wait()
        ours.close()
        said.seek(0)
        text = f"{told} {said.read().decode('utf-8', 'replace')}".strip()[-500:]
        raise Unavailable(reason=reason("executor.sandbox-refused", told=text))


#: Processes by the socket that leads to them, so that closing one also reaps the other.
_STARTED: dict[int, subprocess.Popen[bytes]] = {}


def processes() -> tuple[subprocess.Popen[bytes], ...]:
    """The privileged processes that this server started."""
    return tuple(_STARTED.values())


def config_for(
    sandbox: Sandbox, *, root: Path, images: Path, instance: str, shown: Mapping[str, str], full: bool, server_uid: int
) -> Config:
    """The fixed configuration of the privileged process for a way of sandboxing. `shown` maps targets to sources."""
    machine = sandbox is Sandbox.PRIVILEGED
    most = _UIDS * (1 + subordinate.RANGE) if machine else rootless.ids()
    count = min(most, _UIDS)
    first = MACHINE_UIDS if machine else _NAMESPACE_UIDS
    present = tuple((source, target) for target, source in shown.items() if os.path.exists(source))
    return Config(
        instance=instance,
        layers=str(root),
        images=str(images),
        shown=present,
        server_uid=server_uid if machine else 0,
        uid_first=first,
        uid_count=count,
        range_first=first + _UIDS,
        range_count=(most - count) // subordinate.RANGE,
        machine_root=machine,
        lock_namespaces=_bubblewrap_locks(),
        full=full,
        emulators=tuple((one.arch, one.path) for one in emulation.installed()),
    )


def _bubblewrap_locks() -> bool:
    if shutil.which("bwrap") is None:
        return False
    told = subprocess.run(["bwrap", "--help"], capture_output=True, text=True, check=False)
    return "--disable-userns" in told.stdout


def drop(uid: int, gid: int) -> None:
    """Stop being root, for good. The server runs nothing of a stranger's before this."""
    if os.geteuid() != 0:
        return
    os.setgroups([])
    os.setresgid(gid, gid, gid)
    os.setresuid(uid, uid, uid)
    os.environ["HOME"] = "/"


class Link:
    """Questions to the privileged process, from the event loop."""

    def __init__(self, channel: socket.socket) -> None:
        self._channel = channel
        self._ids = itertools.count(1)
        self._answers: dict[int, asyncio.Future[tuple[dict[str, object], list[int]]]] = {}
        self._ends: dict[str, asyncio.Future[Exit]] = {}
        self._open = False

    def _listen(self) -> None:
        if not self._open:
            self._channel.setblocking(False)
            asyncio.get_running_loop().add_reader(self._channel.fileno(), self._receive)
            self._open = True

    async def ask(self, verb: str, *given: int, **arguments: object) -> tuple[dict[str, object], list[int]]:
        """One question; its answer and the descriptors that came with it. A refusal raises `Refused`."""
        self._listen()
        number = next(self._ids)
        answer = asyncio.get_running_loop().create_future()
        self._answers[number] = answer
        message = json.dumps({"id": number, "verb": verb, **arguments}).encode()
        try:
            if len(message) > _CEILING // 2:
                raise Refused("The command and its environment are too long.")
            socket.send_fds(self._channel, [message], list(given))
            content, descriptors = await answer
        except (BrokenPipeError, ConnectionResetError) as gone:
            raise Unavailable(reason=reason("executor.privileged-gone")) from gone
        finally:
            self._answers.pop(number, None)
        if "error" in content:
            raise Refused(f"{verb}: {content['error']}")
        return content, descriptors

    def ending(self, run: str) -> asyncio.Future[Exit]:
        """How a run will end; asked for before the run is started."""
        future: asyncio.Future[Exit] = asyncio.get_running_loop().create_future()
        self._ends[run] = future
        future.add_done_callback(lambda _: self._ends.pop(run, None))
        return future

    async def close(self) -> None:
        """Let the privileged process end, and all jobs with it."""
        number = self._channel.fileno()
        if number < 0:
            return
        if self._open:
            asyncio.get_running_loop().remove_reader(number)
            self._open = False
        self._channel.close()
        process = _STARTED.pop(number, None)
        if process is not None:
            await asyncio.to_thread(process.wait, _PATIENCE)

    def _receive(self) -> None:
        try:
            message, descriptors, _, _ = socket.recv_fds(self._channel, _CEILING, 4)
        except BlockingIOError:
            return
        except OSError:
            message, descriptors = b"", []
        if not message:
            self._lost()
            return
        content = cast("dict[str, object]", json.loads(message))
        if "ended" in content:
            _settle(
                self._ends.get(str(content["ended"])),
                Exit(
                    int(cast("int", content["status"])),
                    bool(content["oom"]),
                    bool(content["full"]),
                    bool(content.get("robbed")),
                ),
            )
            return
        waiting = self._answers.get(cast("int", content.get("id")))
        if waiting is None or waiting.done():
            for descriptor in descriptors:
                os.close(descriptor)
        else:
            waiting.set_result((content, list(descriptors)))

    def _lost(self) -> None:
        """The privileged process is gone, and every job with it."""
        asyncio.get_running_loop().remove_reader(self._channel.fileno())
        self._open = False
        gone = Unavailable(reason=reason("executor.privileged-gone"))
        for future in (*self._answers.values(), *self._ends.values()):
            if not future.done():
                future.set_exception(gone)


def _settle(future: asyncio.Future[Exit] | None, value: Exit) -> None:
    if future is not None and not future.done():
        future.set_result(value)
