# SPDX-License-Identifier: Apache-2.0
"""Texts with suggestions written into them.

Pure. Lines are counted from 1, characters from 0; where the last line has no end, the line behind it begins where the
text stops. What is written in has the line ends of the text.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence

from ...errors import Conflict
from ...reasons import reason
from .model import Replacement

_ALONE = re.compile(r"(?<!\r)\n")


def rewritten(replacements: Sequence[Replacement], read: Callable[[str], bytes]) -> Iterator[tuple[str, bytes]]:
    """Each file that pieces are in, as it is with all of them replaced. Whatever its encoding is, lines are lines."""
    for path in dict.fromkeys(one.path for one in replacements):
        text = read(path).decode("utf-8", "surrogateescape")
        made = applied(text, (one for one in replacements if one.path == path))
        yield path, made.encode("utf-8", "surrogateescape")


def applied(text: str, replacements: Iterable[Replacement]) -> str:
    """The text with all pieces replaced; refused where one is outside of it, or two overlap."""
    lines = text.split("\n")
    starts = [0]
    for line in lines:
        starts.append(starts[-1] + len(line) + 1)

    def place(line: int, character: int, path: str) -> int:
        if line == len(lines) + 1 and character == 0 and lines[-1]:
            return len(text)
        if not 1 <= line <= len(lines) or not 0 <= character <= len(lines[line - 1]):
            raise Conflict(reason=reason("review.fix-outside", file=path[:200], line=line))
        return starts[line - 1] + character

    pieces = [
        (
            place(one.range.start_line, one.range.start_character, one.path),
            place(one.range.end_line, one.range.end_character, one.path),
            one,
        )
        for one in replacements
    ]
    pieces.sort(key=lambda piece: (piece[0], piece[1]))
    made, at = "", 0
    for begin, end, one in pieces:
        if begin < at or end < begin:
            raise Conflict(reason=reason("review.fix-overlap", file=one.path[:200], line=one.range.start_line))
        made += text[at:begin] + _ended(one, lines)
        at = end
    return made + text[at:]


def _ended(one: Replacement, lines: Sequence[str]) -> str:
    """What is written in: with the ends that the lines have there, and with none where the last one has none."""
    new = one.text
    if one.range.end_line > len(lines):
        new = new.removesuffix("\n")
    line = lines[min(one.range.start_line, len(lines)) - 1]
    return _ALONE.sub("\r\n", new) if line.endswith("\r") else new
