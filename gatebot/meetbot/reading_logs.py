# SPDX-License-Identifier: Apache-2.0
"""The lines of a `.log.txt`, with their days: any encoding, any clock, with the bot's lines or without.

Pure. Told apart are speech and `/me`; everything else in the file is passed over. A clock that goes back by more than
two hours means another day (summer time takes one); the bot's greeting and full dates before lines tell the day itself.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache

from .irc import wire
from .model import Line, LineKind

_DAY = r"(?:\[?(\d{4}-\d{2}-\d{2})[T ] *)?"
_SAID = re.compile(_DAY + r"\[?([0-9: ]*)\]?(?:[.+][0-9:]+|Z)? *<[@+ ]?([^>]+)> *(.*)")
_ME = re.compile(_DAY + r"\[?([0-9: ]*)\]?(?:[.+][0-9:]+|Z)? *\* *([^ ]+) *(.*)")
GREETING = re.compile(r"Meeting started (?:\w{3} (\w{3} +\d+ [\d:]+ \d{4})|at [\d:]+)? ?UTC", re.IGNORECASE)
_START = re.compile(r"#startmeeting\b", re.IGNORECASE | re.ASCII)
_DATED = re.compile(r"(?<!\d)\d{4}-\d{2}-\d{2}(?!\d)")
_UNTOLD = date(2000, 1, 1)
_BACK = timedelta(hours=2)
NEAR = 6  # lines after a start among which the bot's greeting is looked for
_MARKS = {codecs.BOM_UTF8: "utf-8", codecs.BOM_UTF16_LE: "utf-16-le", codecs.BOM_UTF16_BE: "utf-16-be"}


@dataclass(frozen=True, slots=True)
class Log:
    """A log that was read. `starts` are the places of `#startmeeting` lines, `greeted` those the bot answered."""

    lines: tuple[Line, ...]
    bot: str | None
    starts: frozenset[int]
    greeted: frozenset[int]


def decoded(raw: bytes) -> str:
    """The text of a log: by its mark, or else UTF-8, or else line by line whatever each line is probably in."""
    for mark, encoding in _MARKS.items():
        if raw.startswith(mark):
            return raw[len(mark) :].decode(encoding, errors="replace")
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return "\n".join(wire.decode(line) for line in raw.split(b"\n"))


def dated(name: str) -> date | None:
    """The day that a file's name tells."""
    found = _DATED.search(name)
    return _day(found[0]) if found else None


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def read_log(text: str, day: date | None = None, strict: bool = False) -> Log:
    """The spoken lines of a log. `day` is that of the first one; without it the log itself is asked."""
    text = text.removeprefix("\ufeff")
    found = list(_parsed(text.split("\n") if "\n" in text else text.split("\r")))
    starts = [
        place for place, line in enumerate(found) if line[1] is LineKind.SAID and _START.match(line[4])
    ]  # fmt: skip
    greetings = _greetings(found, starts)
    bots = [nick for nick, _ in greetings.values()]
    told = {place: when for place, (_, when) in greetings.items() if when}
    own = frozenset(bots)
    lines = tuple(_timed(found, day, told, own))
    if strict:
        lines = tuple(map(_as_opendev_reads, lines))
    own_starts = frozenset(place for place in starts if not lines[place].own)
    return Log(lines, bots[0] if bots else None, own_starts, frozenset(greetings))


_Parsed = tuple[date | None, LineKind, time | None, str, str]


def _parsed(raws: Sequence[str]) -> Iterator[_Parsed]:
    """The day and the clock where they are told, the kind, who and what, of each line that somebody spoke."""
    said, me = _SAID.match, _ME.match
    for raw in raws:
        if found := said(raw):
            kind = LineKind.SAID
        elif found := me(raw):
            kind = LineKind.ME
        else:
            continue
        day, clock, nick, text = found.groups()
        nick = nick.strip()
        if nick:
            yield _day(day) if day else None, kind, _clock(clock), nick, text.strip()


@lru_cache(90_000)
def _clock(text: str) -> time | None:
    """`HH:MM:SS` or `HH:MM`; None for anything else."""
    parts = text.split(":")
    if len(parts) not in (2, 3) or not all(part.strip().isascii() and part.strip().isdigit() for part in parts):
        return None
    hour, minute, second = (*map(int, parts), 0)[:3]
    # A leap second is the last one of its minute.
    return time(hour, minute, min(second, 59)) if hour < 24 and minute < 60 and second < 61 else None


def _greetings(found: Sequence[_Parsed], starts: Sequence[int]) -> dict[int, tuple[str, date | None]]:
    """Who greeted after a start, by the place of the start, and the day that the greeting tells."""
    greetings: dict[int, tuple[str, date | None]] = {}
    for place in starts:
        for _, kind, _, nick, text in found[place + 1 : place + NEAR]:
            if kind is LineKind.SAID and nick != found[place][3] and (greeting := GREETING.match(text)):
                greetings[place] = (nick, _day_of_greeting(greeting[1]))
                break
    return greetings


def _day_of_greeting(told: str | None) -> date | None:
    try:
        return datetime.strptime(" ".join((told or "").split()), "%b %d %H:%M:%S %Y").replace(tzinfo=UTC).date()
    except ValueError:
        return None


def _timed(
    found: Sequence[_Parsed], day: date | None, told: dict[int, date], own: frozenset[str]
) -> Iterator[Line]:  # fmt: skip
    """Lines with their moments. A line without a clock is of the moment of the one before."""
    first = next((line[0] for line in found if line[0]), None) or next(iter(told.values()), None)
    today = day or first or _UNTOLD
    # A day that the caller tells moves every day that the log tells.
    shift = today - first if first else timedelta(0)
    midnight = datetime.combine(today, time.min, UTC)
    last, last_clock = midnight, None
    for place, (full, kind, clock, nick, text) in enumerate(found):
        known = full or told.get(place)
        if known:
            midnight = _moved(known, shift)
        elif clock is last_clock and clock is not None:
            yield Line(last, nick, text, kind, nick in own)
            continue
        at = max(last, midnight) if clock is None else datetime.combine(midnight, clock, UTC)
        if last - at > _BACK and not full:
            midnight = _moved(midnight.date(), timedelta(days=1))
            at = datetime.combine(midnight, clock or time.min, UTC)
        last, last_clock = at, clock
        yield Line(at, nick, text, kind, nick in own)


def _moved(day: date, by: timedelta) -> datetime:
    """The start of a day some days off; at the end of the calendar time stands still."""
    try:
        return datetime.combine(day + by, time.min, UTC)
    except OverflowError:
        return datetime.combine(day, time.min, UTC)


def _as_opendev_reads(line: Line) -> Line:
    """OpenDev's bot takes a line that begins with ACTION for a /me."""
    if line.kind is LineKind.SAID and line.text.startswith("ACTION"):
        return Line(line.at, line.nick, line.text[7:].strip(), LineKind.ME, line.own)
    return line
