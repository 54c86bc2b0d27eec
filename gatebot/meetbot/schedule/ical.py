# SPDX-License-Identifier: Apache-2.0
"""Calendars of meetings (iCalendar, RFC 5545), which programs subscribe to.

Pure. One event a slot with its rule, one more for each date that is skipped. All times are UTC, so no zones are told.
The id of an event is its file and the number of the slot: a meeting that moves stays the same event.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from itertools import chain

from .model import DAYS, Kind, Planned, Skip, Slot
from .occurrences import days

_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f\u2028\u2029]")
_LONGEST = 75  # bytes of a line, without its end
_NO_EVENT = (
    *("BEGIN:VTIMEZONE", "TZID:UTC", "BEGIN:STANDARD", "DTSTART:19700101T000000"),
    *("TZOFFSETFROM:+0000", "TZOFFSETTO:+0000", "END:STANDARD", "END:VTIMEZONE"),
)
"""A calendar must have something in it, also where no meeting has dates."""


@dataclass(frozen=True, slots=True)
class Origin:
    """Where calendars come from: the site's host and address, and when the files were changed last."""

    host: str
    url: str
    revised: datetime


def calendar(title: str, meetings: Iterable[Planned], origin: Origin) -> str:
    """A whole calendar; lines end as the standard wants it."""
    events = [line for meeting in meetings for line in _events(meeting, origin)]
    head = ("BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//gatebot//schedule of meetings//EN", "CALSCALE:GREGORIAN")
    about = (f"X-WR-CALNAME:{escaped(title)}", "REFRESH-INTERVAL;VALUE=DURATION:PT6H", "X-PUBLISHED-TTL:PT6H")
    lines = (*head, "METHOD:PUBLISH", *about, *(events or _NO_EVENT), "END:VCALENDAR")
    return "".join(f"{piece}\r\n" for line in lines for piece in folded(line))


def _events(meeting: Planned, origin: Origin) -> Iterator[str]:
    for slot in meeting.slots:
        first = next(days(slot, slot.start or origin.revised.date()), None)
        if first is not None and slot.time is not None:
            skips = [skip for skip in slot.skips if skip.day >= first]
            yield from _event(meeting, slot, first, skips, origin)
            yield from chain.from_iterable(_cancelled(meeting, slot, skip, origin) for skip in skips)


def _event(meeting: Planned, slot: Slot, first: date, skips: list[Skip], origin: Origin) -> Iterator[str]:
    yield from _begin(f"{meeting.key}-{slot.number}@{origin.host}", slot, first, origin)
    yield f"RRULE:{_rule(slot)}"
    if skips:
        yield "EXDATE:" + ",".join(_moment(slot, skip.day) for skip in skips)
    yield f"SUMMARY:{escaped(meeting.project)}"
    yield f"DESCRIPTION:{escaped(_description(meeting, slot))}"
    yield f"LOCATION:{escaped(slot.place)}"
    yield f"URL:{_CONTROL.sub('', meeting.agenda_url or f'{origin.url}/meetings/schedule')}"
    yield "STATUS:CONFIRMED"
    yield "END:VEVENT"


def _cancelled(meeting: Planned, slot: Slot, skip: Skip, origin: Origin) -> Iterator[str]:
    yield from _begin(f"{meeting.key}-{slot.number}-{skip.day:%Y%m%d}@{origin.host}", slot, skip.day, origin)
    yield f"SUMMARY:{escaped(f'CANCELLED: {meeting.project} ({skip.day:%Y-%m-%d})')}"
    yield f"DESCRIPTION:{escaped(skip.reason)}"
    yield f"LOCATION:{escaped(slot.place)}"
    yield "STATUS:CANCELLED"
    yield "TRANSP:TRANSPARENT"
    yield "END:VEVENT"


def _begin(uid: str, slot: Slot, day: date, origin: Origin) -> tuple[str, ...]:
    minutes = int(slot.duration.total_seconds()) // 60
    stamp = f"DTSTAMP:{origin.revised.astimezone(UTC):%Y%m%dT%H%M%SZ}"
    return ("BEGIN:VEVENT", f"UID:{escaped(uid)}", stamp, f"DTSTART:{_moment(slot, day)}", f"DURATION:PT{minutes}M")


def _moment(slot: Slot, day: date) -> str:
    assert slot.time is not None
    return f"{day:%Y%m%d}T{slot.time:%H%M%S}Z"


def _rule(slot: Slot) -> str:
    frequency = slot.frequency
    if frequency.kind is Kind.MONTHS:
        assert slot.day is not None
        return f"FREQ=MONTHLY;BYDAY={frequency.nth}{DAYS[slot.day][:2].upper()}"
    return "FREQ=WEEKLY" + (f";INTERVAL={frequency.every}" if frequency.every > 1 else "")


def _description(meeting: Planned, slot: Slot) -> str:
    told = [meeting.description, f"Chair: {slot.chair or meeting.chair}"]
    told += [f"#startmeeting {meeting.meeting_id}"] if meeting.meeting_id else []
    told += [f"Agenda: {meeting.agenda_url}"] if meeting.agenda_url else []
    told += [f"Project: {meeting.project_url}"] if meeting.project_url else []
    return "\n".join(told)


def escaped(text: str) -> str:
    """A text as a value: what parts values is escaped, what nobody can see is left out."""
    text = _CONTROL.sub("", text.replace("\r\n", "\n"))
    for character in "\\;,":
        text = text.replace(character, f"\\{character}")
    return text.replace("\n", "\\n")


def folded(line: str) -> Iterator[str]:
    """A line in pieces of at most 75 bytes, cut between characters; all but the first begin with a blank."""
    piece, size = "", 0
    for character in line:
        width = len(character.encode("utf-8", "replace"))
        if size + width > _LONGEST:
            yield piece
            piece, size = " ", 1
        piece, size = piece + character, size + width
    yield piece
