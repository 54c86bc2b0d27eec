# SPDX-License-Identifier: Apache-2.0
"""A line of a difference as safe HTML: its text escaped, what differs marked, its colours as classes.

Pure. Colours and marks cut a line independently of each other; here the two are laid over each other.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Sequence
from itertools import accumulate
from typing import TypeVar

T = TypeVar("T")
LONGEST = 4000  # characters of one line shown
_TURNS = re.compile("[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")  # what turns the direction of text around


def drawn(text: str, colours: Sequence[tuple[str, str]] = (), marks: Sequence[tuple[str, bool]] = ()) -> str:
    """The line. `colours` are its pieces, each with its class; `marks` its pieces, each with whether it differs."""
    if not colours and not marks and len(text) <= LONGEST:
        return _plain(text)
    shown = text[:LONGEST]
    painted, flagged = _ends(colours, len(shown), ""), _ends(marks, len(shown), False)
    found: list[str] = []
    at = colour = 0
    for until, changed in flagged:
        part: list[str] = []
        while at < until:
            end, name = painted[colour]
            stop = min(end, until)
            piece = _plain(shown[at:stop])
            part.append(f'<span class="{name}">{piece}</span>' if name else piece)
            at = stop
            colour += at == end
        if part:
            found.append(f"<b>{''.join(part)}</b>" if changed else "".join(part))
    return "".join(found) + ("…" if len(text) > LONGEST else "")


def _plain(text: str) -> str:
    """Escaped; in place of a character that turns text around stands its mark, as everywhere on the site's pages."""
    return _TURNS.sub(_marked, html.escape(text))


def _marked(found: re.Match[str]) -> str:
    return f'<span class="turns">\u27e6U+{ord(found.group()):04X}\u27e7</span>'


def _ends(pieces: Iterable[tuple[str, T]], length: int, rest: T) -> list[tuple[int, T]]:
    """Where each piece ends, up to the end of the line; what no piece reaches is `rest`."""
    several = [(piece, what) for piece, what in pieces if piece]
    ends = accumulate(len(piece) for piece, _ in several)
    found = [(end, what) for end, (_, what) in zip(ends, several, strict=True) if end < length]
    if len(found) < len(several):
        return [*found, (length, several[len(found)][1])]
    return [*found, (length, rest)]
