# SPDX-License-Identifier: Apache-2.0
"""What the program `ssh` in a control sandbox is connected to: each call runs one command on one node of the build.

A playbook for several nodes, or for one that is elsewhere, runs in a sandbox without network. There `ssh HOST COMMAND`
asks here, through the sandbox's door, and the command runs over the node's `Connection`. No key ever enters, and no
other host than the build's own nodes answers.

A call is one line of JSON, then what the command reads. The answer comes in frames: a letter (`o` output, `e` errors,
`x` the exit status as text), four bytes of length, the content.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import secrets
import socket
from collections.abc import Awaitable, Mapping
from dataclasses import dataclass, field
from typing import cast

from ..errors import GatebotError
from .marked import BEGIN, SCRIPT, Marked
from .providers.model import Command, Door, Exit
from .providers.ports import Connection

_LINE_LIMIT = 1024 * 1024
_PIECE = 64 * 1024
_UNREAD = 1024 * 1024  # bytes that wait here for a caller, before its command has to wait
_CALLS = 100  # at once: each takes descriptors of the executor
#: What ssh ends with when the fault is not the command's.
_UNREACHABLE = 255


@dataclass(frozen=True, slots=True)
class Line:
    """A way to one node: its connection, and the environment of who logs in there."""

    connection: Connection
    env: Mapping[str, str]


@dataclass(slots=True)
class Switchboard:
    """The lines of one build by every name of its nodes; it serves from `open` to `close`."""

    lines: Mapping[str, Line]
    _server: asyncio.Server | None = None
    _calls: set[asyncio.Task[None]] = field(default_factory=set["asyncio.Task[None]"])

    async def open(self, door: Door) -> None:
        """Answer at the door."""
        self._server = await asyncio.start_server(
            self._called, sock=socket.socket(fileno=door.listener), limit=_LINE_LIMIT
        )

    async def close(self) -> None:
        """End every call."""
        if self._server is not None:
            self._server.close()
        calls = tuple(self._calls)
        for call in calls:
            call.cancel()
        await asyncio.gather(*calls, return_exceptions=True)

    async def _called(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        call = asyncio.current_task()
        if call is None or len(self._calls) >= _CALLS:
            writer.close()
            return
        self._calls.add(call)
        try:
            await self._answer(reader, writer)
        except (OSError, ValueError, asyncio.CancelledError):  # a call that is cut off ends what it ran
            pass
        finally:
            self._calls.discard(call)
            writer.close()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            asked: object = json.loads(await reader.readline())
        except RecursionError:
            return
        if not isinstance(asked, dict):
            return
        asked = cast("dict[str, object]", asked)
        host, command = str(asked.get("host")), str(asked.get("command"))
        line = self.lines.get(host)
        if line is None:
            known = ", ".join(sorted(self.lines))
            _frame(writer, b"e", f"ssh: {host} is no node of this build; there are {known}\n".encode())
            status = _UNREACHABLE
        else:
            status = await self._run(line, command, reader, writer)
        _frame(writer, b"x", str(status).encode())
        await writer.drain()

    async def _run(self, line: Line, command: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> int:
        """Run a command on a node, until it ends or nobody listens any more."""
        marked = Marked(BEGIN + secrets.token_hex(16).encode())

        def came(piece: bytes) -> Awaitable[None] | None:
            output, said = marked.feed(piece)
            _frame(writer, b"o", output)
            _frame(writer, b"e", said)
            return _drained(writer) if writer.transport.get_write_buffer_size() > _UNREAD else None

        readable, writable = os.pipe()
        feeding = asyncio.create_task(_feed(reader, writable))
        told = Command(("sh", "-c", SCRIPT, "sh", marked.mark.decode(), command), line.env, line.env["HOME"])
        running = asyncio.create_task(line.connection.run(told, came, source=readable))
        gone = asyncio.create_task(writer.wait_closed())
        try:
            await asyncio.wait((running, gone), return_when=asyncio.FIRST_COMPLETED)
            if not running.done():
                raise ConnectionError
            ended = running.result()
        except GatebotError as problem:
            _frame(writer, b"e", f"ssh: the node does not answer: {problem}\n".encode())
            return _UNREACHABLE
        finally:
            for task in (running, feeding, gone):
                task.cancel()
            await asyncio.gather(running, feeding, gone, return_exceptions=True)
            os.close(readable)
        _frame(writer, b"o", marked.end())
        _frame(writer, b"e", _why(ended))
        if not marked.past and not ended.out_of_memory:
            return _UNREACHABLE  # what would have set the mark was killed: the node goes away
        return ended.status if ended.status >= 0 else 128 - ended.status


def _why(ended: Exit) -> bytes:
    """What the command itself could not say of its end."""
    if ended.status == 0:
        return b""
    if ended.out_of_memory:
        return b"the node's memory was used up\n"
    return b"the node's disk is full\n" if ended.disk_full else b""


async def _drained(writer: asyncio.StreamWriter) -> None:
    """When the caller has read on, or is gone."""
    with contextlib.suppress(OSError):
        await writer.drain()


def _frame(writer: asyncio.StreamWriter, kind: bytes, content: bytes) -> None:
    if content and not writer.is_closing():
        writer.write(kind + len(content).to_bytes(4, "big") + content)


class _Tap(asyncio.BaseProtocol):
    """Tells when a pipe takes more."""

    def __init__(self) -> None:
        self.free = asyncio.Event()
        self.free.set()

    def pause_writing(self) -> None:
        self.free.clear()

    def resume_writing(self) -> None:
        self.free.set()

    def connection_lost(self, exc: Exception | None) -> None:
        self.free.set()


async def _feed(reader: asyncio.StreamReader, writable: int) -> None:
    """Bring what the caller gives to the command; a command that reads no more is no fault."""
    pipe, tap = await asyncio.get_running_loop().connect_write_pipe(_Tap, os.fdopen(writable, "wb", 0))
    try:
        while not pipe.is_closing() and (piece := await reader.read(_PIECE)):
            pipe.write(piece)
            await tap.free.wait()
    finally:
        pipe.close()
