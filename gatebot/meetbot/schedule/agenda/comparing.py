# SPDX-License-Identifier: Apache-2.0
"""What differs between two versions of an agenda, line by line.

Pure.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from difflib import SequenceMatcher


@dataclass(frozen=True, slots=True)
class Compared:
    """A line: `sign` is + where it is new, - where it is gone, and a blank where it stayed."""

    sign: str
    text: str


def compared(old: str, new: str) -> Iterator[Compared]:
    """All lines of both, in order. Lines that are everywhere mark no place: thousands of them would take minutes."""
    before, after = old.splitlines(), new.splitlines()
    for tag, start, end, first, last in SequenceMatcher(None, before, after).get_opcodes():
        if tag == "equal":
            yield from (Compared(" ", text) for text in before[start:end])
        else:
            yield from (Compared("-", text) for text in before[start:end])
            yield from (Compared("+", text) for text in after[first:last])
