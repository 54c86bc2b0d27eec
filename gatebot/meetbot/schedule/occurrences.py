# SPDX-License-Identifier: Apache-2.0
"""The exact dates of a slot, without end, and of all meetings within a span.

Pure. Weeks alternate without a gap, by days and not by the number of the week in its year: a year of 53 weeks has two
odd weeks side by side, which breaks the alternation of whoever asks for the number. The number only says where the
count begins: at the first week that fits, from `start_date` on, or from 4 January 2021 (Monday of week 1).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, timedelta
from heapq import merge

from .model import Kind, Occurrence, Planned, Slot

BEGIN = date(2021, 1, 4)
_WEEK = timedelta(weeks=1)
_LAST = date(9000, 1, 1)


def first_day(slot: Slot) -> date:
    """The day from which a slot counts."""
    return slot.start or BEGIN


def days(slot: Slot, since: date) -> Iterator[date]:
    """The days of a slot from `since` on, skipped ones included; none before its `start_date`."""
    if slot.day is None or slot.frequency.kind is Kind.NEVER:
        return
    if slot.start is not None:
        since = max(since, slot.start)
    yield from _months(slot, slot.day, since) if slot.frequency.kind is Kind.MONTHS else _weeks(slot, slot.day, since)


def _weeks(slot: Slot, day: int, since: date) -> Iterator[date]:
    every, anchor = slot.frequency.every, _anchor(slot, day)
    step = timedelta(weeks=every)
    if slot.start is not None:
        since = max(since, anchor)
    found = anchor + step * -((anchor - since) // step)
    while found < _LAST:
        yield found
        found += step


def _anchor(slot: Slot, day: int) -> date:
    """The first day of the slot from where it counts, in a week whose number fits.

    A week of 53 may be passed over on the way; four weeks further the number fits at last.
    """
    first = first_day(slot)
    found = first + timedelta(days=(day - first.weekday()) % 7)
    while found.isocalendar().week % slot.frequency.every != slot.frequency.rest:
        found += _WEEK
    return found


def _months(slot: Slot, day: int, since: date) -> Iterator[date]:
    year, month = since.year, since.month
    while year < _LAST.year:
        found = nth_day(year, month, day, slot.frequency.nth)
        if found >= since:
            yield found
        year, month = (year, month + 1) if month < 12 else (year + 1, 1)


def nth_day(year: int, month: int, day: int, nth: int) -> date:
    """The `nth` such day of the week in a month; -1 is the last."""
    if nth < 0:
        first = nth_day(*((year, month + 1) if month < 12 else (year + 1, 1)), day, 1)
        return first - _WEEK
    first = date(year, month, 1)
    return first + timedelta(days=(day - first.weekday()) % 7 + 7 * (nth - 1))


def of_slot(meeting: Planned, slot: Slot, since: datetime, until: datetime) -> Iterator[Occurrence]:
    """The dates of a slot that touch a span, in order: they end after `since` and begin before `until`."""
    if slot.time is None:
        return
    skipped = {skip.day: skip.reason for skip in slot.skips}
    for day in days(slot, (since - slot.duration).date()):
        start = datetime.combine(day, slot.time, UTC)
        if start >= until:
            return
        if start + slot.duration > since:
            yield Occurrence(meeting, slot, start, skipped.get(day))


def of_all(meetings: Iterable[Planned], since: datetime, until: datetime) -> Iterator[Occurrence]:
    """The dates of all meetings that touch a span, in order."""
    each = [of_slot(meeting, slot, since, until) for meeting in meetings for slot in meeting.slots]
    return merge(*each, key=lambda one: (one.start, one.meeting.path, one.slot.number))


def months_later(day: date, months: int) -> date:
    """The same day so many months later, or the last one of that month."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    following = date(year + (month == 11), (month + 1) % 12 + 1, 1)
    return min(date(year, month + 1, 1) + timedelta(days=day.day - 1), following - timedelta(days=1))
