# SPDX-License-Identifier: Apache-2.0
"""The SSH server: who connects, by public key alone, and one command for each channel. The library ends here.

No terminal, no forwarding, no shell: a bare `ssh` is greeted and let go. What a command does is decided by `Sessions`;
this module carries bytes and exit statuses.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
from pathlib import Path
from typing import TypeAlias

import asyncssh

from ...identity import Account, Identity
from ..gerrit_json import VERSION
from .hook_files import HookFiles
from .host_keys import host_keys
from .sessions import Sessions

log = logging.getLogger(__name__)

_Process: TypeAlias = asyncssh.SSHServerProcess[bytes]
_CONNECTIONS = 1000
_CHANNELS = 100  # of one connection at a time
_LOGIN_SECONDS = 60
_CTRL_C = b"\x03"


class SshServer:
    """Listens, once it is told where."""

    def __init__(self, identity: Identity, sessions: Sessions, keys: Path) -> None:
        self._identity = identity
        self._sessions = sessions
        self._keys = keys
        self._acceptor: asyncssh.SSHAcceptor | None = None
        self._connections: set[asyncssh.SSHServerConnection] = set()
        logging.getLogger("asyncssh").setLevel(logging.ERROR)

    async def listen(self, where: socket.socket) -> None:
        """Answer on a bound socket from now on."""
        keys = await asyncio.to_thread(host_keys, self._keys)
        self._acceptor = await asyncssh.listen(
            sock=where,
            backlog=500,
            config=[],
            server_factory=lambda: _Login(self._identity, self._connections),
            server_host_keys=keys,
            server_version=f"GerritCodeReview_{VERSION}",
            process_factory=self._process,
            sftp_factory=HookFiles,
            encoding=None,
            line_editor=False,
            public_key_auth=True,
            password_auth=False,
            kbdint_auth=False,
            host_based_auth=False,
            gss_host=None,
            x11_forwarding=False,
            agent_forwarding=False,
            login_timeout=_LOGIN_SECONDS,
            keepalive_interval=60,
            keepalive_count_max=5,
        )

    async def close(self) -> None:
        """Hear nobody any more, and let go of everybody."""
        if self._acceptor is None:
            return
        self._acceptor.close()
        for connection in list(self._connections):
            connection.abort()
        await self._acceptor.wait_closed()

    async def _process(self, process: _Process) -> None:
        """One command, to its end."""
        connection = process.channel.get_connection()
        account: Account = connection.get_extra_info("account")
        open_now: int = connection.get_extra_info("channels", 0)
        connection.set_extra_info(channels=open_now + 1)
        pipe = _Pipe(process)
        try:
            if open_now >= _CHANNELS:
                await pipe.complain("fatal: too many commands at the same time on this connection\n")
                process.exit(1)
                return
            process.exit(await self._serve(process, pipe, account.id))
        except (asyncssh.Error, OSError):
            process.close()
        except Exception:
            log.exception("ssh: %s of %s", named(process.command or ""), account.username)
            with contextlib.suppress(asyncssh.Error, OSError):
                await pipe.complain("fatal: internal server error\n")
                process.exit(128)
        finally:
            connection.set_extra_info(channels=connection.get_extra_info("channels", 1) - 1)

    async def _serve(self, process: _Process, pipe: _Pipe, id: int) -> int:
        """The exit status. Connections live for days: rights and groups are those of now, not of the login."""
        account = await self._identity.by_id(id)
        if account is None or not account.active:
            await pipe.complain("fatal: This account is not active any more; ask an administrator of this site.\n")
            return 1
        status = await self._sessions.run(pipe, account, process.command, dict(process.env))
        await pipe.drained()
        return status


def named(command: str) -> str:
    """What a command is called, for the log: what stands behind its name may be a password or a whole review."""
    words = command.split()[:2]
    return " ".join(word for word in words if word.replace("-", "").isalpha())


class _Login(asyncssh.SSHServer):
    """Who connects. The library asks twice: whether the key would do, and again when it has signed."""

    def __init__(self, identity: Identity, connections: set[asyncssh.SSHServerConnection]) -> None:
        self._identity = identity
        self._connections = connections
        self._connection: asyncssh.SSHServerConnection | None = None

    def connection_made(self, conn: asyncssh.SSHServerConnection) -> None:
        self._connection = conn
        self._connections.add(conn)
        if len(self._connections) > _CONNECTIONS:
            log.warning("ssh: more than %d connections; the newest was refused", _CONNECTIONS)
            conn.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        del exc
        if self._connection is not None:
            self._connections.discard(self._connection)

    def begin_auth(self, username: str) -> bool:
        del username
        return True

    def public_key_auth_supported(self) -> bool:
        return True

    async def validate_public_key(self, username: str, key: asyncssh.SSHKey) -> bool:
        encoded = key.export_public_key("openssh").decode().split()[1]
        account = await self._identity.by_ssh_key(username, encoded)
        if account is not None and self._connection is not None:
            self._connection.set_extra_info(account=account)
        return account is not None


class _Pipe:
    """Implements `git.Stream` and `model.Terminal` on one channel."""

    def __init__(self, process: _Process) -> None:
        self._process = process

    async def read(self, most: int) -> bytes:
        """What comes next; a signal or a break is no data."""
        while True:
            try:
                return await self._process.stdin.read(most)
            except (asyncssh.SignalReceived, asyncssh.TerminalSizeChanged):
                continue
            except (asyncssh.BreakReceived, asyncssh.Error, OSError):
                return b""

    async def write(self, data: bytes) -> None:
        """As fast as the client takes it."""
        self._process.stdout.write(data)
        await self._process.stdout.drain()

    async def say(self, text: str) -> None:
        """Text, as UTF-8."""
        await self.write(text.encode("utf-8", "replace"))

    async def complain(self, text: str) -> None:
        """To the error output; where there is a terminal, lines end as it wants them to."""
        shown = text.replace("\n", "\r\n") if self._process.term_type else text
        self._process.stderr.write(shown.encode("utf-8", "replace"))
        await self._process.stderr.drain()

    async def all_input(self, most: int) -> bytes:
        """To the end of the input, or to one byte more than is wanted."""
        taken = bytearray()
        while len(taken) <= most and (data := await self.read(most + 1)):
            taken += data
        return bytes(taken)

    async def interrupted(self) -> None:
        """The end of the input alone is none: programs give their clients no input at all."""
        while data := await self.read(1024):
            if _CTRL_C in data:
                return
        await self._process.wait_closed()

    async def drained(self) -> None:
        """Everything that was said is on its way."""
        await self._process.stdout.drain()
        await self._process.stderr.drain()
