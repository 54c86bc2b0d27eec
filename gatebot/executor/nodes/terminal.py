# SPDX-License-Identifier: Apache-2.0
"""Somebody at a node: what is typed comes over a websocket, what is shown goes back, at the end the status.

The first message says what is wanted: JSON, a `Wanted`. Then binary messages are what was typed, a text of two numbers
is the size of the window, an empty text means that nothing more is typed. Who listens too slowly is cut off: nothing
grows without a limit. The other end is `gatebot node ssh`.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
from collections.abc import Callable, Coroutine
from typing import Any, TypeAlias

import msgspec
from aiohttp import ClientWebSocketResponse, WSMsgType, web

from ...errors import GatebotError
from ...reasons import reason
from ...words import say
from ..model import MIB
from ..providers.model import Exit
from ..providers.ports import Output
from .model import Wanted

Enter = Callable[[Wanted, int, Output], Coroutine[Any, Any, Exit]]
"""Runs what is wanted on the node; it reads from the descriptor."""
Socket: TypeAlias = "web.WebSocketResponse | ClientWebSocketResponse"
"""The visitor's end: he came here, or the server stands for him."""
_PATIENCE = 20.0
_BEHIND = 8 * MIB
_MOST = 1000  # words of a command
_WINDOW = re.compile(r"\d{1,4} \d{1,4}")


async def converse(socket: Socket, enter: Enter) -> None:
    """Serve one visitor until the command ends or the visitor leaves."""
    try:
        wanted = msgspec.json.decode(await socket.receive_str(timeout=_PATIENCE), type=Wanted)
        if len(wanted.argv) > _MOST or not _WINDOW.fullmatch(f"{wanted.rows} {wanted.columns}"):
            raise ValueError
    except (TypeError, ValueError, msgspec.MsgspecError, TimeoutError):
        await socket.send_json({"refused": say(reason("executor.terminal-unclear"))})
        return
    await _Visit(socket, wanted).serve(enter)


class _Visit:
    """One visitor. `shown` waits to be sent; None: the command ended."""

    def __init__(self, socket: Socket, wanted: Wanted) -> None:
        self._socket = socket
        self._wanted = wanted
        self._shown: asyncio.Queue[bytes | None] = asyncio.Queue()
        self._behind = 0

    async def serve(self, enter: Enter) -> None:
        """Until the command ends or the visitor leaves."""
        readable, writable = os.pipe()
        typing = asyncio.create_task(self._typed(writable))
        running = asyncio.create_task(enter(self._wanted, readable, self._show))
        running.add_done_callback(lambda _: self._shown.put_nowait(None))
        showing = asyncio.create_task(self._send())
        try:
            await asyncio.wait((typing, showing), return_when=asyncio.FIRST_COMPLETED)
            if showing.done() and running.done():
                await self._tell(running)
        finally:
            for task in (typing, running, showing):
                task.cancel()
            await asyncio.gather(typing, running, showing, return_exceptions=True)
            os.close(readable)

    def _show(self, piece: bytes) -> None:
        self._behind += len(piece)
        self._shown.put_nowait(piece)

    async def _send(self) -> None:
        with contextlib.suppress(ConnectionError):
            while (piece := await self._shown.get()) is not None and self._behind < _BEHIND:
                await self._socket.send_bytes(piece)
                self._behind -= len(piece)

    async def _tell(self, running: asyncio.Future[Exit]) -> None:
        try:
            ended = running.result()
        except GatebotError as problem:
            told = say(problem.reason) if problem.reason is not None else str(problem)
            await self._socket.send_json({"refused": told})
        else:
            await self._socket.send_json({"exit": ended.status if ended.status >= 0 else 128 - ended.status})

    async def _typed(self, writable: int) -> None:
        """Bring what is typed to the command, until the visitor is gone."""
        loop = asyncio.get_running_loop()
        protocol = asyncio.StreamReaderProtocol(asyncio.StreamReader())
        pipe, _ = await loop.connect_write_pipe(lambda: protocol, os.fdopen(writable, "wb", 0))
        writer = asyncio.StreamWriter(pipe, protocol, None, loop)
        try:
            async for message in self._socket:
                if message.type is WSMsgType.BINARY:
                    self._frame(writer, b"d", message.data)
                elif message.data:
                    if _WINDOW.fullmatch(message.data):
                        self._frame(writer, b"w", message.data.encode())
                else:
                    writer.close()
                with contextlib.suppress(ConnectionError):  # the command reads no more: that is no fault
                    await writer.drain()
        finally:
            writer.close()

    def _frame(self, writer: asyncio.StreamWriter, kind: bytes, content: bytes) -> None:
        if writer.is_closing():
            return
        if self._wanted.terminal:
            writer.write(kind + len(content).to_bytes(4, "big") + content)
        elif kind == b"d":
            writer.write(content)
