# SPDX-License-Identifier: Apache-2.0
"""What a command prints, read without a thread while it runs and for as long as anything holds its output open.

A command's end is not the end of its pipe: what it left running may print on. Who takes the output can
make it wait, and so the command: nothing is kept here.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Generator
from contextlib import contextmanager

from .ports import Output

_PIECE = 64 * 1024


class Pipe:
    """Open from the start; closed when the last writer is gone, or by `close`."""

    def __init__(self, output: Output) -> None:
        self._output = output
        self._readable, self._writable = os.pipe()
        os.set_blocking(self._readable, False)
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(self._readable, self._read)
        self._open = True
        self._waiting: set[asyncio.Future[None]] = set()

    @property
    @contextmanager
    def writing(self) -> Generator[int]:
        """The end to hand on; it is closed here afterwards."""
        try:
            yield self._writable
        finally:
            os.close(self._writable)

    def read(self) -> None:
        """Take all that is there now."""
        while self._open and self._read():
            pass

    def close(self) -> None:
        """Read what is left, and no more."""
        self.read()
        if self._open:
            self._open = False
            self._loop.remove_reader(self._readable)
            os.close(self._readable)

    def _read(self) -> bool:
        try:
            piece = os.read(self._readable, _PIECE)
        except BlockingIOError:
            return False
        except OSError:
            piece = b""
        if piece:
            waits = self._output(piece)
            if waits is not None:
                self._wait(asyncio.ensure_future(waits))
            return True
        self._open = False
        self._loop.remove_reader(self._readable)
        os.close(self._readable)
        return False

    def _wait(self, over: asyncio.Future[None]) -> None:
        """Read no more by itself until this is over."""
        self._loop.remove_reader(self._readable)
        self._waiting.add(over)
        over.add_done_callback(self._go_on)

    def _go_on(self, over: asyncio.Future[None]) -> None:
        self._waiting.discard(over)
        if self._open and not self._waiting:
            self._loop.add_reader(self._readable, self._read)
