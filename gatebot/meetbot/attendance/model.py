# SPDX-License-Identifier: Apache-2.0
"""The values of attendance: the newest dates of a meeting, and who was there.

Frozen values only. Minutes count who spoke, as MeetBot does; here those count too of whom the log only says that they
came and went.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Held:
    """A date on which a meeting was held; one that was planned and did not happen has no `meeting`."""

    at: datetime
    meeting: int | None = None


@dataclass(frozen=True, slots=True)
class Person:
    """The lines that somebody said on each date: 0 for who was there and said nothing, None for who was not there."""

    nick: str
    lines: tuple[int | None, ...]


@dataclass(frozen=True, slots=True)
class Attendance:
    """The newest dates of a meeting's name, newest first, and its people, the most faithful first.

    Of those who never spoke only some are among the people; `idle` counts the others.
    """

    dates: tuple[Held, ...] = ()
    people: tuple[Person, ...] = ()
    idle: int = 0

    @property
    def missed(self) -> int:
        """How many of the dates did not happen."""
        return sum(date.meeting is None for date in self.dates)
