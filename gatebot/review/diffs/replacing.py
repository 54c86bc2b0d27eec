# SPDX-License-Identifier: Apache-2.0
"""A suggested edit as the small difference that people read: the lines that it would take away, and its own.

Pure. Where the old lines are not known, only the new ones are shown.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

from ..views import Line, hunk_rows
from .drawing import drawn

_MOST = 400  # lines that are compared with each other


@dataclass(frozen=True, slots=True)
class ShownLine:
    """A line of a small difference; `html` is safe."""

    kind: str
    sign: str
    html: str


@dataclass(frozen=True, slots=True)
class Suggested:
    """What a comment suggests: what it says beside that, the difference, and whether it can be applied now."""

    text: str
    lines: tuple[ShownLine, ...]
    open: bool = False


def replaced(old: Sequence[str], new: str) -> tuple[ShownLine, ...]:
    """The lines that are there, and those that shall be there instead, each of which has an end."""
    return tuple(
        ShownLine(row.kind, row.sign, drawn("".join(text for text, _ in row.parts), marks=_marks(row.parts)))
        for row in hunk_rows("", compared(old, new.split("\n")[:-1]))[1:]
    )


def _marks(parts: Sequence[tuple[str, bool]]) -> Sequence[tuple[str, bool]]:
    return parts if any(changed for _, changed in parts) else ()


def compared(old: Sequence[str], new: Sequence[str]) -> list[Line]:
    """Few lines against few others; where they are many, the new ones alone."""
    if len(old) + len(new) > _MOST:
        return [Line("+", None, number, text) for number, text in enumerate(new, 1)]
    found: list[Line] = []
    for tag, a, b, c, d in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if tag == "equal":
            found += [Line(" ", a + n + 1, c + n + 1, text) for n, text in enumerate(old[a:b])]
            continue
        found += [Line("-", a + n + 1, None, text) for n, text in enumerate(old[a:b])]
        found += [Line("+", None, c + n + 1, text) for n, text in enumerate(new[c:d])]
    return found
