# SPDX-License-Identifier: Apache-2.0
"""A TCP wire between a client and a server that can be cut: nothing passes, and nobody is told.

As in a real network what was sent meanwhile arrives when the wire is whole again, or the connection is reset then.
"""

from __future__ import annotations

import asyncio
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

from tests.fakes.irc import free_port

#: Clients of NATS say who they are in their first line.
_NAME = re.compile(rb'"name": ?"([^"]+)"')


@dataclass(eq=False)
class _Connection:
    writers: tuple[asyncio.StreamWriter, asyncio.StreamWriter]
    name: str = ""


@dataclass
class Wire:
    """All connections through one port; those of clients that are `cut` stand still."""

    target: int
    port: int = field(default_factory=free_port)
    _cut: set[str] = field(default_factory=set)
    _open: set[_Connection] = field(default_factory=set)

    def __post_init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._changed = asyncio.Event()
        self._thread = threading.Thread(target=self._loop.run_forever, name=f"wire to {self.target}")

    def cut(self, name: str = "") -> None:
        """Nothing of this client passes any more."""
        self._loop.call_soon_threadsafe(self._cut.add, name)

    def mend(self, name: str = "", *, reset: bool) -> None:
        """All passes again; `reset`: what was connected is not any more."""
        self._loop.call_soon_threadsafe(self._mend, name, reset)

    def _mend(self, name: str, reset: bool) -> None:
        for connection in [one for one in self._open if one.name == name] if reset else ():
            for writer in connection.writers:
                writer.transport.abort()
        self._cut.discard(name)
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self.target)
        except OSError:
            writer.transport.abort()
            return
        connection = _Connection((writer, far_writer))
        self._open.add(connection)
        pumps = self._pump(connection, reader, far_writer), self._pump(connection, far_reader, writer)
        try:
            await asyncio.gather(*pumps)
        except OSError:
            pass
        finally:
            self._open.discard(connection)
            for one in connection.writers:
                one.close()

    async def _pump(self, of: _Connection, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(64 * 1024):
            if not of.name and (told := _NAME.search(data)) and b"CONNECT" in data:
                of.name = told[1].decode()
            while of.name in self._cut:
                await self._changed.wait()
            writer.write(data)
            await writer.drain()
        with suppress(OSError, RuntimeError):
            writer.write_eof()

    @contextmanager
    def strung(self) -> Iterator[Wire]:
        """It leads somewhere, until the end."""
        self._thread.start()
        server = asyncio.run_coroutine_threadsafe(
            asyncio.start_server(self._serve, "127.0.0.1", self.port), self._loop
        ).result(10)
        try:
            yield self
        finally:
            asyncio.run_coroutine_threadsafe(self._end(server), self._loop).result(10)
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join()
            self._loop.close()

    async def _end(self, server: asyncio.Server) -> None:
        server.close()
        here = asyncio.current_task()
        left = [task for task in asyncio.all_tasks() if task is not here]
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)
