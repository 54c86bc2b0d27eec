# SPDX-License-Identifier: Apache-2.0
"""Logs and files of builds that run elsewhere: by offset, so that a piece that comes twice is there once.

The executor has scrubbed and stamped the lines; here only the index of lines is kept beside them, and whoever follows
the log is woken. A log goes on where an earlier run of the build left it.
"""

from __future__ import annotations

import asyncio
import os
import struct
import tempfile
from bisect import bisect_left
from collections.abc import AsyncIterable
from pathlib import Path, PurePosixPath

from ...errors import Conflict, Invalid, TooLarge
from ...reasons import reason
from ..logs import INDEX, OUTPUT, Logs
from ..model import MIB
from .model import Claim


class ReceivedLog:
    """The log of one build that runs elsewhere. It is read and followed as one that is written here."""

    def __init__(self, directory: Path, largest: int) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        flags = os.O_RDWR | os.O_CREAT | os.O_APPEND
        self._file = os.open(directory / OUTPUT, flags, 0o640)
        self._index = os.open(directory / INDEX, flags, 0o640)
        self.size = os.fstat(self._file).st_size
        self._largest = largest
        self._ends = self.size == 0 or os.pread(self._file, 1, self.size - 1) == b"\n"
        self.changed = asyncio.Event()
        self.closed = False

    def append(self, data: bytes) -> None:
        """More of it."""
        if self.size + len(data) > self._largest + MIB:  # the executor says that it cut it, and how the build ended
            raise TooLarge(reason=reason("executor.log-too-large", limit=self._largest // MIB))
        starts = bytearray()
        place = 0
        while place < len(data):
            if self._ends:
                starts += struct.pack("<Q", self.size + place)
            end = data.find(b"\n", place)
            self._ends = end >= 0
            place = end + 1 if end >= 0 else len(data)
        os.write(self._file, data)
        os.write(self._index, starts)
        self.size += len(data)
        changed, self.changed = self.changed, asyncio.Event()
        changed.set()

    def close(self) -> None:
        """No more will come; followers end."""
        if not self.closed:
            os.close(self._file)
            os.close(self._index)
            self.closed = True
            self.changed.set()


class Received:
    """What builds that run elsewhere left and leave."""

    def __init__(self, logs: Logs) -> None:
        self._logs = logs
        self._open: dict[str, ReceivedLog] = {}

    def begin(self, claim: Claim) -> None:
        """A build runs elsewhere: its log is live."""
        self._log(claim.build)

    def append(self, claim: Claim, offset: int, data: bytes) -> int:
        """A piece of a log from an offset of this run on; how much of the run's log there is now.

        Raises `Conflict` where something before it is missing.
        """
        log = self._log(claim.build)
        have = log.size - claim.log_base
        if offset > have:
            raise Conflict(reason=reason("executor.log-gap", offset=offset, have=have))
        if new := data[have - offset :]:
            log.append(new)
        return log.size - claim.log_base

    def have(self, claim: Claim) -> int:
        """How much of the log of a run there is."""
        return self._log(claim.build).size - claim.log_base

    def lines_before(self, claim: Claim) -> int:
        """How many lines of the log are of earlier runs."""
        starts = (self._logs.directory(claim.build) / INDEX).read_bytes()
        return bisect_left(struct.unpack(f"<{len(starts) // 8}Q", starts), claim.log_base)

    async def keep(self, claim: Claim, name: str, pieces: AsyncIterable[bytes]) -> None:
        """A file of a build: it is there as a whole or not at all."""
        target = self._place(claim.build, name)
        room = self._logs.sizes.artifacts - await asyncio.to_thread(_occupied, self._logs.directory(claim.build))
        target.parent.mkdir(parents=True, exist_ok=True)
        descriptor, draft = tempfile.mkstemp(dir=self._logs.directory(claim.build), prefix=".receiving-")
        try:
            with os.fdopen(descriptor, "wb") as file:
                async for piece in pieces:
                    room -= len(piece)
                    if room < 0:
                        limit = self._logs.sizes.artifacts // MIB
                        raise TooLarge(reason=reason("executor.artifacts-too-large", limit=limit))
                    file.write(piece)
            os.chmod(draft, 0o640)
            os.replace(draft, target)
        except BaseException:
            os.unlink(draft)
            raise

    def end(self, build: str) -> None:
        """The build is over."""
        if self._open.pop(build, None) is not None:
            self._logs.close(build)

    def _log(self, build: str) -> ReceivedLog:
        known = self._open.get(build)
        if known is None or known.closed:
            known = self._open[build] = ReceivedLog(self._logs.directory(build), self._logs.sizes.log)
            self._logs.close(build)
            self._logs.growing[build] = known
        return known

    def _place(self, build: str, name: str) -> Path:
        parts = PurePosixPath(name).parts
        plain = parts and not name.startswith("/") and ".." not in parts
        if not plain or parts[0].startswith(".") or name == OUTPUT or "\0" in name:
            raise Invalid(reason=reason("executor.bad-file-name", name=name[:200]))
        return self._logs.directory(build).joinpath(*parts)


def _occupied(directory: Path) -> int:
    """The bytes of the files of a build, but for its log."""
    files = (path for path in directory.rglob("*") if path.is_file() and path.name not in (OUTPUT, INDEX))
    return sum(path.stat().st_size for path in files)
