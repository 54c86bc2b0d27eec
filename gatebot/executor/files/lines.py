# SPDX-License-Identifier: Apache-2.0
"""Lines of a file by their numbers, of any size; text found in it.

The log has an index beside it. Any other file is read once in blocks to count its lines; then any line is one block
away. The counts are kept for a while, and only what a file grew by is read again.
"""

from __future__ import annotations

import struct
import time
from bisect import bisect_right
from collections import OrderedDict
from itertools import accumulate

from .model import INDEX, OUTPUT, Found
from .searching import search
from .shelf import BLOCK, Shelf

_KEPT = 200  # files whose counts are kept
_MOST_FOUND = 200
_PATIENCE = 4.0  # seconds that one search may take
_MOST_BYTES = 2 * 1024 * 1024  # of the lines of one window


class FileLines:
    """The lines of all files of a shelf."""

    def __init__(self, shelf: Shelf) -> None:
        self._shelf = shelf
        self._counts: OrderedDict[tuple[str, str], list[int]] = OrderedDict()

    def count(self, build: str, name: str) -> int:
        """The lines of a file; a last one without an end counts."""
        if name == OUTPUT:
            return (self._shelf.size(build, INDEX) or 0) // 8
        size = self._shelf.size(build, name) or 0
        if not size:
            return 0
        ended = self._shelf.read(build, name, size - 1, 1) == b"\n"
        return self._before(build, name, size)[-1] + (0 if ended else 1)

    def window(self, build: str, name: str, first: int, count: int) -> list[str]:
        """Some lines, from number `first` (from 1); fewer when they are very long."""
        if count <= 0 or not self._shelf.size(build, name):
            return []
        start = self.offset(build, name, first)
        end = self.offset(build, name, first + count)
        data = self._shelf.read(build, name, start, min(end - start, _MOST_BYTES))
        if len(data) == _MOST_BYTES and b"\n" in data:
            data = data[: data.rfind(b"\n")]
        return data.decode("utf-8", "replace").removesuffix("\n").split("\n") if data else []

    def offset(self, build: str, name: str, line: int) -> int:
        """Where a line begins; the end of the file when there is no such line."""
        wanted = max(line - 1, 0)  # so many line ends stand before it
        if name == OUTPUT:
            found = self._shelf.read(build, INDEX, wanted * 8, 8) if self._shelf.size(build, INDEX) else b""
            return struct.unpack("<Q", found)[0] if len(found) == 8 else self._shelf.size(build, name) or 0
        size = self._shelf.size(build, name) or 0
        if wanted == 0:
            return 0
        before = self._before(build, name, size)
        if wanted > before[-1]:
            return size
        block = bisect_right(before, wanted - 1) - 1
        data = self._shelf.read(build, name, block * BLOCK, BLOCK)
        place = -1
        for _ in range(wanted - before[block]):
            place = data.find(b"\n", place + 1)
        return block * BLOCK + place + 1

    def find(self, build: str, name: str, text: str, first: int = 1) -> Found:
        """The first lines from a number on that hold a text, as far as one look may go."""
        last = time.monotonic() + _PATIENCE
        start = self.offset(build, name, first) if first > 1 else 0
        blocks = self._shelf.blocks(build, name, start)
        return search(blocks, first, text, _MOST_FOUND, lambda: time.monotonic() < last)

    def _before(self, build: str, name: str, size: int) -> list[int]:
        """How many line ends stand before each block, and before the end of the file."""
        whole = self._counts.setdefault((build, name), [])
        self._counts.move_to_end((build, name))
        del whole[size // BLOCK :]
        last = 0
        for block in self._shelf.blocks(build, name, len(whole) * BLOCK):
            last = block.count(b"\n")
            if len(block) == BLOCK:
                whole.append(last)
                last = 0
        if len(self._counts) > _KEPT:
            self._counts.popitem(last=False)
        return [0, *accumulate((*whole, last))]
