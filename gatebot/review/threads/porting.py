# SPDX-License-Identifier: Apache-2.0
"""Where a comment on an older patch set belongs on a newer one.

Pure: a place and what changed between the two patch sets in, the new place out. A line that is
still there moves with it; one that was changed leaves the comment on its file, and a file that is
gone leaves it on the patch set.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from ..model import PATCH_SET_LEVEL, TextRange


class Piece(Protocol):
    """Where two texts differ; line 0 is the first."""

    @property
    def old(self) -> int: ...
    @property
    def old_count(self) -> int: ...
    @property
    def new_count(self) -> int: ...


@dataclass(frozen=True, slots=True)
class Place:
    """A file and, unless the comment is on the whole file, a line and perhaps a range."""

    file: str
    line: int | None = None
    range: TextRange | None = None


def ported(place: Place, file: str | None, pieces: Sequence[Piece]) -> Place:
    """The place on the newer patch set, where the file is called `file` (None: it is gone)."""
    if file is None:
        return Place(PATCH_SET_LEVEL)
    if place.line is None:
        return Place(file)
    first = place.range.start_line if place.range is not None else place.line
    last = place.range.end_line if place.range is not None else place.line
    begin, end = moved(first, pieces), moved(last, pieces)
    if begin is None or end is None or end - begin != last - first:
        return Place(file)
    span = place.range
    if span is not None:
        span = TextRange(begin, span.start_character, end, span.end_character)
    return Place(file, end, span)


def moved(line: int, pieces: Sequence[Piece]) -> int | None:
    """The number that a line has now, counted from 1; None when it was changed or is gone."""
    shift = 0
    for piece in pieces:
        if line - 1 < piece.old:
            break
        if line - 1 < piece.old + piece.old_count:
            return None
        shift += piece.new_count - piece.old_count
    return line + shift
