# SPDX-License-Identifier: Apache-2.0
"""Hosts that are reached by OpenSSH's client: one connection for all commands, known hosts only, nothing forwarded
but what the host is to find of this machine.

A host whose key is not known, or is another than the known one, is refused with what to do about it; nobody is ever
asked anything. Keys and known hosts are files of this machine that the site's settings name.
"""

from __future__ import annotations

import asyncio
import os
import subprocess
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

from ...errors import Refused, SettingsError, Unavailable
from ...reasons import Reason, reason
from .model import Command, Ssh
from .ports import Output
from .remote_shell import BOOT, quoted
from .shells import Line, ProcessChannel, ShellConnection
from .user import current_user

_OPTIONS = {
    "BatchMode": "yes",
    "StrictHostKeyChecking": "yes",
    "GlobalKnownHostsFile": "/dev/null",
    "UpdateHostKeys": "no",
    "IdentitiesOnly": "yes",
    "IdentityAgent": "none",
    "PreferredAuthentications": "publickey",
    "ForwardAgent": "no",
    "ForwardX11": "no",
    "ClearAllForwardings": "yes",
    "PermitLocalCommand": "no",
    "ConnectTimeout": "15",
    "ServerAliveInterval": "10",
    "ServerAliveCountMax": "3",
    "ControlMaster": "auto",
    "ControlPersist": "60",
}
_ENVIRONMENT = {"PATH": "/usr/local/bin:/usr/bin:/bin", "LC_ALL": "C"}


@dataclass(frozen=True, slots=True)
class Address:
    """A host as the settings write it: `USER@HOST:PORT`."""

    host: str
    user: str
    port: int = 22

    @classmethod
    def read(cls, text: str, user: str) -> Address:
        """From the settings; `user` is meant where none is written."""
        own, _, where = text.rpartition("@")
        host, colon, port = where.rpartition(":")
        if not colon or (":" in host and not host.startswith("[")):
            host, port = where, "22"
        host = host.strip("[]")
        if not host or host.startswith("-") or not port.isdecimal() or not 0 < int(port) < 65536:
            raise SettingsError(f"{text!r} is no host; write HOST, USER@HOST or USER@HOST:PORT.")
        return cls(host, own or user, int(port))

    def __str__(self) -> str:
        return f"{self.user}@{self.host}:{self.port}" if self.user else f"{self.host}:{self.port}"

    @property
    def known_as(self) -> str:
        """Its name in a file of known hosts."""
        return self.host if self.port == 22 else f"[{self.host}]:{self.port}"


@dataclass(slots=True)
class SshHost:
    """One host. `key` and `known_hosts` are files; `control` is a short directory for the socket of the connection.

    `shown` is a place there and a socket of this machine that it leads to; empty: none.
    """

    address: Address
    key: Path
    known_hosts: Path
    control: Path
    shown: str = ""
    _known: str = field(default="", init=False)

    @property
    def options(self) -> tuple[str, ...]:
        """The options of every call, without the host."""
        given = {
            **_OPTIONS,
            "UserKnownHostsFile": str(self.known_hosts),
            "IdentityFile": str(self.key),
            "ControlPath": f"{self.control}/%C",
            **({"ClearAllForwardings": "no", "RemoteForward": self.shown} if self.shown else {}),
        }
        return ("-F", "none", *(part for name, value in given.items() for part in ("-o", f"{name}={value}")))

    def line(self, node: str, *, whole: bool) -> Line:
        """All that is open to a node on this host."""
        where = self.address
        reach = Ssh(where.host, where.port, where.user or current_user(), self._known, str(self.key))
        return Line(node, self.open, reach, whole)

    async def open(self, first: bytes, source: int | None, output: Output) -> ProcessChannel:
        """Start a shell on the host."""
        where = self.address
        user = ("-l", where.user) if where.user else ()
        boot = "exec " + " ".join(word if word.isalnum() else quoted(word) for word in BOOT)
        argv = ("ssh", *self.options, "-T", "-p", str(where.port), *user, "--", where.host, boot)
        return await ProcessChannel.open(argv, _ENVIRONMENT, first, source, output)

    async def ask(self, *argv: str, deadline: float = 60.0) -> str:
        """Run a short command that must succeed; what it printed. Raises `Unavailable` with the reason why not."""
        printed = bytearray()
        line = self.line("", whole=False)
        try:
            command = Command(argv, {"PATH": "/usr/local/bin:/usr/bin:/bin"}, "/")
            ended = await asyncio.wait_for(ShellConnection(line).run(command, printed.extend), deadline)
        except (Unavailable, TimeoutError) as problem:
            told = str(problem.reason.get("told")) if isinstance(problem, Unavailable) and problem.reason else "timeout"
            raise Unavailable(reason=self.why(told)) from problem
        finally:
            await line.close()
        text = printed.decode("utf-8", "replace").strip()
        if ended.status:
            raise Unavailable(reason=reason("executor.host-refuses", host=str(self.address), told=text[-500:]))
        return text

    async def begin(self) -> None:
        """Read which key the host is known by; raises `Refused` where it is not known."""
        line = ("ssh-keygen", "-F", self.address.known_as, "-f", str(self.known_hosts))
        found = await asyncio.to_thread(subprocess.run, line, capture_output=True, text=True, env=_ENVIRONMENT)
        known = [text.split(" ", 1)[1] for text in found.stdout.splitlines() if text and text[0] not in "#@"]
        if not known:
            raise Refused(reason=self._unknown())
        self._known = known[0]

    async def close(self) -> None:
        """End the connection that all commands share."""
        line = ("ssh", *self.options, "-O", "exit", "-p", str(self.address.port))
        user = ("-l", self.address.user) if self.address.user else ()
        await asyncio.to_thread(
            subprocess.run, (*line, *user, "--", self.address.host), capture_output=True, env=_ENVIRONMENT
        )

    def why(self, told: str) -> Reason:
        """The reason for what ssh said."""
        host, file = str(self.address), str(self.known_hosts)
        if "REMOTE HOST IDENTIFICATION HAS CHANGED" in told:
            return reason("executor.host-key-changed", host=host, name=self.address.known_as, file=file)
        if "Host key verification failed" in told:
            return self._unknown()
        if "Permission denied" in told and not os.access(self.key, os.R_OK):
            return reason("executor.host-key-unreadable", host=host, key=str(self.key), user=current_user())
        if "Permission denied" in told:
            return reason("executor.host-key-denied", host=host, key=str(self.key))
        return reason("executor.host-unreachable", host=host, told=told.strip().rpartition("\n")[2][-300:])

    def _unknown(self) -> Reason:
        where = self.address
        scan = f"ssh-keyscan -p {where.port} {where.host} >> {self.known_hosts}"
        return reason("executor.host-key-unknown", host=str(where), file=str(self.known_hosts), command=scan)


def control_directory() -> Path:
    """A directory for sockets of connections, which have short names only."""
    return Path(tempfile.mkdtemp(prefix="gb-"))
