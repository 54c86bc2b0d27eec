# SPDX-License-Identifier: Apache-2.0
"""From two texts and the places where they differ to the rows of a page.

Pure. Lines that stand for each other are beside each other; equal lines far from a difference are skipped
until somebody asks for them; a page has an end, whatever the file has.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from ..files.diff_info import Piece

CONTEXT = 10
MOST = 3000  # rows of one page, unless more are asked for


@dataclass(frozen=True, slots=True)
class Pair:
    """Two lines that stand beside each other, counted from 0; None: there is none on that side.

    `twin` is the line of the other side that a line stands for, where the two are not in one row.
    """

    kind: str
    old: int | None
    new: int | None
    first: bool = False
    twin: int | None = None


@dataclass(frozen=True, slots=True)
class Gap:
    """Equal lines that are not shown, by their numbers on the new side from 0, the last one left out."""

    first: int
    end: int
    cut: bool = False


@dataclass(frozen=True, slots=True)
class Look:
    """How much is shown: lines around a difference, how many rows, and what has to be seen beside that.

    `more` are first and last lines on the new side, `old` lines on the old one; both are counted from 1.
    """

    context: int = CONTEXT
    more: Collection[tuple[int, int]] = field(default_factory=tuple)
    old: Collection[int] = field(default_factory=tuple)
    most: int = MOST
    unified: bool = False


def lines_of(text: bytes) -> tuple[list[str], bool]:
    """The lines of a text without their ends, and whether the last one has one."""
    if not text:
        return [], True
    lines = text.decode("utf-8", "replace").split("\n")
    ended = lines[-1] == ""
    return [line.removesuffix("\r") for line in (lines[:-1] if ended else lines)], ended


def arrange(old: int, new: int, pieces: Sequence[Piece], look: Look) -> list[Pair | Gap]:
    """The rows of a difference of two texts with so many lines."""
    found: list[Pair | Gap] = []
    left = look.most
    for one in _folded(list(_pairs(old, new, pieces, unified=look.unified)), look):
        if isinstance(one, Pair):
            if not left:
                found.append(Gap(_next_new(found), new, cut=True))
                return found
            left -= 1
        found.append(one)
    return found


def _next_new(found: Sequence[Pair | Gap]) -> int:
    for one in reversed(found):
        if isinstance(one, Gap):
            return one.end
        if one.new is not None:
            return one.new + 1
    return 0


def _pairs(old: int, new: int, pieces: Sequence[Piece], *, unified: bool) -> Iterator[Pair]:
    at_old = at_new = 0
    for piece in pieces:
        yield from _equal(at_old, at_new, piece.old - at_old)
        yield from _differing(piece, unified=unified)
        at_old, at_new = piece.old + piece.old_count, piece.new + piece.new_count
    yield from _equal(at_old, at_new, min(old - at_old, new - at_new))


def _equal(old: int, new: int, count: int) -> Iterator[Pair]:
    return (Pair("same", old + n, new + n) for n in range(count))


def _differing(piece: Piece, *, unified: bool) -> Iterator[Pair]:
    both = min(piece.old_count, piece.new_count)
    beside = 0 if unified else both
    for n in range(beside):
        yield Pair("edit", piece.old + n, piece.new + n, n == 0)
    for n in range(beside, piece.old_count):
        yield Pair("del", piece.old + n, None, n == 0, piece.new + n if n < both else None)
    for n in range(beside, piece.new_count):
        yield Pair("add", None, piece.new + n, n == 0 and not piece.old_count, piece.old + n if n < both else None)


def _folded(pairs: Sequence[Pair], look: Look) -> Iterator[Pair | Gap]:
    """Rows far from every difference give way to gaps; a gap of one line is not worth it."""
    near = _near(pairs, look)
    at = 0
    while at < len(pairs):
        end = at
        while end < len(pairs) and not near[end]:
            end += 1
        if end - at > 1:
            first, last = pairs[at].new, pairs[end - 1].new
            if first is not None and last is not None:
                yield Gap(first, last + 1)
            at = end
        else:
            yield pairs[at]
            at += 1


def _near(pairs: Sequence[Pair], look: Look) -> list[bool]:
    near = [False] * len(pairs)
    last = -look.context - 1
    for at, pair in enumerate(pairs):
        last = at if pair.kind != "same" else last
        near[at] = at - last <= look.context
    last = len(pairs) + look.context
    for at in range(len(pairs) - 1, -1, -1):
        last = at if pairs[at].kind != "same" else last
        near[at] = near[at] or last - at <= look.context
    _show(near, {pair.new: at for at, pair in enumerate(pairs) if pair.new is not None}, look.more)
    _show(near, {pair.old: at for at, pair in enumerate(pairs) if pair.old is not None}, [(n, n) for n in look.old])
    return near


def _show(near: list[bool], places: Mapping[int, int], wanted: Collection[tuple[int, int]]) -> None:
    for first, end in wanted:
        for number in range(max(first, 1), min(end, len(near)) + 1):
            if (at := places.get(number - 1)) is not None:
                near[at] = True
