# SPDX-License-Identifier: Apache-2.0
"""What is wrong with a directory of meetings, in sentences: files that cannot be read, and meetings in the way.

Pure; the sentences are made by the caller's `say`. The command line, the site and the job of the library tell the same.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date, timedelta

from ...reasons import Reason, reason
from .conflicts import conflicts
from .model import DAYS, Conflict, Flaw, Kind, Occurrence, Schedule, Slot

MONTHS = 24
"""How far conflicts are looked for."""


def problems(schedule: Schedule, since: date, months: int = MONTHS) -> Iterator[Flaw]:
    """Everything that keeps a directory from being taken: flaws of files first, then conflicts."""
    yield from schedule.flaws
    for clash in conflicts(schedule.meetings, since, months):
        yield Flaw(clash.other.meeting.path, clash.other.slot.line, explained(clash))


def told(flaw: Flaw, say: Callable[[Reason], str]) -> str:
    """A flaw as compilers tell it: `meetings/nova.yaml:7: ...`."""
    return f"{flaw.path}:{flaw.line}: {say(flaw.reason)}"


def explained(clash: Conflict) -> Reason:
    """Which two meetings, when first, how often, and what to change."""
    one, other = clash.one, clash.other
    return reason(
        "meetbot.schedule-conflict",
        one=one.meeting.project, one_place=f"{one.meeting.path}:{one.slot.line}", one_time=_span(one),
        other=other.meeting.project, other_time=_span(other), place=one.slot.place,
        day=f"{DAYS[one.start.weekday()]}, {one.start:%Y-%m-%d}", count=clash.count,
        hint=_hint(clash),
    )  # fmt: skip


def _span(one: Occurrence) -> str:
    return f"{one.start:%H:%M}-{one.end:%H:%M}"


def _hint(clash: Conflict) -> str:
    """The next full or half hour at which the one meeting is over."""
    free = clash.one.end if clash.one.end.minute % 30 == 0 else clash.one.end + timedelta(minutes=30)
    return f"{DAYS[free.weekday()]} {free.replace(minute=free.minute // 30 * 30):%H%M}"


def slot_text(slot: Slot) -> str:
    """A slot in few words, as the page and the calendar show it: its frequency and its time."""
    if slot.frequency.kind is Kind.NEVER or slot.day is None or slot.time is None:
        return slot.frequency.name
    return f"{slot.frequency.name}, {DAYS[slot.day]} {slot.time:%H:%M} UTC"
