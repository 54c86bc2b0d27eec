# SPDX-License-Identifier: Apache-2.0
"""The way into a server that was just made: keys that nobody had before, and waiting until it answers with a key that
is believed.

A server is asked again until somebody gives it up: it boots, and cloud-init gives it its keys late. Only one key is
believed at a time, so that the one which is told to playbooks is the one that it has.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import subprocess
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from ...errors import GatebotError
from ...reasons import Reason, reason
from ..providers.host_places import prepare
from ..providers.pairs import new_pair
from ..providers.ssh import Address, SshHost
from .troubles import pauses
from .trust import Keys, on_console, on_offer

_WHERE = "address"
_LONGEST = 5.0
_STRANGE = frozenset({"executor.host-key-changed", "executor.host-key-unknown"})


@dataclass(frozen=True, slots=True)
class Way:
    """How servers of a provider are entered. `first`: a key is believed that nothing speaks for; `pause`: at first."""

    directory: str
    port: int = 22
    first: bool = False
    pause: float = 1.0


def new_keys(directory: Path) -> Keys:
    """Keys for a server; the one that lets us in is kept in the directory, which is made."""
    (host, host_public), (job, job_public) = new_pair(), new_pair()
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    _write(directory / "key", job)
    return Keys(host, host_public, job_public)


def remember(directory: Path, address: Address) -> None:
    """Keep where a server is beside what lets us in, for whoever runs here after this process."""
    _write(directory / _WHERE, json.dumps([address.host, address.user, address.port]))


def recalled(directory: Path) -> Address | None:
    """Where the server of a directory is, if it was ever entered."""
    try:
        host, user, port = json.loads((directory / _WHERE).read_text())
    except (OSError, ValueError):
        return None
    return Address(str(host), str(user), int(port))


async def enter(
    way: Way,
    keys: Keys,
    ssh: SshHost,
    node: str,
    *,
    console: Callable[[], Awaitable[str]],
    waits: Callable[[Reason], None],
) -> str:
    """Return when the node's directories are there, with the architecture of the server; `waits` hears why not yet."""
    believed: Sequence[str] = (keys.host_public,)
    for pause in pauses(way.pause, _LONGEST):
        for key in believed:
            await asyncio.to_thread(_write, ssh.known_hosts, f"{ssh.address.known_as} {key}\n")
            try:
                await ssh.begin()
                return await prepare(ssh, way.directory, node)
            except GatebotError as problem:
                why = problem.reason or reason("executor.host-unreachable", host=str(ssh.address), told=str(problem))
                strange = why.kind in _STRANGE
                waits(reason("executor.cloud-host-key", host=str(ssh.address)) if strange else why)
                if not strange:
                    break
        else:
            offered = await asyncio.to_thread(_offered, ssh.address) if way.first else ""
            believed = (keys.host_public, *on_console(await console()), *on_offer(offered))
        await asyncio.sleep(pause)
    raise AssertionError("pauses never end")


def _offered(address: Address) -> str:
    """What a server says of itself; nobody else speaks for it."""
    line = ("ssh-keyscan", "-T", "5", "-p", str(address.port), "--", address.host)
    with contextlib.suppress(OSError, subprocess.TimeoutExpired):
        return subprocess.run(line, capture_output=True, text=True, timeout=30).stdout
    return ""


def _write(path: Path, text: str) -> None:
    path.touch(mode=0o600)
    path.write_text(text)
