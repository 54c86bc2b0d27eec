# SPDX-License-Identifier: Apache-2.0
"""What lines of services' logs say of themselves: their time, and the ids of the requests that they are about.

Pure. Formats: oslo.log (`2026-11-28 09:45:53.123 12 INFO nova.x [req-... req-... user project] ...`, ids in either
place), syslog and ISO times, JSON lines, and the journal's export (one entry is several lines). Times without a zone
are taken for UTC.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import cast

from ..log_html import REQUEST, plain

_ISO = re.compile(r"[\[(]?(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d:\d\d)(?:[.,](\d{1,9}))?(Z|[+-]\d\d:?\d\d)?")
_SYSLOG = re.compile(r"([A-Z][a-z]{2}) +(\d{1,2}) (\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_JOB = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d+ \| ")
_KEYS = ("asctime", "timestamp", "@timestamp", "time", "ts", "created")
#: A line of a traceback as oslo writes it: its own time and level, but no request.
_TRACE = re.compile(r"^\S+ \S+ \d+ (?:ERROR|TRACE|CRITICAL) \S+ (?!\[)")
_MOST_AFTER = 100  # lines that belong to the one before them


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of a log: its first line, how many lines it has, its time (0: unknown) and its request ids."""

    line: int
    lines: int
    at: float
    ids: tuple[str, ...]


def entries(lines: Iterable[bytes], year: int) -> Iterator[Entry]:
    """The entries of a file that are about requests. `year` is for times that do not say theirs."""
    first, last, at = 0, 0, 0.0
    ids: tuple[str, ...] = ()
    for number, raw in enumerate(lines, 1):
        named = b"req-" in raw
        if not named and not first:
            continue  # most lines: nothing to read
        text = raw.decode("utf-8", "replace")
        found = tuple(dict.fromkeys(REQUEST.findall(text))) if named else ()
        time = time_of(text, year)
        belongs = first and not found and (not time or _TRACE.match(text)) and number - first < _MOST_AFTER
        if belongs and text.strip():
            last = number
            continue
        if first:
            yield Entry(first, last - first + 1, at, ids)
        first, last, at, ids = (number, number, time, found) if found else (0, 0, 0.0, ())
    if first:
        yield Entry(first, last - first + 1, at, ids)


def exported(data: bytes) -> Iterator[Entry]:
    """The entries of a journal's export that are about requests; a field may hold bytes behind their length."""
    place, line = 0, 1
    while place < len(data):
        start, fields = line, dict[bytes, bytes]()
        while place < len(data):
            end = data.find(b"\n", place)
            end = end if end >= 0 else len(data)
            field = data[place:end]
            place, line = end + 1, line + 1
            if not field:
                break
            name, equals, value = field.partition(b"=")
            if not equals:
                length = int.from_bytes(data[place : place + 8], "little")
                value = data[place + 8 : place + 8 + length]
                line += data.count(b"\n", place, place + 9 + length)
                place += 9 + length
            fields[name] = value
        text = fields.get(b"MESSAGE", b"").decode("utf-8", "replace")
        if ids := tuple(dict.fromkeys(REQUEST.findall(text))):
            stamp = fields.get(b"__REALTIME_TIMESTAMP", b"")
            at = int(stamp) / 1e6 if stamp.isdigit() and len(stamp) < 18 else 0.0
            yield Entry(start, max(line - start - 1, 1), at, ids)


def is_export(head: bytes) -> bool:
    """Whether a file is a journal's export."""
    return head.startswith((b"__CURSOR=", b"__REALTIME_TIMESTAMP="))


def told(text: str) -> str:
    """What an entry says, in one text: of a journal's export the message with its unit."""
    if not is_export(text.encode()):
        return plain(text)
    parts = (line.partition("=") for line in text.splitlines())
    fields = {name: value for name, equals, value in parts if equals}
    unit = fields.get("_SYSTEMD_UNIT") or fields.get("SYSLOG_IDENTIFIER") or ""
    return plain(f"{unit}: {fields.get('MESSAGE', '')}" if unit else fields.get("MESSAGE", text))


def time_of(text: str, year: int) -> float:
    """The time of a line in seconds since 1970; 0 when it tells none. In a job's output, that of the line inside."""
    if (job := _JOB.match(text)) is not None:
        return _iso(text[job.end() :]) or _iso(text)
    if text.startswith("{"):
        return _of_json(text)
    if found := _iso(text):
        return found
    if (match := _SYSLOG.match(text)) is None or match[1] not in _MONTHS:
        return 0.0
    return _moment(f"{year}-{_MONTHS.index(match[1]) + 1:02}-{int(match[2]):02}", match[3], match[4], "")


def _iso(text: str) -> float:
    match = _ISO.match(text)
    return _moment(match[1], match[2], match[3], match[4] or "") if match else 0.0


def _moment(day: str, clock: str, fraction: str | None, zone: str) -> float:
    try:
        at = datetime.fromisoformat(f"{day}T{clock}{zone.replace('Z', '+00:00')}")
    except ValueError:
        return 0.0
    whole = (at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp()
    return whole + (float(f"0.{fraction}") if fraction else 0.0)


def _of_json(text: str) -> float:
    try:
        given: object = json.loads(text)
    except (ValueError, RecursionError):
        return 0.0
    if not isinstance(given, dict):
        return 0.0
    fields = cast("dict[str, object]", given)
    if isinstance(stamp := fields.get("__REALTIME_TIMESTAMP"), str) and stamp.isdecimal() and len(stamp) < 18:
        return int(stamp) / 1e6
    for key in _KEYS:
        value = fields.get(key)
        if isinstance(value, str) and (found := _iso(value)):
            return found
        if isinstance(value, int | float) and 0 < value < 1e11:
            return float(value)
    return 0.0
