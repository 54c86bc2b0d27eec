# SPDX-License-Identifier: Apache-2.0
"""A NATS server of this site's own, as a child of its server: for sites that have none.

It lives as long as we do: the kernel ends it when we are killed. What is in it may be lost at any time.
"""

from __future__ import annotations

import asyncio
import ctypes
import shutil
import signal
import sys
from pathlib import Path

from ...errors import Unavailable
from ...reasons import reason
from .nats_access import configuration

_PR_SET_PDEATHSIG = 1
_STARTING = 10.0
_LIBC = ctypes.CDLL(None, use_errno=True)


def program() -> str:
    """The NATS server that came with this installation, or the machine's. Raises `Unavailable`."""
    own = Path(sys.prefix) / "bin" / "nats-server"
    found = str(own) if own.exists() else shutil.which("nats-server")
    if found is None:
        raise Unavailable(reason=reason("executor.no-nats-server"))
    return found


class NatsChild:
    """`listen` is HOST:PORT; `directory` is for its configuration and for nothing that must last."""

    def __init__(self, listen: str, directory: Path, issuer: str, password: str, tls: tuple[str, str] | None) -> None:
        self._listen = listen
        self._directory = directory
        self._text = f"listen: {listen}\nserver_name: gatebot\nmax_payload: 1MB\n" + configuration(issuer, password)
        self._text += f'jetstream {{ store_dir: "{directory}", max_memory_store: 64MB, max_file_store: 16MB }}\n'
        if tls is not None:
            self._text += f'tls {{ cert_file: "{tls[0]}", key_file: "{tls[1]}" }}\n'
        self._process: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        """Start it; it listens afterwards. Raises `Unavailable` with what it said."""
        self._directory.mkdir(parents=True, exist_ok=True)
        file = self._directory / "nats.conf"
        file.touch(0o600)
        file.chmod(0o600)  # it holds the server's password
        file.write_text(self._text)
        self._process = await asyncio.create_subprocess_exec(
            program(), "-c", str(file), "-l", str(self._directory / "nats.log"), stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL, preexec_fn=_die_with_parent,
        )  # fmt: skip
        host, _, port = self._listen.rpartition(":")
        host = {"0.0.0.0": "127.0.0.1", "[::]": "::1"}.get(host, host.strip("[]"))  # noqa: S104
        try:
            async with asyncio.timeout(_STARTING):
                while not await self._answers(host, int(port)):  # noqa: ASYNC110 - it tells nobody when it listens
                    await asyncio.sleep(0.02)
        except TimeoutError:
            raise Unavailable(reason=reason("executor.nats-silent", listen=self._listen)) from None

    async def run(self) -> None:
        """Return when it ends by itself."""
        if self._process is not None:
            await self._process.wait()

    async def close(self) -> None:
        """End it."""
        process = self._process
        if process is not None and process.returncode is None:
            process.terminate()
            try:
                await asyncio.wait_for(process.wait(), 5)
            except TimeoutError:
                process.kill()
                await process.wait()

    async def _answers(self, host: str, port: int) -> bool:
        if self._process is not None and self._process.returncode is not None:
            said = (self._directory / "nats.log").read_text("utf-8", "replace").strip().splitlines()[-1:]
            raise Unavailable(reason=reason("executor.nats-ended", listen=self._listen, told=" ".join(said)))
        try:
            _, writer = await asyncio.open_connection(host, port)
        except OSError:
            return False
        writer.close()
        return True


def _die_with_parent() -> None:
    _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
