# SPDX-License-Identifier: Apache-2.0
"""Which meetings are in each other's way: in one place, at one time, on real dates.

Pure. Two slots are compared by the dates they really have, so a conflict is found exactly when it happens within the
months that are looked at: over midnight, over the turn of the week, within one file, and not on a date that is skipped.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, time, timedelta
from itertools import combinations

from .model import Conflict, Occurrence, Planned, Slot
from .occurrences import first_day, months_later, of_slot

_Each = tuple[Planned, Slot]
_WEEK = timedelta(days=7)


def conflicts(meetings: Iterable[Planned], since: date, months: int) -> list[Conflict]:
    """Each pair of slots that clash within so many months, from `since` or from where the later of the two begins."""
    found = [clash for one, other in near(meetings) if (clash := _clash(one, other, since, months))]
    return sorted(found, key=lambda clash: (clash.one.start, clash.one.meeting.path, clash.other.meeting.path))


def near(meetings: Iterable[Planned]) -> Iterator[tuple[_Each, _Each]]:
    """The pairs that can clash at all: in one place, at one time of the week. Their dates are what costs."""
    rooms: defaultdict[str, list[_Each]] = defaultdict(list)
    for meeting in meetings:
        for slot in meeting.slots:
            rooms[slot.place.lower()].append((meeting, slot))
    pairs = (pair for room in rooms.values() for pair in combinations(room, 2))
    return (pair for pair in pairs if _same_time(pair[0][1], pair[1][1]))


def _same_time(one: Slot, other: Slot) -> bool:
    """Whether two slots overlap in a week in which both are held, or over its turn."""
    if one.day is None or one.time is None or other.day is None or other.time is None:
        return False  # held as needed: on no date
    apart = (_begin(other.day, other.time) - _begin(one.day, one.time)) % _WEEK
    return apart < one.duration or _WEEK - apart < other.duration


def _begin(day: int, at: time) -> timedelta:
    return timedelta(days=day, hours=at.hour, minutes=at.minute)


def _clash(one: _Each, other: _Each, since: date, months: int) -> Conflict | None:
    begin = max(since, *(first_day(slot) for _, slot in (one, other)))
    span = (datetime.combine(begin, time(), UTC), datetime.combine(months_later(begin, months), time(), UTC))
    clashes = list(_overlaps(_held(one, *span), _held(other, *span)))
    return Conflict(*clashes[0], len(clashes)) if clashes else None


def _held(each: _Each, since: datetime, until: datetime) -> list[Occurrence]:
    return [date for date in of_slot(*each, since, until) if date.skipped is None]


def _overlaps(ones: list[Occurrence], others: list[Occurrence]) -> Iterator[tuple[Occurrence, Occurrence]]:
    """Both lists are in order, and the dates of one slot never overlap each other: one walk finds all."""
    here = there = 0
    while here < len(ones) and there < len(others):
        one, other = ones[here], others[there]
        if one.start < other.end and other.start < one.end:
            yield one, other
        if one.end <= other.end:
            here += 1
        else:
            there += 1
