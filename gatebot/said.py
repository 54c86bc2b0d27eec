# SPDX-License-Identifier: Apache-2.0
"""What was said on IRC, and what became of it: facts of meetings, the status, boards and people there.

Taken in by `events.py`, whose rules hold here; a file of its own because there are many.
"""

from __future__ import annotations

from dataclasses import dataclass

from .fact import Event


@dataclass(frozen=True, slots=True)
class LineSaid(Event):
    """One stored line of an IRC channel; `line` is the id of its row, `path` its permanent address on this site.

    `in_meeting` is the id of the meeting that runs there (0: none). An `aside` only repeats what others say: the bot
    says it, or is told to search for it."""

    channel: str
    line: int
    nick: str
    text: str
    network: str = "irc"
    path: str = ""
    in_meeting: int = 0
    aside: bool = False


@dataclass(frozen=True, slots=True)
class LineRemoved(Event):
    """The words of a stored line were taken away; a marker stands in their place."""

    channel: str
    line: int


@dataclass(frozen=True, slots=True)
class MeetingStarted(Event):
    meeting: int
    channel: str
    name: str
    nick: str


@dataclass(frozen=True, slots=True)
class MeetingEnded(Event):
    """`path` is the address of the minutes below the site's root, without its ending."""

    meeting: int
    channel: str
    name: str
    path: str


@dataclass(frozen=True, slots=True)
class StatusTold(Event):
    """Somebody told everybody how the site is, celebrated or thanked: `kind` says it, row `entry` has the words."""

    entry: int
    kind: str


@dataclass(frozen=True, slots=True)
class IrcLinked(Event):
    """Somebody on IRC is known to be this account from now on."""

    account: int


@dataclass(frozen=True, slots=True)
class BoardChanged(Event):
    """The board of an event is another: its tracks, what they speak of, or who is where."""

    board: str
