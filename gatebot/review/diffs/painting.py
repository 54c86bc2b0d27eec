# SPDX-License-Identifier: Apache-2.0
"""The rows of a page: two texts arranged beside each other, with colours and with the words that differ marked.

Puts together what `rows.py`, `colours.py` and `drawing.py` make; how much of it there may be is limited there.
"""

from __future__ import annotations

from collections.abc import Sequence

from ..files.diff_info import Half
from ..views import words_that_differ
from .colours import Spans, coloured
from .drawing import drawn
from .looking import Asked
from .model import Cell, Row, Skip, Thread
from .rows import MOST, Gap, Look, Pair, Piece, arrange, lines_of

_PAIRS = 400  # lines of a page whose words are compared
_Marks = Sequence[tuple[str, bool]]


class _Side:
    """One text with its colours."""

    def __init__(self, half: Half) -> None:
        self.lines, self.ends = lines_of(half.text)
        self._half = half
        self._colours: Sequence[Spans] = ()

    def colour(self, last: int) -> None:
        """Read the source as far as it is shown; `last` is counted from 0."""
        self._colours = coloured(self._half.path, self._half.id, self.lines, last + 1)

    def spans(self, line: int) -> Spans:
        """The pieces of a line."""
        return self._colours[line] if line < len(self._colours) else ()

    def cell(self, line: int, colours: Spans, marks: _Marks) -> Cell:
        """A line as it is shown."""
        ends = self.ends or line + 1 < len(self.lines)
        return Cell(line + 1, drawn(self.lines[line], colours, marks), ends)


def painted(
    old: Half, new: Half, pieces: Sequence[Piece], asked: Asked, threads: Sequence[Thread]
) -> tuple[tuple[Row | Skip, ...], tuple[int, int]]:
    """The rows of two texts, and how many lines each has."""
    before, after = _Side(old), _Side(new)
    seen = [(one.line - 2, one.line + 2) for one in threads if one.line and one.side == "new"]
    said = [one.line for one in threads if one.line and one.side == "old"]
    look = Look(more=(*asked.more, *seen), old=said, most=asked.rows or MOST, unified=asked.unified)
    pairs = arrange(len(before.lines), len(after.lines), pieces, look)
    shown = [pair for pair in pairs if isinstance(pair, Pair)]
    before.colour(max((pair.old for pair in shown if pair.old is not None and pair.kind != "same"), default=-1))
    after.colour(max((pair.new for pair in shown if pair.new is not None), default=-1))
    budget = _PAIRS
    rows: list[Row | Skip] = []
    for pair in pairs:
        if isinstance(pair, Gap):
            rows.append(Skip(pair.first + 1, pair.end, pair.cut))
            continue
        left, right = _replaced(pair)
        marks = None
        if left is not None and right is not None and budget:
            budget -= 1
            marks = words_that_differ(before.lines[left], after.lines[right])
        rows.append(_row(pair, before, after, marks or ((), ())))
    return tuple(rows), (len(before.lines), len(after.lines))


def _replaced(pair: Pair) -> tuple[int | None, int | None]:
    """The two lines that stand for each other."""
    match pair.kind:
        case "edit":
            return pair.old, pair.new
        case "del":
            return pair.old, pair.twin
        case "add":
            return pair.twin, pair.new
        case _:
            return None, None


def _row(pair: Pair, before: _Side, after: _Side, marks: tuple[_Marks, _Marks]) -> Row:
    gone = come = None
    if pair.new is not None:
        come = after.cell(pair.new, after.spans(pair.new), marks[1])
    if pair.old is not None:
        # Equal lines have the colours of the new side; where only blanks differ, their own text without colours.
        same = pair.new is not None and pair.kind == "same"
        alike = same and pair.new is not None and before.lines[pair.old] == after.lines[pair.new]
        if alike and come is not None:
            gone = Cell(pair.old + 1, come.text, before.ends or pair.old + 1 < len(before.lines))
        else:
            gone = before.cell(pair.old, () if same else before.spans(pair.old), marks[0])
    return Row(pair.kind, gone, come, pair.first)
