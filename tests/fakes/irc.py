# SPDX-License-Identifier: Apache-2.0
"""IRC for tests: a plain client that people would be, and the two servers that the bot is tried on.

`Friend` speaks the raw protocol and knows nothing of the bot's code. `NgIrcd` runs Debian's server.
"""

from __future__ import annotations

import asyncio
import hashlib
import socket
import ssl
import subprocess
import time
from pathlib import Path
from typing import Protocol, Self

from gatebot.meetbot.irc.server import EmbeddedServer


class Server(Protocol):
    """A server that can be killed and brought back on its port."""

    port: int

    def start(self) -> None: ...
    def stop(self) -> None: ...


class Embedded:
    """Ours, on a port of its own for life."""

    def __init__(self) -> None:
        self.port = free_port()
        self._server: EmbeddedServer | None = None

    def start(self) -> None:
        self._server = EmbeddedServer(self.port)
        self._server.start()

    def stop(self) -> None:
        server, self._server = self._server, None
        if server is not None:
            server.stop()


class NgIrcd:
    """Debian's ngIRCd with a configuration of twenty lines; with a certificate it speaks TLS too, on a second port."""

    def __init__(self, program: str, folder: Path, certificate: Path | None = None) -> None:
        self.port = free_port()
        self.authority = certificate
        self.tls_port = free_port() if certificate is not None else None
        self._process: subprocess.Popen[bytes] | None = None
        path = folder / "ngircd.conf"
        files = f"CertFile = {certificate}\nKeyFile = {certificate}\n"
        encrypted = f"[SSL]\nPorts = {self.tls_port}\n{files}" if certificate else ""
        path.write_text(
            f"[Global]\nName = irc.example.test\nInfo = tests\nListen = 127.0.0.1\nPorts = {self.port}\n"
            "MotdPhrase = hello\n[Limits]\nMaxConnectionsIP = 0\nMaxNickLength = 20\n"
            "[Options]\nDNS = no\nIdent = no\nPAM = no\n"
            f"{encrypted}"
        )
        self._command = [program, "-n", "-f", str(path)]

    def start(self) -> None:
        self._process = subprocess.Popen(self._command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            time.sleep(0.02)
        raise RuntimeError("ngIRCd does not listen")

    def stop(self) -> None:
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            process.wait()


def certificate(program: str, folder: Path, name: str) -> tuple[Path, str]:
    """A certificate for 127.0.0.1 with its key, by openssl, and its fingerprint."""
    path, key = folder / f"{name}.pem", folder / f"{name}.key"
    subprocess.run(
        [program, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-keyout", str(key), "-out", str(path),
         "-subj", f"/CN={name}", "-addext", "subjectAltName=IP:127.0.0.1"], check=True, capture_output=True,
    )  # fmt: skip
    seen = hashlib.sha256(ssl.PEM_cert_to_DER_cert(path.read_text())).hexdigest()
    path.write_text(path.read_text() + key.read_text())
    return path, seen


def free_port() -> int:
    """A port nobody has now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Friend:
    """A person with an IRC client: joins, speaks, and waits for what others say."""

    def __init__(self, nick: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.nick = nick
        self.seen: list[str] = []
        self._reader = reader
        self._writer = writer

    @classmethod
    async def connect(cls, port: int, nick: str, channel: str = "") -> Self:
        """Come in, and into a channel."""
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        friend = cls(nick, reader, writer)
        friend.send(f"NICK {nick}", f"USER {nick} 0 * :{nick}")
        await friend.sees(" 001 ")
        if channel:
            friend.send(f"JOIN {channel}")
            await friend.sees(" 366 ")
        return friend

    def send(self, *lines: str | bytes) -> None:
        """Send raw lines."""
        for line in lines:
            self._writer.write((line if isinstance(line, bytes) else line.encode()) + b"\r\n")

    def say(self, channel: str, *texts: str) -> None:
        """Say something in a channel."""
        self.send(*(f"PRIVMSG {channel} :{text}" for text in texts))

    async def sees(self, part: str, timeout: float = 60) -> str:
        """The next line that holds a text; what comes before it is kept in `seen`."""
        async with asyncio.timeout(timeout):
            while True:
                raw = await self._reader.readline()
                if not raw:
                    raise ConnectionError(f"{self.nick} was cut off before seeing {part!r}; saw {self.seen[-5:]}")
                line = raw.decode(errors="replace").rstrip("\r\n")
                self.seen.append(line)
                if line.startswith("PING"):
                    self.send("PONG" + line[4:])
                if part in line:
                    return line

    async def meets(self, nick: str) -> None:
        """Wait until somebody is in a channel: was there before, or comes."""

        def there(line: str) -> bool:
            named = " 353 " in line and nick in line.rpartition(":")[2].replace("@", "").split()
            return named or (" JOIN " in line and line.startswith(f":{nick}!"))

        while not any(map(there, self.seen)):
            await self.sees("")
        self.seen.clear()

    async def close(self) -> None:
        """Leave."""
        self._writer.close()
        try:
            await self._writer.wait_closed()
        except OSError:
            return
