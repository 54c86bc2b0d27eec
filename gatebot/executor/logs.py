# SPDX-License-Identifier: Apache-2.0
"""Logs and artifacts of builds as files: written from the first byte, found by line, followed while they grow.

`DIR/BUILD/job-output.txt` has Zuul's shape (`TIME | TEXT`); beside it lies an index with eight bytes a line,
its offset; artifacts are below `DIR/BUILD/artifacts/`. One writer, on the event loop; any number of readers.
"""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import AsyncIterator, Callable
from datetime import datetime
from pathlib import Path
from typing import Protocol

from .. import assets
from ..clock import Clock
from ..errors import SettingsError
from ..words import say
from .errors_in_log import ErrorFinder, Rules, rules_from
from .files.lines import FileLines
from .files.model import ARTIFACTS, OUTPUT
from .files.shelf import Shelf
from .files.writing import LogFile
from .model import MIB, FoundError, Sizes, Verdict

log = logging.getLogger(__name__)
BUILD_ID = re.compile(r"[0-9a-f]{32}")
#: How the callback plugin of playbooks tells what happens; such lines are not shown.
SIGNAL = b"\x1fgatebot "
_LONGEST_LINE = 64 * 1024
_PIECE = 64 * 1024


def _stamp(at: datetime) -> bytes:
    """What each line begins with."""
    return at.strftime("%Y-%m-%d %H:%M:%S.%f | ").encode()


def last_line(found: Verdict) -> str:
    """What each log ends with."""
    return f"result: {found.result}" + (f". {say(found.reason)}" if found.reason is not None else "")


class Scrub(Protocol):
    """Takes secrets out of bytes; the longest of them has so many."""

    longest: int

    def __call__(self, line: bytes) -> bytes:
        """The line without them."""
        ...


class Stream:
    """What one command prints, in whatever pieces it comes, as lines. A very long line is cut, but no secret in it."""

    def __init__(self, write: Callable[[list[bytes]], None], scrub: Scrub) -> None:
        self._write = write
        self._scrub = scrub
        self._rest = b""

    def __call__(self, piece: bytes) -> None:
        """Take some of it."""
        *whole, self._rest = (self._rest + piece).split(b"\n")
        if len(self._rest) > _LONGEST_LINE:
            clean = self._scrub(self._rest)
            kept = len(clean) - self._scrub.longest
            whole.append(clean[:kept])
            self._rest = clean[kept:]
        self._write(whole)

    def flush(self) -> None:
        """Nothing more belongs to the last line."""
        if self._rest:
            rest, self._rest = self._rest, b""
            self._write([rest])


class LogWriter:
    """The log of one running build."""

    def __init__(self, directory: Path, clock: Clock, scrub: Scrub, largest: int, rules: Rules) -> None:
        self._file = LogFile(directory)
        self._missing = 0
        self._clock = clock
        self._scrub = scrub
        self._largest = largest
        self._streams: list[Stream] = []
        self._full = False
        self._rules = rules
        self._errors = ErrorFinder(rules)
        self._first: FoundError | None = None
        self.on_signal: Callable[[str], None] | None = None
        self.on_line: Callable[[str], None] | None = None
        self.changed = asyncio.Event()
        self.closed = False

    def stream(self) -> Stream:
        """For the output of one command, which may go on after it; streams do not cut each other's lines."""
        stream = Stream(self.write_lines, self._scrub)
        self._streams.append(stream)
        return stream

    def say(self, text: str) -> None:
        """A line of the executor's own; it is never taken for an error of the job."""
        self.flush()
        self._write([line.encode() for line in text.splitlines()], from_job=False)

    def write_lines(self, lines: list[bytes]) -> None:
        """Whole lines that a job printed."""
        self._write(lines, from_job=True)

    def flush(self) -> None:
        """Write the last lines of steps although no newline ended them."""
        for stream in self._streams:
            stream.flush()

    def step_over(self, *, passed: bool, cut: bool = False) -> None:
        """A step ended: in one that passed there was no error, and after one that failed none counts any more.

        What one printed last that was `cut` short says nothing of why.
        """
        self.flush()
        if self._first is None and not passed:
            self._first = self._errors.named() if cut else self._errors.found()
        self._errors = ErrorFinder(self._rules)

    @property
    def last_printed(self) -> str:
        """The last line of the step so far."""
        self.flush()
        return self._errors.last.text

    def blame(self) -> None:
        """The line that was printed just now is the error, whatever comes."""
        self._first = self._first or self._errors.last

    def found(self) -> FoundError:
        """The first error so far."""
        return self._errors.found() if self._first is None else self._first

    def close(self) -> None:
        """No more will come; followers end."""
        self.flush()
        self._file.close()
        self.closed = True
        self._wake()

    def _write(self, lines: list[bytes], *, from_job: bool) -> None:
        if not lines or self.closed:
            return
        stamp = _stamp(self._clock.now())
        if self._missing:
            told = f"gatebot: {self._missing} lines are missing here: the disk of the logs had no room for them"
            lines = [told.encode(), *lines]
        data, starts, number = bytearray(), list[int](), self._file.lines
        for line in lines:
            if from_job and line.startswith(SIGNAL):
                if self.on_signal is not None:
                    self.on_signal(line.removeprefix(SIGNAL).decode("utf-8", "replace"))
                continue
            if from_job and self._full:
                continue
            clean = self._scrub(line.rstrip(b"\r"))
            if b"\r" in clean:
                clean = clean.rpartition(b"\r")[2]  # a progress bar: what a terminal would show in the end
            starts.append(self._file.size + len(data))
            data += stamp + clean[:_LONGEST_LINE] + b"\n"
            number += 1
            if from_job:
                text = clean.decode("utf-8", "replace")
                self._errors.feed(number, text)
                if self.on_line is not None:
                    self.on_line(text)
        self._put(data, starts)

    def _put(self, data: bytearray, starts: list[int]) -> None:
        """Write lines; those that the disk has no room for are counted, and that is said when it has some again."""
        if not starts:
            return
        said = 1 if self._missing else 0
        try:
            self._file.append(data, starts)
        except OSError as problem:
            if not self._missing:
                log.warning("a log cannot be written: %s", problem)
            self._missing += len(starts) - said
            return
        self._missing = 0
        self._wake()
        if self._file.size > self._largest and not self._full:
            self._full = True
            reached = f"gatebot: the log reached {self._largest // MIB} MiB (logs.max_log)"
            self.say(f"{reached}; what the job prints from here on is dropped.")

    def _wake(self) -> None:
        changed, self.changed = self.changed, asyncio.Event()
        changed.set()


class Growing(Protocol):
    """A log to which more may come."""

    changed: asyncio.Event
    closed: bool

    def close(self) -> None:
        """No more will come."""
        ...


def error_rules(own: Path | None = None) -> Rules:
    """How first errors are found: by rules of a site's own file, then by ours. Raises `SettingsError`."""
    found = rules_from(assets.path("jobs", "log-errors.toml").read_text("utf-8"), "log-errors.toml")
    if own is None:
        return Rules(found)
    try:
        text = own.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"logs.error_rules: {own} cannot be read: {error}.") from None
    return Rules((*rules_from(text, str(own)), *found))


class Logs:
    """All logs of a site. `growing` are those to which more may come, whoever writes them, by build."""

    def __init__(self, root: Path, clock: Clock, sizes: Sizes | None = None, rules: Rules | None = None) -> None:
        self.sizes = sizes or Sizes()
        self.shelf = Shelf(root)
        self.text = FileLines(self.shelf)
        self._rules = rules or error_rules()
        self.on_end: Callable[[str], object] | None = None
        self._clock = clock
        self.growing: dict[str, Growing] = {}

    def directory(self, build: str) -> Path:
        """Where a build's files are."""
        if not BUILD_ID.fullmatch(build):
            raise ValueError(f"{build!r} is no build id")
        return self.shelf.root / build

    def open(self, build: str, scrub: Scrub) -> LogWriter:
        """Begin, or go on with, the log of a build."""
        self.close(build)
        writer = LogWriter(self.directory(build), self._clock, scrub, self.sizes.log, self._rules)
        self.growing[build] = writer
        return writer

    def close(self, build: str) -> None:
        """The build is over."""
        writer = self.growing.pop(build, None)
        if writer is not None:
            writer.close()
            if self.on_end is not None:
                self.on_end(build)

    def ending(self, found: Verdict) -> bytes:
        """The last line of a log that ends now."""
        return _stamp(self._clock.now()) + last_line(found).encode() + b"\n"

    def live(self, build: str) -> bool:
        """Whether more may come."""
        return build in self.growing

    def size(self, build: str) -> int | None:
        """The bytes of a log; None when there is no log."""
        self.directory(build)
        return self.shelf.size(build, OUTPUT)

    def read(self, build: str, start: int, length: int) -> bytes:
        """A part of a log."""
        return self.shelf.read(build, OUTPUT, start, length)

    def line_count(self, build: str) -> int:
        """The lines of a log."""
        return self.text.count(build, OUTPUT)

    def offset(self, build: str, line: int) -> int:
        """Where a line (from 1) begins; the end of the log when there is no such line."""
        return self.text.offset(build, OUTPUT, line)

    def lines(self, build: str, first: int, count: int) -> list[str]:
        """Some lines of a log, from line `first` (from 1)."""
        return self.text.window(build, OUTPUT, first, count)

    async def follow(self, build: str, offset: int) -> AsyncIterator[tuple[int, bytes]]:
        """The log from an offset on, as it grows, until the build is over: (offset after the piece, piece)."""
        while True:
            writer = self.growing.get(build)
            changed = writer.changed if writer else None
            piece = self.read(build, offset, _PIECE) if self.size(build) is not None else b""
            if len(piece) == _PIECE:
                piece = piece[: piece.rfind(b"\n") + 1] or piece  # whole lines, so that no character is cut
            if piece:
                offset += len(piece)
                yield offset, piece
            elif changed is None or writer is None or writer.closed:
                return
            else:
                await changed.wait()

    def artifacts(self, build: str) -> tuple[str, ...]:
        """The files that a build left, by their path below its artifacts."""
        self.directory(build)
        return tuple(file.name.removeprefix(f"{ARTIFACTS}/") for file in self.shelf.list(build, ARTIFACTS))
