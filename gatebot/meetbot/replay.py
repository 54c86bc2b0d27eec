# SPDX-License-Identifier: Apache-2.0
"""A meeting again from its log: the same path as a live one, for `gatebot meeting replay`.

Pure: text in, minutes out. Lines of the bot that kept the log are told by its greeting; they are counted and
never obeyed. A log without a date or a channel of its own takes them from the caller.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from itertools import pairwise

from ..errors import Invalid
from ..reasons import reason
from .minutes.fold import Minutes, fold
from .minutes.render import FORMATS
from .model import Entry, Line, LineKind, Meeting, Reply, Setting
from .reduce import reduce

_SAID = re.compile(r"\[?([0-9: ]*)\]? *<[@+]?([^>]+)> *(.*)")
_ME = re.compile(r"\[?([0-9: ]*)\]? *\* *([^ ]+) *(.*)")
_GREETING = re.compile(r"Meeting started \w{3} (\w{3} +\d+ [\d:]+ \d{4}) UTC")
_START = re.compile(r"#startmeeting\b", re.IGNORECASE)
_DATED = re.compile(r"(?<!\d)\d{4}-\d{2}-\d{2}(?!\d)")
_DAY_BEFORE_WE_KNEW = date(2000, 1, 1)


@dataclass(frozen=True, slots=True)
class Replayed:
    """What came of a log: its minutes, what the bot said and set, and every file of the minutes."""

    minutes: Minutes
    replies: tuple[Reply, ...]
    files: dict[str, str]


def of_file(name: str, channel: str = "", prefix: str = "", strict: bool = False) -> tuple[Setting, date | None]:
    """The setting, and the day if the name tells it, for a log called `NAME.log.txt`, as OpenDev's replay has them."""
    base = re.sub(r"\.log\.txt$|\.[^.]*$", "", name)
    dated = _DATED.search(base)
    try:
        day = date.fromisoformat(dated[0]) if dated else None
    except ValueError:
        day = None
    return Setting(channel or "#" + name.split(".")[0], prefix=prefix, strict=strict, location=base), day


def replay(text: str, setting: Setting, *, day: date | None = None, formats: Iterable[str] = FORMATS) -> Replayed:
    """Hold the first meeting of a log again. `day` is the date of its first line where the log tells none."""
    record: list[Entry] = []
    replies: list[Reply] = []
    kept: list[Line] = []
    meeting: Meeting | None = None
    for line in read_log(text, day, setting.strict):
        before = meeting
        meeting, entries, said = reduce(meeting, line, setting)
        record += entries
        replies += said
        if meeting is None and before is None:
            continue
        counted = before is None or meeting is None or meeting.said != before.said
        kept += [line] if counted else []
        if meeting is None:
            break
    if not record:
        raise Invalid(reason=reason("meetbot.no-meeting-in-log"))
    minutes = fold(record, kept, setting)
    return Replayed(minutes, tuple(replies), {ending: FORMATS[ending](minutes, setting) for ending in formats})


def read_log(text: str, day: date | None = None, strict: bool = False) -> Iterator[Line]:
    """The lines of a `.log.txt`; the day goes on when the clock goes back. Other lines are passed over."""
    found = [match for raw in text.split("\n") if (match := _parsed(raw)) is not None]
    bot, told = _the_bot(found)
    today = day or told or _DAY_BEFORE_WE_KNEW
    last = time.min
    for kind, clock, nick, said in found:
        if clock < last and _hours(last) - _hours(clock) > 12:
            today += timedelta(days=1)
        last = clock
        line = Line(datetime.combine(today, clock, UTC), nick, said, kind, own=nick == bot)
        if strict and said.startswith("ACTION"):  # OpenDev's bot takes such a line for a /me.
            line = replace(line, kind=LineKind.ME, text=said[7:].strip())
        yield line


_Parsed = tuple[LineKind, time, str, str]


def _parsed(raw: str) -> _Parsed | None:
    """One line of the file: its kind, its time, who and what."""
    for kind, pattern in ((LineKind.SAID, _SAID), (LineKind.ME, _ME)):
        if (found := pattern.match(raw)) and (clock := _clock(found[1].strip())):
            return kind, clock, found[2].strip(), found[3].strip()
    return None


@cache
def _clock(text: str) -> time | None:
    """`HH:MM:SS` or `HH:MM`."""
    parts = text.split(":")
    if len(parts) not in (2, 3) or not all(part.isdigit() for part in parts):
        return None
    try:
        return time.fromisoformat(":".join(part.zfill(2) for part in parts))
    except ValueError:
        return None


def _hours(clock: time) -> float:
    return clock.hour + clock.minute / 60


def _the_bot(found: list[_Parsed]) -> tuple[str | None, date | None]:
    """The nick that greets after `#startmeeting`, and the day it tells."""
    for (_, _, starter, first), (_, _, nick, second) in pairwise(found):
        if nick != starter and _START.match(first) and (greeting := _GREETING.match(second)):
            told = datetime.strptime(" ".join(greeting[1].split()), "%b %d %H:%M:%S %Y").replace(tzinfo=UTC)
            return nick, told.date()
    return None, None
