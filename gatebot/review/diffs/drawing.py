# SPDX-License-Identifier: Apache-2.0
"""A line of a difference as safe HTML: its text escaped, what differs marked, its colours as classes.

Pure. Colours and marks cut a line independently of each other; here the two are laid over each other.
"""

from __future__ import annotations

import html
from collections.abc import Iterable, Sequence
from itertools import accumulate
from typing import TypeVar

T = TypeVar("T")
LONGEST = 4000  # characters of one line shown


def drawn(text: str, colours: Sequence[tuple[str, str]] = (), marks: Sequence[tuple[str, bool]] = ()) -> str:
    """The line. `colours` are its pieces, each with its class; `marks` its pieces, each with whether it differs."""
    if not colours and not marks and len(text) <= LONGEST:
        return html.escape(text)
    shown = text[:LONGEST]
    painted, flagged = _ends(colours, len(shown), ""), _ends(marks, len(shown), False)
    found: list[str] = []
    at = colour = 0
    for until, changed in flagged:
        part: list[str] = []
        while at < until:
            end, name = painted[colour]
            stop = min(end, until)
            piece = html.escape(shown[at:stop])
            part.append(f'<span class="{name}">{piece}</span>' if name else piece)
            at = stop
            colour += at == end
        if part:
            found.append(f"<b>{''.join(part)}</b>" if changed else "".join(part))
    return "".join(found) + ("…" if len(text) > LONGEST else "")


def _ends(pieces: Iterable[tuple[str, T]], length: int, rest: T) -> list[tuple[int, T]]:
    """Where each piece ends, up to the end of the line; what no piece reaches is `rest`."""
    several = [(piece, what) for piece, what in pieces if piece]
    ends = accumulate(len(piece) for piece, _ in several)
    found = [(end, what) for end, (_, what) in zip(ends, several, strict=True) if end < length]
    if len(found) < len(several):
        return [*found, (length, several[len(found)][1])]
    return [*found, (length, rest)]
