# SPDX-License-Identifier: Apache-2.0
"""What a page shows of a text of any size: all of it, or its beginning, what surrounds its error, and its end.

A page never holds more than a few windows of lines; what is left out can be asked for by its first and last number.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ..log_html import Shown, folded_html
from .lines import FileLines
from .model import Found
from .shelf import Shelf

_WHOLE = 1024 * 1024  # a text up to this size is shown in one piece
_PART = 3_000  # lines of each part of a larger one
_LONGEST_QUERY = 200


@dataclass(frozen=True, slots=True)
class Asked:
    """What a reader asks for: lines from a number (0: what is best) to another; a text to look for from a line on."""

    first: int = 0
    upto: int = 0
    text: str = ""
    after: int = 1


@dataclass(frozen=True, slots=True)
class Part:
    """A run of lines; `skipped` is how many stand between it and the part before."""

    first: int
    last: int
    html: str
    skipped: int = 0


@dataclass(frozen=True, slots=True)
class View:
    """A text as a page shows it. `rest` lines come after the last part; `found` None: nothing was looked for."""

    name: str
    size: int | None
    lines: int
    parts: tuple[Part, ...]
    asked: Asked
    found: Found | None = None

    @property
    def last(self) -> int:
        """The last line that is shown."""
        return self.parts[-1].last if self.parts else 0

    @property
    def rest(self) -> int:
        """How many lines after it are not."""
        return (min(self.asked.upto, self.lines) if self.asked.upto else self.lines) - self.last if self.parts else 0


def asked_by(query: Mapping[str, str]) -> Asked:
    """What the query of an address asks for; what is no number asks for nothing."""

    def number(name: str, default: int) -> int:
        text = query.get(name, "")
        return int(text) if text.isascii() and text.isdecimal() and len(text) < 10 else default

    text = query.get("q", "").strip()[:_LONGEST_QUERY]
    return Asked(number("from", 0), number("to", 0), text, max(number("after", 1), 1))


class Views:
    """Views of all texts of builds."""

    def __init__(self, shelf: Shelf, lines: FileLines) -> None:
        self._shelf = shelf
        self._lines = lines

    def view(self, build: str, name: str, asked: Asked, shown: Shown) -> View:
        """One text; reads files, so call it on a thread."""
        total = self._lines.count(build, name)
        size = self._shelf.size(build, name)
        found = self._lines.find(build, name, asked.text, asked.after) if asked.text and total else None
        return View(name, size, total, self._parts(build, name, total, size or 0, asked, shown), asked, found)

    def _parts(self, build: str, name: str, total: int, size: int, asked: Asked, shown: Shown) -> tuple[Part, ...]:
        if not total:
            return ()
        if asked.first:
            first = min(asked.first, total)
            wanted = [(first, min(first + _PART - 1, max(asked.upto, first) if asked.upto else total, total))]
        elif size <= _WHOLE:
            wanted = [(1, total)]
        else:
            near = [(shown.error - _PART // 4, shown.error + _PART // 4)] if shown.error else []
            wanted = _joined([(1, _PART), *near, (total - _PART + 1, total)], total)
        parts: list[Part] = []
        last = wanted[0][0] - 1 if asked.first else 0
        for begin, end in wanted:
            lines = self._lines.window(build, name, begin, end - begin + 1)
            parts.append(Part(begin, begin + len(lines) - 1, folded_html(lines, begin, shown), begin - last - 1))
            last = parts[-1].last
        return tuple(parts)


def _joined(ranges: list[tuple[int, int]], total: int) -> list[tuple[int, int]]:
    """Ranges of lines in order, those that touch made one."""
    found: list[tuple[int, int]] = []
    for begin, end in sorted((max(1, a), min(total, b)) for a, b in ranges):
        if found and begin <= found[-1][1] + 1:
            found[-1] = (found[-1][0], max(found[-1][1], end))
        else:
            found.append((begin, end))
    return found
