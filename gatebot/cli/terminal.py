# SPDX-License-Identifier: Apache-2.0
"""The person's end of `gatebot node ssh`: keys go to the node, what it shows comes back, also when the window changes.

On a terminal everything is the node's, down to Control-C; in a pipe plain bytes go both ways. Speaks to
`executor/nodes/terminal.py` over a websocket.
"""

from __future__ import annotations

import asyncio
import contextlib
import io
import json
import os
import signal
import sys
import termios
import threading
import tty
from collections.abc import Generator, Sequence
from functools import partial
from typing import Any

import aiohttp

from ..errors import Refused, Unavailable

_PIECE = 65536


def visit(url: str, authorization: str, command: Sequence[str]) -> int:
    """Be on the node until the command ends; its status."""
    with _raw() if sys.stdin.isatty() and sys.stdout.isatty() else contextlib.nullcontext(False) as terminal:
        return asyncio.run(_visit(url, authorization, command, terminal=bool(terminal)))


@contextlib.contextmanager
def _raw() -> Generator[bool, None, None]:
    """Keys come one by one, and none of them means anything here."""
    before = termios.tcgetattr(0)
    tty.setraw(0)
    try:
        yield True
    finally:
        termios.tcsetattr(0, termios.TCSADRAIN, before)


async def _visit(url: str, authorization: str, command: Sequence[str], *, terminal: bool) -> int:
    timeout = aiohttp.ClientTimeout(total=None, connect=20)
    headers = {"Authorization": authorization}
    try:
        async with (
            aiohttp.ClientSession(timeout=timeout, headers=headers) as session,
            session.ws_connect(url, heartbeat=20, max_msg_size=0) as socket,
        ):
            return await _converse(socket, command, terminal=terminal)
    except (aiohttp.ClientError, OSError) as problem:
        raise Unavailable(f"The connection to the site is lost ({problem}).") from None


async def _converse(socket: aiohttp.ClientWebSocketResponse, command: Sequence[str], *, terminal: bool) -> int:
    rows, columns = _size()
    wanted = {"argv": list(command), "terminal": terminal, "rows": rows, "columns": columns}
    await socket.send_json({**wanted, "term": os.environ.get("TERM", "dumb")})
    typed: asyncio.Queue[bytes | str] = asyncio.Queue()
    loop = asyncio.get_running_loop()
    if terminal:
        loop.add_signal_handler(signal.SIGWINCH, lambda: typed.put_nowait("{} {}".format(*_size())))
    threading.Thread(target=_read, args=(loop, typed), daemon=True).start()
    sending = asyncio.create_task(_send(socket, typed))
    try:
        async for message in socket:
            if message.type is aiohttp.WSMsgType.BINARY:
                _show(message.data)
            elif message.type is aiohttp.WSMsgType.TEXT:
                told: dict[str, Any] = json.loads(message.data)
                if "exit" in told:
                    return int(told["exit"])
                raise Refused(str(told.get("refused", "")))
    finally:
        sending.cancel()
    raise Unavailable("The node is gone, or what it printed came too fast. See: gatebot node list")


def _size() -> tuple[int, int]:
    """Rows and columns of the terminal that is typed at; variables such as COLUMNS may be of another one, or old."""
    try:
        found = os.get_terminal_size(0)
    except OSError:
        return 24, 80
    return found.lines, found.columns


def _show(piece: bytes) -> None:
    sys.stdout.buffer.write(piece)
    sys.stdout.buffer.flush()


def _read(loop: asyncio.AbstractEventLoop, typed: asyncio.Queue[bytes | str]) -> None:
    """On a thread: what is typed, until there is no more.

    Past Python's own buffer, whose lock would be held when the process ends.
    """
    try:
        source = sys.stdin.fileno()
    except io.UnsupportedOperation:  # it is no file: all of it is there
        pieces = iter((sys.stdin.buffer.read(), b""))
    else:
        pieces = iter(partial(os.read, source, _PIECE), None)
    with contextlib.suppress(RuntimeError):  # the visit is over
        while piece := next(pieces):
            loop.call_soon_threadsafe(typed.put_nowait, piece)
        loop.call_soon_threadsafe(typed.put_nowait, "")


async def _send(socket: aiohttp.ClientWebSocketResponse, typed: asyncio.Queue[bytes | str]) -> None:
    while True:
        piece = await typed.get()
        if isinstance(piece, bytes):
            await socket.send_bytes(piece)
        else:
            await socket.send_str(piece)
