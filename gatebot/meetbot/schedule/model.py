# SPDX-License-Identifier: Apache-2.0
"""The schedule of meetings as values: meetings of the files, their slots, the dates that come of them.

Floor 0. A meeting has one file and one or more slots; a slot is a time of the week, how often, and where. All times
are UTC, as in the files of yaml2ical.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import StrEnum

from ...reasons import Reason

DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
ORDINALS = ("first", "second", "third", "fourth", "last")


class Kind(StrEnum):
    """What a frequency counts."""

    WEEKS = "weeks"
    MONTHS = "months"
    NEVER = "never"


@dataclass(frozen=True, slots=True)
class Frequency:
    """How often: `every` weeks in those whose number leaves `rest`, or the `nth` such day of a month (-1: the last)."""

    name: str
    kind: Kind
    every: int = 1
    rest: int = 0
    nth: int = 0


@dataclass(frozen=True, slots=True)
class Skip:
    """A date on which the meeting is not held, and why."""

    day: date
    reason: str


@dataclass(frozen=True, slots=True)
class Slot:
    """One time at which a meeting is held, as its file has it on `line`; `place` is a channel, or a Matrix room.

    A meeting that is held as needed has no day and no time.
    """

    number: int
    line: int
    frequency: Frequency
    place: str
    day: int | None = None
    time: time | None = None
    duration: timedelta = timedelta(minutes=60)
    start: date | None = None
    chair: str = ""
    skips: tuple[Skip, ...] = ()

    @property
    def channel(self) -> str:
        """The IRC channel; empty for a room of another network."""
        return self.place if self.place.startswith(("#", "&", "+")) and ":" not in self.place else ""


@dataclass(frozen=True, slots=True)
class Planned:
    """A meeting that is planned by the file `path`."""

    path: str
    project: str
    description: str
    chair: str
    slots: tuple[Slot, ...]
    meeting_id: str = ""
    project_url: str = ""
    agenda_url: str = ""

    @property
    def key(self) -> str:
        """The name of its file without the ending: how addresses name it."""
        return self.path.rsplit("/", 1)[-1].rsplit(".", 1)[0]


@dataclass(frozen=True, slots=True)
class Occurrence:
    """One date of a slot; `skipped` says why it is not held."""

    meeting: Planned
    slot: Slot
    start: datetime
    skipped: str | None = None

    @property
    def end(self) -> datetime:
        """When it should be over."""
        return self.start + self.slot.duration


@dataclass(frozen=True, slots=True)
class Conflict:
    """Two meetings at one time in one place: the first time that this happens, and how often."""

    one: Occurrence
    other: Occurrence
    count: int


@dataclass(frozen=True, slots=True)
class Flaw:
    """What is wrong with a file, and where."""

    path: str
    line: int
    reason: Reason


@dataclass(frozen=True, slots=True)
class Schedule:
    """All meetings of a directory, and what could not be read."""

    meetings: tuple[Planned, ...] = ()
    flaws: tuple[Flaw, ...] = ()

    def named(self, key: str) -> Planned | None:
        """The meeting of a file."""
        return next((one for one in self.meetings if one.key == key), None)
