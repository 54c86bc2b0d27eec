# SPDX-License-Identifier: Apache-2.0
"""A log on the disk while it is written: its text and the index of its lines, which always agree.

A piece is there as a whole or not at all: where the disk has no room for it, both files are as they were before.
"""

from __future__ import annotations

import contextlib
import os
import struct
from collections.abc import Sequence
from pathlib import Path

from .model import INDEX, OUTPUT


class LogFile:
    """One log, open for more. `size` is in bytes, `lines` is how many have begun."""

    def __init__(self, directory: Path) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        flags = os.O_RDWR | os.O_CREAT | os.O_APPEND
        self._text = os.open(directory / OUTPUT, flags, 0o640)
        self._index = os.open(directory / INDEX, flags, 0o640)
        self.size = os.fstat(self._text).st_size
        self.lines = os.fstat(self._index).st_size // 8
        self.ended = self.size == 0 or os.pread(self._text, 1, self.size - 1) == b"\n"

    def append(self, data: bytes | bytearray, starts: Sequence[int]) -> None:
        """More of it; `starts` are the offsets at which lines begin. Raises `OSError`, and nothing is changed then."""
        try:
            _write(self._text, data)
            _write(self._index, struct.pack(f"<{len(starts)}Q", *starts))
        except OSError:
            with contextlib.suppress(OSError):
                os.ftruncate(self._text, self.size)
                os.ftruncate(self._index, self.lines * 8)
            raise
        self.size += len(data)
        self.lines += len(starts)
        self.ended = data.endswith(b"\n") if data else self.ended

    def close(self) -> None:
        """No more will come."""
        os.close(self._text)
        os.close(self._index)


def _write(file: int, data: bytes | bytearray) -> None:
    """All of it: a disk that gets full takes a part first."""
    rest = memoryview(data)
    while rest:
        rest = rest[os.write(file, rest) :]
