# SPDX-License-Identifier: Apache-2.0
"""Connections to nodes that are elsewhere: commands over channels that carry bytes, whatever the channel is.

What a channel is (a process such as ssh, a web socket) is the provider's matter; what goes over it is in
`remote_shell.py`. Channels stay open for what a command left running, and are closed with the node.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePath
from typing import Protocol, TypeAlias
from uuid import uuid4

from ...errors import Unavailable
from ...reasons import reason
from . import trees
from .model import Command, Exit, Reach
from .pipe import Pipe
from .ports import Output
from .processes import kill_child
from .remote_shell import NODE_MARK, RUN_MARK, Splitter, line, mark, signalling

_PIECE = 64 * 1024


class Channel(Protocol):
    """Bytes to a shell on a node and back."""

    async def closed(self) -> str:
        """Return when nothing more can come back, with what there was to say about it."""
        ...

    async def close(self) -> None:
        """Let go."""
        ...


#: Starts a shell on the node: what it reads first, a descriptor that it reads then, and who gets what it prints.
Open: TypeAlias = Callable[[bytes, int | None, Output], Awaitable[Channel]]


@dataclass(slots=True)
class Line:
    """All that is open to one node. `whole`: all processes there are the node's, else those that carry its mark."""

    node: str
    open: Open
    reach: Reach
    whole: bool = False
    kills: int = 0
    channels: list[Channel] = field(default_factory=list[Channel])

    async def close(self) -> None:
        """Close every channel."""
        channels, self.channels = self.channels, []
        for channel in channels:
            await channel.close()


class ShellConnection:
    """Commands on a node over its `Line`."""

    def __init__(self, line: Line) -> None:
        self._line = line

    @property
    def reach(self) -> Reach:
        """What the provider says."""
        return self._line.reach

    async def put(self, source: PurePath, target: str) -> None:
        """By a stream that the node's user unpacks."""
        await trees.put(self, source, target)

    async def get(self, path: str, target: PurePath, limit: int) -> None:
        """By a stream that the node's user packs."""
        await trees.get(self, path, target, limit)

    async def run(
        self,
        command: Command,
        output: Output,
        *,
        started: Callable[[], None] | None = None,
        source: int | None = None,
    ) -> Exit:
        """Run a command to its end; a channel that breaks before raises `Unavailable`."""
        run = uuid4().hex
        marks = {NODE_MARK: self._line.node, RUN_MARK: run}
        try:
            return await self._told(command, marks, output, started, source)
        except asyncio.CancelledError:
            with contextlib.suppress(Unavailable):  # of a node that is gone nothing is left to end
                await self._signal(mark(RUN_MARK, run), "KILL")
            raise

    async def kill(self) -> None:
        """End every process of the node."""
        self._line.kills += 1
        await self.signal("KILL")

    async def signal(self, name: str) -> None:
        """Signal every process of the node."""
        await self._signal("" if self._line.whole else mark(NODE_MARK, self._line.node), name)

    async def _signal(self, marked: str, name: str) -> None:
        ended = await self._told(signalling(marked, name), {}, lambda _: None, None, None)
        if ended.status:
            raise Unavailable(reason=reason("executor.node-gone", told=f"processes outlive signal {name}"))

    async def _told(
        self,
        command: Command,
        marks: Mapping[str, str],
        output: Output,
        started: Callable[[], None] | None,
        source: int | None,
    ) -> Exit:
        token, kills = uuid4().hex, self._line.kills
        ending: asyncio.Future[int] = asyncio.get_running_loop().create_future()

        def ended(status: int) -> None:
            if not ending.done():
                ending.set_result(status)

        splitter = Splitter(token, output, started or (lambda: None), ended)
        channel = await self._line.open(line(command, token, marks), source, splitter.take)
        self._line.channels.append(channel)
        closing = asyncio.ensure_future(channel.closed())
        try:
            await asyncio.wait([ending, closing], return_when=asyncio.FIRST_COMPLETED)
            if ending.done():
                return Exit(ending.result())
            if self._line.kills > kills:
                return Exit(-signal.SIGKILL)
            raise Unavailable(reason=reason("executor.node-gone", told=closing.result() or "the connection broke"))
        finally:
            if not closing.done():
                closing.cancel()
            elif channel in self._line.channels:
                self._line.channels.remove(channel)
                await channel.close()


class ProcessChannel:
    """A channel that is a process of this machine, such as ssh."""

    def __init__(self, process: asyncio.subprocess.Process, pipe: Pipe, feeding: asyncio.Future[None]) -> None:
        self._process = process
        self._pipe = pipe
        self._feeding = feeding
        self._said = asyncio.ensure_future(self._listen())

    @classmethod
    async def open(
        cls, argv: tuple[str, ...], env: Mapping[str, str], first: bytes, source: int | None, output: Output,
        directory: Path | None = None,
    ) -> ProcessChannel:  # fmt: skip
        """Start the process, in a directory; it reads `first` and then what comes from `source`."""
        readable, writable = os.pipe()
        pipe = Pipe(output)
        try:
            with pipe.writing as printed:
                process = await asyncio.create_subprocess_exec(
                    *argv,
                    stdin=readable,
                    stdout=printed,
                    stderr=asyncio.subprocess.PIPE,
                    env=dict(env),
                    cwd=directory,
                    start_new_session=True,
                )
        except OSError as problem:
            os.close(writable)
            pipe.close()
            raise Unavailable(reason=reason("executor.node-gone", told=f"{argv[0]}: {problem.strerror}")) from problem
        finally:
            os.close(readable)
        given = None if source is None else os.dup(source)
        return cls(process, pipe, asyncio.ensure_future(asyncio.to_thread(_feed, writable, first, given)))

    async def closed(self) -> str:
        """Return when the process has ended, with the end of what it said by itself."""
        await self._process.wait()
        self._pipe.read()
        return await asyncio.shield(self._said)

    async def close(self) -> None:
        """End the process."""
        kill_child(self._process)
        await self._process.wait()
        await asyncio.wait([self._said, self._feeding])
        self._pipe.close()

    async def _listen(self) -> str:
        assert self._process.stderr is not None
        said = b""
        while piece := await self._process.stderr.read(4096):
            said = (said + piece)[-4000:]
        return said.decode("utf-8", "replace").strip()


def _feed(writable: int, first: bytes, source: int | None) -> None:
    """Write all there is to read; who does not read on is not waited for."""
    try:
        with contextlib.suppress(BrokenPipeError), os.fdopen(writable, "wb", buffering=0) as file:
            view = memoryview(first)
            while view:
                view = view[file.write(view) or 0 :]
            while source is not None and (piece := os.read(source, _PIECE)):
                view = memoryview(piece)
                while view:
                    view = view[file.write(view) or 0 :]
    finally:
        if source is not None:
            os.close(source)
