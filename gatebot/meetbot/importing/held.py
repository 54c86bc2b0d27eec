# SPDX-License-Identifier: Apache-2.0
"""A meeting in an old log of its channel, held again: the live path, with nobody to answer.

Pure. The bot that led it then is known by its greeting: its lines are counted and never obeyed, and where it says that
the meeting is over, it is, whoever ended it. A meeting whose end the log does not tell is none yet: what comes later
may bring it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from .. import lines as reading
from .. import names
from ..model import SPOKEN, Entry, EntryKind, Line, LineKind, Meeting, Setting
from ..reading_logs import GREETING, NEAR
from ..reduce import reduce

LONGEST = timedelta(days=2)
"""A meeting that is not over after this time was forgotten."""
_OVER = re.compile(r"Meeting ended (?:\w{3} \w{3} +\d+ [\d:]+ \d{4}|at [\d:]+)? ?UTC", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Held:
    """A meeting that is over: its last state, its record, the lines of its log, and the nick of the bot that led it."""

    meeting: Meeting
    entries: tuple[Entry, ...]
    lines: tuple[Line, ...]
    bot: str

    @property
    def name(self) -> str:
        """Its name in addresses."""
        return self.meeting.name or names.default_name(self.meeting.channel)


def starts_meeting(line: Line) -> bool:
    """Whether a line asks for a meeting."""
    command = reading.command(line.text) if line.kind is LineKind.SAID and not line.own else None
    return command is not None and command.name == "startmeeting"


def held(lines: Sequence[Line], setting: Setting) -> Held | None:
    """The meeting that the first of these lines of a channel starts; None where it starts none, or none that ends."""
    bot = _greeter(lines, 0)
    setting = replace(setting, replayed=bool(bot))  # without a name it began only where the bot says so
    meeting: Meeting | None = None
    entries: list[Entry] = []
    kept: list[Line] = []
    for place, told in enumerate(lines):
        line = replace(told, own=True) if told.nick == bot and told.kind in SPOKEN else told
        if meeting is not None and starts_meeting(line) and _greeter(lines, place):
            return None  # the bot had forgotten this one
        if meeting is not None and line.own and _OVER.match(line.text):
            where = names.location(meeting.name or names.default_name(meeting.channel), meeting.started, setting.taken)
            entries.append(Entry(EntryKind.ENDED, line.at, line.nick, where, meeting.said, kept[-1].id))
            return Held(meeting, tuple(entries), tuple(kept), bot)
        before = meeting
        meeting, more, _ = reduce(before, line, setting)
        entries += more
        if line.kind in SPOKEN:
            kept.append(line)
        if meeting is None:
            return Held(before, tuple(entries), tuple(kept), bot) if before is not None else None
    return None


def _greeter(lines: Sequence[Line], place: int) -> str:
    """Who greeted the meeting that a line started; empty: nobody did."""
    spoken = [line for line in lines[place + 1 : place + 4 * NEAR] if line.kind in SPOKEN][: NEAR - 1]
    greeted = (line.nick for line in spoken if line.nick != lines[place].nick and GREETING.match(line.text))
    return next(greeted, "")
