# SPDX-License-Identifier: Apache-2.0
"""The server's end of the workspace child: keep one warm, hand it orders, hear how they went.

The child does the work; here is only its life and the socket to it. A dead child is replaced at the next order.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import os
import socket
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import cast

from ..assignment import Json
from ..errors import Refused, Unavailable
from ..reasons import reason
from .providers.processes import kill_tree
from .providers.sweeping import removed
from .workspace_order import Order

log = logging.getLogger(__name__)
#: How many seconds the child may take to end.
_PATIENCE = 10.0


class Workspaces:
    """One child that prepares workspaces; started on first use or by `start`."""

    def __init__(self, mirrors: Path) -> None:
        self._mirrors = mirrors
        self._channel: socket.socket | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._ending: dict[str, asyncio.Task[None]] = {}

    def start(self) -> None:
        """Start the child, so that the first build does not wait for it."""
        if self._process is not None and self._process.poll() is None:
            return
        if self._channel is not None:
            self._channel.close()
        self._mirrors.mkdir(parents=True, exist_ok=True)
        ours, theirs = socket.socketpair()
        package = Path(__file__).resolve().parents[2]
        line = [sys.executable, "-P", "-m", "gatebot.executor.workspace", str(theirs.fileno()), str(self._mirrors)]
        environment = {"PATH": os.environ.get("PATH", "/usr/bin:/bin"), "PYTHONPATH": str(package)}
        if bundle := os.environ.get("SSL_CERT_FILE"):
            environment["GIT_SSL_CAINFO"] = bundle
        with theirs:
            self._process = subprocess.Popen(
                line, env=environment, pass_fds=[theirs.fileno()], stdin=subprocess.DEVNULL
            )
        self._channel = ours

    async def prepare(self, order: Order) -> list[dict[str, Json]]:
        """Prepare a layer; what its files of variables say. Raises `Unavailable` with what git said.

        Raises `Refused` where a file of variables is not there, or cannot be read: that will not change.
        """
        if (ending := self._ending.get(order.layer)) is not None:
            await asyncio.shield(ending)
        self.start()
        assert self._channel is not None
        ours, theirs = socket.socketpair()
        with theirs:
            socket.send_fds(self._channel, [b"order"], [theirs.fileno()])
        hearing = asyncio.create_task(_asked(ours, order))
        try:
            told = await asyncio.shield(hearing)
        except asyncio.CancelledError:  # nobody wants it any more, but what prepares it goes on
            self._ending[order.layer] = asyncio.create_task(self._forget(order.layer, hearing))
            raise
        answer = cast("dict[str, Json]", json.loads(told)) if told else {"failed": "the preparing process ended"}
        if "unusable" in answer:
            raise Refused(reason=reason("executor.include-unusable", told=str(answer["unusable"])[:1000]))
        if "failed" in answer:
            text = str(answer["failed"]).strip() or "git failed"
            log.warning("a workspace cannot be prepared: %s", answer.get("trace") or text)
            raise Unavailable(reason=reason("executor.workspace-failed", told=text[:1000]))
        return cast("list[dict[str, Json]]", answer["included"])

    async def _forget(self, layer: str, hearing: asyncio.Task[bytes]) -> None:
        """Take a layer away once nothing is written to it any more."""
        await asyncio.wait([hearing])
        await asyncio.to_thread(removed, layer)
        del self._ending[layer]

    async def write(self, layer: Path, files: Mapping[str, str]) -> None:
        """Put files into a prepared layer, before any node sees it."""
        await asyncio.to_thread(_write, layer, files)

    def close(self) -> None:
        """End the child: it hears that nobody wants anything any more, and where it does not it is killed."""
        if self._channel is not None:
            self._channel.close()
        if self._process is not None:
            try:
                self._process.wait(_PATIENCE)
            except subprocess.TimeoutExpired:
                kill_tree(self._process.pid)
                self._process.wait()
        self._channel = self._process = None


async def _asked(channel: socket.socket, order: Order) -> bytes:
    """What is answered to an order."""
    reader, writer = await asyncio.open_unix_connection(sock=channel)
    try:
        writer.write(order.to_bytes())
        writer.write_eof()
        return await reader.read()
    finally:
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()


def _write(layer: Path, files: Mapping[str, str]) -> None:
    for name, text in files.items():
        path = layer / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
