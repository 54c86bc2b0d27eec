# SPDX-License-Identifier: Apache-2.0
"""One day of a channel as a page shows it: rows with anchors, comings and goings folded, long silences drawn.

Pure. A row's anchor is the number of its line, which never changes; a second one is the time in UTC (`t12:00:05`,
`t12:00:05-2` for another line of that second), for people who know when. Its clock is that of the reader's zone. The
plain log has the channel logger's form.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo

from ..reasons import N_
from . import linkify
from .model import Line, LineKind

_SILENCE = timedelta(minutes=30)
_COLOURS = 8
_NOTHING = linkify.Known()
_FOLDED = {LineKind.JOIN, LineKind.PART, LineKind.QUIT, LineKind.NICK, LineKind.MODE}
_SAYS = {
    LineKind.JOIN: N_("{nick} has joined"),
    LineKind.PART: N_("{nick} has left ({text})"),
    LineKind.QUIT: N_("{nick} has quit IRC ({text})"),
    LineKind.KICK: N_("{nick} has kicked {text}"),
    LineKind.NICK: N_("{nick} is now known as {text}"),
    LineKind.TOPIC: N_('{nick} changes topic to "{text}"'),
    LineKind.MODE: N_("{nick} sets mode: {text}"),
    LineKind.GAP: "{text}",
}


@dataclass(frozen=True, slots=True)
class Row:
    """One line: `clock` is its time where the reader is, `marked` whether the address names it, `colour` its nick's.

    `pieces` are its text with links, `said` is what happened otherwise.
    """

    line: Line
    time_anchor: str
    clock: datetime
    marked: bool
    colour: int
    pieces: tuple[linkify.Piece, ...]
    said: str


@dataclass(frozen=True, slots=True)
class Block:
    """Rows that belong together: shown, or folded when people only came and went. `silence` is before it."""

    folded: bool
    rows: list[Row]
    silence: timedelta | None = None


def colour(nick: str) -> int:
    """The colour of a nick: the same with the underscores of a second connection."""
    return zlib.crc32(nick.rstrip("_`").lower().encode()) % _COLOURS


def blocks(
    lines: Iterable[Line],
    zone: tzinfo = UTC,
    marked: range = range(0),
    known: linkify.Known = _NOTHING,
    gettext: Callable[[str], str] = str,
) -> list[Block]:
    """The day in blocks, in order; `marked` are the ids of lines that somebody points at, which are never folded."""
    found: list[Block] = []
    seen: dict[str, int] = {}
    last: Line | None = None
    for line in lines:
        row = _row(line, seen, zone, marked, known, event(line, gettext))
        folded = line.kind in _FOLDED and not row.marked
        silence = line.at - last.at if last is not None and line.at - last.at >= _SILENCE else None
        if found and silence is None and found[-1].folded == folded:
            found[-1].rows.append(row)
        else:
            found.append(Block(folded, [row], silence))
        last = line
    return found


def _row(line: Line, seen: dict[str, int], zone: tzinfo, marked: range, known: linkify.Known, said: str) -> Row:
    stamp = f"t{line.at:%H:%M:%S}"
    seen[stamp] = seen.get(stamp, 0) + 1
    anchor = stamp if seen[stamp] == 1 else f"{stamp}-{seen[stamp]}"
    pieces = tuple(known.pieces(line.text, line.at))
    return Row(line, anchor, line.at.astimezone(zone), line.id in marked, colour(line.nick), pieces, said)


def event(line: Line, gettext: Callable[[str], str] = str) -> str:
    """What happened, for a line that nobody said; in the language of a log, or of a reader."""
    said = _SAYS.get(line.kind)
    return gettext(said).format(nick=line.nick, text=line.text).removesuffix(" ()") if said else ""


def plain(lines: Iterable[Line]) -> str:
    """The day as the channel logger writes it: ISO time, two blanks, who and what."""
    return "".join(f"{line.at:%Y-%m-%dT%H:%M:%S}  {_told(line)}\n" for line in lines)


def _told(line: Line) -> str:
    match line.kind:
        case LineKind.SAID:
            return f"<{line.nick}> {line.text}"
        case LineKind.ME:
            return f"* {line.nick} {line.text}"
        case LineKind.NOTICE:
            return f"-{line.nick}- {line.text}"
        case _:
            return f"*** {event(line)}"
