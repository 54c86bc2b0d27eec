# SPDX-License-Identifier: Apache-2.0
"""The values of the page of a difference: rows, what is skipped between them, threads and their remarks.

Floor 0. A row is what stands beside each other on the page; its text is safe HTML already, because the
marks and colours in it are made where the text is escaped (`drawing.py`).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from ..model import TextRange


@dataclass(frozen=True, slots=True)
class Cell:
    """A line on one side; `ends` is no where the file stops without a line end."""

    number: int
    text: str
    ends: bool = True


@dataclass(frozen=True, slots=True)
class Row:
    """What stands on one line of the page: `kind` is `same`, `edit` (one line in place of another), `add` or `del`."""

    kind: str
    old: Cell | None
    new: Cell | None
    first: bool = False  # of the rows of one piece that differs

    @property
    def id(self) -> str:
        """The name of the row in its page, the same as long as the lines are."""
        return f"r{self.old.number if self.old else ''}-{self.new.number if self.new else ''}"


@dataclass(frozen=True, slots=True)
class Skip:
    """Equal lines that are not shown, by their numbers on the new side; `cut`: and everything behind them."""

    first: int
    last: int
    cut: bool = False

    @property
    def count(self) -> int:
        """How many they are."""
        return self.last - self.first + 1

    @property
    def id(self) -> str:
        """The name of the row in its page."""
        return f"skip-{self.first}"


@dataclass(frozen=True, slots=True)
class Remark:
    """One comment of a thread. `robot`: a program's finding; `draft`: only its author sees it.

    `suggestion` are the lines that it would have instead of those that it speaks of; None: it suggests nothing.
    """

    id: str
    who: str
    text: str
    created: datetime
    patch_set: int
    robot: bool = False
    draft: bool = False
    unresolved: bool = False
    suggestion: str | None = None


@dataclass(frozen=True, slots=True)
class Thread:
    """A comment with its answers, where it stands on this page.

    `line` 0 is the whole file. `wrote` is the place that its author meant, for answers to it: a patch set, a file, a
    line. `moved`: it was written on an older patch set, and has come along.
    """

    id: str
    file: str
    side: str
    line: int
    remarks: tuple[Remark, ...]
    unresolved: bool
    wrote: tuple[int, str, int, str]
    range: TextRange | None = None
    moved: bool = False

    @property
    def last(self) -> Remark:
        """What an answer answers."""
        return next((one for one in reversed(self.remarks) if not one.draft), self.remarks[-1])

    @property
    def span(self) -> str:
        """The lines that it speaks of, where they are several."""
        one = self.range
        return f"{one.start_line}-{one.end_line}" if one is not None and one.end_line > one.start_line else ""
