# SPDX-License-Identifier: Apache-2.0
"""Logs and files of builds that run elsewhere: by offset, so that a piece that comes twice is there once.

The executor has scrubbed and stamped the lines; here only the index of lines is kept beside them, and whoever follows
the log is woken. A log goes on where an earlier run of the build left it.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import struct
import tempfile
from bisect import bisect_left
from collections.abc import AsyncIterable
from pathlib import Path, PurePosixPath

from ...errors import Conflict, Invalid, TooLarge
from ...reasons import reason
from ..files.model import INDEX, OUTPUT
from ..files.writing import LogFile
from ..logs import Logs
from ..model import MIB, Verdict
from .model import Claim
from .roster import stale

log = logging.getLogger(__name__)


class ReceivedLog:
    """The log of one build that runs elsewhere. It is read and followed as one that is written here.

    `shift` is how much farther the executor is than this file: by what had no room, without what was said of that.
    `over`: nothing more is taken.
    """

    def __init__(self, directory: Path, largest: int) -> None:
        self._file = LogFile(directory)
        self._largest = largest
        self._missing = 0
        self.shift = 0
        self.over = False
        self.changed = asyncio.Event()
        self.closed = False

    @property
    def size(self) -> int:
        """How much of it there is here."""
        return self._file.size

    def append(self, data: bytes) -> None:
        """More of it. What the disk has no room for is left out, and that is said where it has some again."""
        if self.size + len(data) > self._largest + MIB:  # the executor says that it cut it, and how the build ended
            raise TooLarge(reason=reason("executor.log-too-large", limit=self._largest // MIB))
        told = _missing(self._missing, self._file.ended)
        try:
            self._file.append(told + data, _starts(told + data, self.size, self._file.ended))
        except OSError as problem:
            if not self._missing:
                log.warning("a log cannot be written: %s", problem)
            self._missing += len(data)
            self.shift += len(data)
            return
        self._missing, self.shift = 0, self.shift - len(told)
        self._wake()

    def end(self, line: bytes) -> None:
        """A last line, of the server's own, after which nothing is taken. It is left out where it has no room."""
        told = line if self._file.ended else b"\n" + line
        with contextlib.suppress(OSError):
            self._file.append(told, _starts(told, self.size, self._file.ended))
        self.over = True
        self._wake()

    def close(self) -> None:
        """No more will come; followers end."""
        if not self.closed:
            self._file.close()
            self.closed = True
            self.changed.set()

    def _wake(self) -> None:
        changed, self.changed = self.changed, asyncio.Event()
        changed.set()


def _missing(size: int, ended: bool) -> bytes:
    """The line that says that so many bytes are not here."""
    if not size:
        return b""
    told = f"gatebot: {size} bytes are missing here: the disk of the logs had no room for them\n"
    return told.encode() if ended else b"\n" + told.encode()


def _starts(data: bytes, size: int, ended: bool) -> list[int]:
    """Where lines begin in a piece that comes at an offset, after a line that has ended or goes on."""
    starts, place = list[int](), 0
    while place < len(data):
        if ended:
            starts.append(size + place)
        end = data.find(b"\n", place)
        ended = end >= 0
        place = end + 1 if ended else len(data)
    return starts


class Received:
    """What builds that run elsewhere left and leave."""

    def __init__(self, logs: Logs) -> None:
        self._logs = logs
        self._open: dict[str, ReceivedLog] = {}

    def begin(self, claim: Claim) -> None:
        """A build runs elsewhere: its log is live."""
        growing = self._log(claim.build)
        growing.shift, growing.over = 0, False

    def append(self, claim: Claim, offset: int, data: bytes) -> int:
        """A piece of a log from an offset of this run on; how much of the run's log there is now.

        Raises `Conflict` where something before it is missing, or the log has ended here.
        """
        growing = self._log(claim.build)
        if growing.over:
            raise stale(claim.build, claim.fence)
        have = self.have(claim)
        if offset > have:
            raise Conflict(reason=reason("executor.log-gap", offset=offset, have=have))
        if new := data[have - offset :]:
            growing.append(new)
        return self.have(claim)

    def have(self, claim: Claim) -> int:
        """How much of the log of a run there is."""
        growing = self._log(claim.build)
        return growing.size + growing.shift - claim.log_base

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
        except OSError as problem:
            os.unlink(draft)
            raise TooLarge(reason=reason("executor.no-room", told=problem.strerror or "")) from None
        except BaseException:
            os.unlink(draft)
            raise

    def stopped(self, claim: Claim, found: Verdict) -> None:
        """A build was ended here: what its executor still says of it comes too late."""
        self._log(claim.build).end(self._logs.ending(found))

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
