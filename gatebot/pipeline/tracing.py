# SPDX-License-Identifier: Apache-2.0
"""Where a line of the tested files is in the files of the change: what others changed shifts lines.

Pure. Jobs read a change on top of others, and speak of lines as they saw them; people read the change as it was pushed.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Replaced:
    """So many lines of the change's file, and what stands for them in the tested one: where it begins, and how many.

    As git says it without context: of nothing, `start` is the line after which it is.
    """

    old_count: int
    start: int
    count: int


def traced(replaced: Iterable[Replaced], line: int) -> int:
    """The number that a tested line has in the change; 0: the change does not have it. In the order of the file."""
    shift = 0
    for one in replaced:
        if one.count and one.start <= line < one.start + one.count:
            return 0
        if line >= one.start + (one.count or 1):
            shift += one.old_count - one.count
    return line + shift if line else 0
