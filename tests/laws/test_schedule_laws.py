# SPDX-License-Identifier: Apache-2.0
"""Laws of the schedule: dates keep their distance, conflicts are exactly those of a walk through every minute."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from itertools import combinations, islice, pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from gatebot.meetbot.schedule.conflicts import conflicts
from gatebot.meetbot.schedule.frequencies import FREQUENCIES, weekday_of
from gatebot.meetbot.schedule.model import Kind, Planned, Skip, Slot
from gatebot.meetbot.schedule.occurrences import days, months_later, of_slot
from gatebot.meetbot.schedule.reading import read

DAYS = st.dates(date(2021, 1, 4), date(2040, 1, 1))


@st.composite
def slots(draw: st.DrawFn) -> Slot:
    frequency = draw(st.sampled_from(list(FREQUENCIES.values())))
    own = weekday_of(frequency)
    day = own if own is not None else draw(st.integers(0, 6))
    at = time(draw(st.integers(0, 23)), draw(st.sampled_from((0, 15, 30, 59))))
    length = timedelta(minutes=draw(st.sampled_from((1, 30, 60, 90, 1440))))
    start = draw(st.none() | DAYS)
    place = draw(st.sampled_from(("#a", "#b")))
    made = Slot(1, 1, frequency, place, day, at, length, start)
    skipped = list(islice(days(made, date(2026, 11, 1)), draw(st.integers(0, 2))))
    return Slot(1, 1, frequency, place, day, at, length, start, "", tuple(Skip(day, "x") for day in skipped))


@given(slots(), DAYS)
def test_dates_are_on_their_day_in_order_and_at_their_distance(slot: Slot, since: date) -> None:
    found = list(islice(days(slot, since), 30))
    assert all(day.weekday() == slot.day and day >= since for day in found)
    if slot.start is not None:
        assert all(day >= slot.start for day in found)
    steps = {(later - day).days for day, later in pairwise(found)}
    match slot.frequency.kind:
        case Kind.WEEKS:
            assert steps == {7 * slot.frequency.every}
        case Kind.MONTHS:
            assert steps <= {28, 35}
            numbers = {(day.day - 1) // 7 + 1 for day in found}
            last = {(day + timedelta(days=7)).month != day.month for day in found}
            assert last == {True} if slot.frequency.nth == -1 else numbers == {slot.frequency.nth}
        case Kind.NEVER:
            assert found == []


@settings(max_examples=50)
@given(slots(), DAYS, st.integers(0, 400))
def test_what_is_asked_later_is_the_rest_of_what_was_asked_before(slot: Slot, since: date, later: int) -> None:
    until = datetime.combine(since, time(), UTC) + timedelta(days=500)
    meeting = Planned("a.yaml", "a", "", "", (slot,))
    moment = datetime.combine(since, time(), UTC) + timedelta(days=later)
    whole = of_slot(meeting, slot, datetime.combine(since, time(), UTC), until)
    assert [one for one in whole if one.end > moment] == list(of_slot(meeting, slot, moment, until))


@settings(max_examples=25)
@given(st.lists(slots(), min_size=2, max_size=4), DAYS)
def test_conflicts_are_exactly_the_overlaps_of_real_dates(made: list[Slot], since: date) -> None:
    meetings = [Planned(f"{number}.yaml", str(number), "", "", (slot,)) for number, slot in enumerate(made)]
    found = {
        (one.one.meeting.path, one.other.meeting.path): (one.one.start, one.count)
        for one in conflicts(meetings, since, 12)
    }
    for one, other in combinations(meetings, 2):
        (first,), (second,) = one.slots, other.slots
        begin = max(since, first.start or since, second.start or since)
        span = (datetime.combine(begin, time(), UTC), datetime.combine(months_later(begin, 12), time(), UTC))
        clashes = [
            (a.start, b.start)
            for a in of_slot(one, first, *span)
            for b in of_slot(other, second, *span)
            if not (a.skipped or b.skipped) and first.place == second.place and a.start < b.end and b.start < a.end
        ]
        told = found.get((one.path, other.path))
        assert told == ((min(clashes)[0], len(clashes)) if clashes else None)


@given(st.binary(max_size=400) | st.text(max_size=400).map(str.encode))
def test_whatever_a_file_holds_is_told_and_never_fails(data: bytes) -> None:
    schedule = read({"m/x.yaml": data})
    assert schedule.meetings == ()
    assert all(flaw.path == "m/x.yaml" and flaw.line >= 1 for flaw in schedule.flaws)
    assert schedule.flaws
