# SPDX-License-Identifier: Apache-2.0
"""Logs of other programs, read: OpenDev's and irclog2html's, energymech's, ZNC's, WeeChat's, irssi's.

Pure: text in, lines out. A format is where a line's day and clock stand; what follows is the same for all. The format
is detected as the one that reads most lines. Clocks are of the time zone that the caller names. Pages that irclog2html
made are logs as well.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo

from ..model import Line
from . import bodies, page

_SAMPLE = 400
_BACK = timedelta(hours=2)
_MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
_CLOCK = r"(?P<clock>\d\d:\d\d(?::\d\d)?)"
_DATE = r"(?P<day>\d{4}-\d\d-\d\d)"
_MONTH_DAY = r"(?P<month>[A-Z][a-z]{2}) (?P<number>\d{1,2}) (?P<year>\d{4})"
_ENERGYMECH = re.compile(r".*?\] (?:-[^\s:-]+:[#&+!]\S+- |\*\*\* Quits: \S+ \((?![^()\s]*@))")
_DAY_IN_NAME = re.compile(r"(?<!\d)(\d{4})-?(\d\d)-?(\d\d)(?!\d)")
_IRSSI_DAY = re.compile(
    r"--- (?:Log opened|Day changed) \w{3} (?P<month>\w{3}) (?P<day>\d\d)(?: [\d:]+)? (?P<year>\d{4})"
)
_WEECHAT_PREFIX = {"-->": "-->", "<--": "<--", "--": "--", "": "--", "=!=": "--"}


@dataclass(frozen=True, slots=True)
class Format:
    """Where day, clock and body stand in a line. `dated`: every line tells its day.

    `sign` is what only this program writes, where another one's lines look alike.
    """

    name: str
    line: re.Pattern[str]
    dated: bool = False
    sign: re.Pattern[str] | None = None


FORMATS: tuple[Format, ...] = (
    Format("opendev", re.compile(rf"{_DATE}T{_CLOCK}(?:[.,]\d+)?(?:Z|[+-]\d\d:?\d\d)? +(?P<body>.*)"), True),
    Format("weechat", re.compile(rf"{_DATE} {_CLOCK}\t(?P<body>[^\t]*\t.*)"), True),
    Format("irclog2html", re.compile(rf"{_DATE}[T ]{_CLOCK} +(?P<body>.*)"), True),
    Format("znc", re.compile(rf"\[{_CLOCK}\] (?P<body>.*)")),
    Format("energymech", re.compile(rf"\[{_MONTH_DAY} {_CLOCK}\] (?P<body>.*)"), True),
    Format("energymech", re.compile(rf"\[{_CLOCK}\] (?P<body>.*)"), sign=_ENERGYMECH),
    Format("irssi", re.compile(rf"{_CLOCK} *(?P<body>.*)")),
)  # fmt: skip
NAMES = tuple(dict.fromkeys(format.name for format in FORMATS))


@dataclass(frozen=True, slots=True)
class Read:
    """What was read of one log: its lines in order, the format, and what could not be read (number, text)."""

    format: str
    lines: tuple[Line, ...]
    unreadable: tuple[tuple[int, str], ...]


def day_of_name(name: str) -> date | None:
    """The day that a file's name tells."""
    found = list(_DAY_IN_NAME.finditer(name))
    return _date(*map(int, found[-1].groups())) if found else None


def channel_of(folder: str, name: str) -> str:
    """The channel that a file's name or its folder tells; empty: neither does."""
    for word in (name, folder):
        plain = word.replace("%23", "#")
        if found := re.search(r"[#&][^\s/,]+?(?=(?:[._-]\d{4}-?\d\d-?\d\d.*|\.weechatlog|\.log|\.txt|)$)", plain):
            return found[0].lower()
    return ""


def detect(texts: Sequence[str], among: Sequence[Format] = FORMATS) -> Format | None:
    """The format that reads most of some lines, and a quarter of them at least; None where none does."""
    counted = [
        (sum(_body(format, text) is not None for text in texts), _signed(format, texts), -place, format)
        for place, format in enumerate(among)
    ]
    most, _, _, format = max(counted, key=lambda each: each[:3])
    return format if most and most * 4 >= len(texts) else None


def _signed(format: Format, texts: Sequence[str]) -> bool:
    return format.sign is not None and any(map(format.sign.match, texts))


def read(text: str, day: date | None, zone: tzinfo = UTC, format: Format | None = None) -> Read | None:
    """All lines of a log; `day` is that of its first one, where the lines do not tell. None: no known format.

    Raises `ValueError` when nothing tells the day.
    """
    name = ""
    if page.is_page(text):
        name, text, format = page.NAME, page.as_log(text), None
    rows = [row.rstrip("\r") for row in text.removeprefix("\ufeff").split("\n")]
    sample = [row for row in rows if row.strip()][:_SAMPLE]
    if format is not None:  # A program may have written in another form once.
        format = detect(sample, [one for one in FORMATS if one.name == format.name]) or format
    format = format or detect(sample)
    if format is None:
        return None
    unreadable: list[tuple[int, str]] = []
    lines = tuple(_lines(rows, format, day, zone, unreadable))
    return Read(name or format.name, lines, tuple(unreadable))


def _lines(
    rows: Sequence[str], format: Format, day: date | None, zone: tzinfo, unreadable: list[tuple[int, str]]
) -> Iterator[Line]:
    last: datetime | None = None
    for number, row in enumerate(rows, 1):
        if changed := _IRSSI_DAY.match(row):
            day, last = _named_day(changed) or day, None
            continue
        found = format.line.fullmatch(row)
        clock = _time(found["clock"]) if found else None
        if found is None or clock is None:
            if not bodies.is_note(row):
                unreadable.append((number, row))
            continue
        told = bodies.told(_marked(format, found["body"]))
        if told is None:
            if not bodies.is_note(found["body"]):
                unreadable.append((number, row))
            continue
        today = _told_day(found) if format.dated else day
        if today is None:
            raise ValueError("no day")
        local = datetime.combine(today, clock)
        if not format.dated and last is not None and last - local > _BACK:
            day = today + timedelta(days=1)
            local = datetime.combine(day, clock)
        last = local
        yield Line(local.replace(tzinfo=zone).astimezone(UTC), told.nick, told.text, told.kind)


def _body(format: Format, row: str) -> bodies.Told | None:
    found = format.line.fullmatch(row)
    return bodies.told(_marked(format, found["body"])) if found else None


def _marked(format: Format, body: str) -> str:
    """WeeChat's columns as the marks of all others."""
    if format.name != "weechat":
        return body
    prefix, _, text = body.partition("\t")
    prefix = prefix.strip()
    if prefix == "*":
        return f"* {text}"
    mark = _WEECHAT_PREFIX.get(prefix)
    return f"{mark} {text}" if mark is not None else f"<{prefix}> {text}"


def _time(text: str) -> time | None:
    hour, minute, second = (*map(int, text.split(":")), 0)[:3]
    return time(hour, minute, min(second, 59)) if hour < 24 and minute < 60 and second < 61 else None


def _date(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None


def _told_day(found: re.Match[str]) -> date | None:
    parts = found.groupdict()
    if "day" in parts:
        return _date(*map(int, found["day"].split("-")))
    month = parts["month"]
    return _date(int(parts["year"]), _MONTHS.index(month) + 1, int(parts["number"])) if month in _MONTHS else None


def _named_day(found: re.Match[str]) -> date | None:
    if found["month"] not in _MONTHS:
        return None
    return _date(int(found["year"]), _MONTHS.index(found["month"]) + 1, int(found["day"]))
