# SPDX-License-Identifier: Apache-2.0
"""The values of the meetbot: lines of a channel, the state of a meeting, its entries, the bot's replies.

Here live frozen values only; nothing here reads a clock or decides anything. A `Line` is what the channel
saw; an `Entry` is what a line did to a meeting, and is only ever appended; a `Meeting` is the small state that
the next line needs. Minutes are never stored as such: they are a fold over entries and lines.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import IntEnum, StrEnum

_CLOCKS = timedelta(hours=1)


class LineKind(StrEnum):
    """What happened in the channel."""

    SAID = "said"
    ME = "me"
    NOTICE = "notice"
    JOIN = "join"
    PART = "part"
    QUIT = "quit"
    KICK = "kick"
    NICK = "nick"
    TOPIC = "topic"
    MODE = "mode"
    GAP = "gap"


# Who searches by the bot says what he looks for, and does not look for that.
SEARCHES = re.compile(r"([^\s:,]+)[:,]\s*search\b", re.IGNORECASE)
SPOKEN = frozenset({LineKind.SAID, LineKind.ME})


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a channel. `text` is the new nick for NICK, the new topic for TOPIC, why for PART and QUIT.

    `own` lines are the bot's: logged and counted, never obeyed. `account` is the services account, `""` for a
    person who is not logged in, None where the network does not tell. `id` is the stored row, 0 before. `msgid` is
    the network's own name of the message, if it has one: the same message is never kept twice.
    """

    at: datetime
    nick: str
    text: str
    kind: LineKind = LineKind.SAID
    own: bool = False
    account: str | None = None
    id: int = 0
    msgid: str = ""

    @property
    def is_aside(self) -> bool:
        """Whether it only repeats what others say: an answer of the bot, or what it is told to search for."""
        return self.own or SEARCHES.match(self.text) is not None


@dataclass(frozen=True, slots=True)
class Chair:
    """Who may run the meeting: by account once it is known, by nick before."""

    nick: str
    account: str | None = None


@dataclass(frozen=True, slots=True)
class Vote:
    """An open vote. `chosen` holds every option that was ever chosen, in that order."""

    question: str
    options: tuple[str, ...]
    ballots: tuple[tuple[str, str], ...] = ()
    chosen: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class State:
    """How something that a line names is now: `kind` is `change`, `build` or `bug`, `word` its status or result.

    A build that has no result yet is `running`, or waits without a word. `title` says what it is. `draft`: a change
    that is work in progress. What was said before `since` means something else, of another site. `url`: where the state
    itself leads, as to the change that fixes a bug.
    """

    kind: str
    word: str
    title: str = ""
    draft: bool = False
    since: datetime | None = None
    url: str = ""

    def is_meant(self, at: datetime | None) -> bool:
        """Whether something said then may mean it; clocks differ."""
        return at is None or self.since is None or at >= self.since - _CLOCKS

    @property
    def plain(self) -> str:
        """The word for pages without colours."""
        if self.kind == "change" and self.word == "NEW":
            return "work in progress" if self.draft else "open"
        return self.word.lower().replace("_", " ") or "waiting"


@dataclass(frozen=True, slots=True)
class Bug:
    """From `start` to `end` a text names something in a tracker, which is at `url`."""

    start: int
    end: int
    url: str


class EntryKind(StrEnum):
    """What a line did to its meeting; the first group is what minutes print as items. PRESENT: who was in the channel.
    AWAY: from when to when the bot was not there, and nobody can tell what was said.

    The last group is what people do to minutes after the end: `number` is then the place in the record of the item
    they change, and the text of ADDED is written as a command, `#info text`.
    """

    TOPIC = "topic"
    SUBTOPIC = "subtopic"
    INFO = "info"
    IDEA = "idea"
    ACTION = "action"
    AGREED = "agreed"
    ACCEPTED = "accepted"
    REJECTED = "rejected"
    HELP = "help"
    LINK = "link"
    VOTE = "vote"
    DONE = "done"

    STARTED = "started"
    TITLE = "title"
    NAME = "name"
    CHAIR = "chair"
    UNCHAIR = "unchair"
    KNOWN = "known"
    RENAMED = "renamed"
    UNDO = "undo"
    PRESENT = "present"
    RESTRICTED = "restricted"
    SAVED = "saved"
    AWAY = "away"
    ENDED = "ended"

    EDITED = "edited"
    STRUCK = "struck"
    ADDED = "added"


ITEMS = frozenset(list(EntryKind)[:12])
DECISIONS = frozenset({EntryKind.AGREED, EntryKind.ACCEPTED, EntryKind.REJECTED, EntryKind.VOTE})


@dataclass(frozen=True, slots=True)
class Entry:
    """One fact of a meeting's record. `number` is the 1-based line of the meeting's log that made it."""

    kind: EntryKind
    at: datetime
    nick: str
    text: str
    number: int
    line: int = 0


@dataclass(frozen=True, slots=True)
class Standing:
    """An item of the minutes that is not undone, on top of those before it: one more costs the same at any length."""

    item: Entry
    below: Standing | None = None


@dataclass(frozen=True, slots=True)
class Meeting:
    """The state of a running meeting. `said` counts the lines of its log; `last` is the newest item not undone.

    Only `#undo` looks at `last`: whoever stores states may leave it out and put it back from the record for that.
    """

    channel: str
    owner: Chair
    started: datetime
    name: str = ""
    title: str = ""
    topic: str = ""
    old_topic: str | None = None
    chairs: tuple[Chair, ...] = ()
    lurking: bool = False
    said: int = 0
    last: Standing | None = None
    vote: Vote | None = None

    @property
    def standing(self) -> tuple[Entry, ...]:
        """The items that are not undone, oldest first."""
        items: list[Entry] = []
        top = self.last
        while top is not None:
            items.append(top.item)
            top = top.below
        return tuple(reversed(items))


class Priority(IntEnum):
    """What goes out first where a network lets few lines through."""

    MEETING = 0
    ANSWER = 1
    STATUS = 2
    ASIDE = 3
    NEWS = 4


class Act(StrEnum):
    """What the bot does in answer to a line."""

    SAY = "say"
    NOTICE = "notice"
    TOPIC = "topic"


@dataclass(frozen=True, slots=True)
class Reply:
    """A line for the channel, or its new topic. `speaker` is the nick of whom the bot says it for; empty: itself.

    With a nick in `to` it is said to that person alone. `aside`: it matters to one voter only, and waits for what
    matters to everybody.
    """

    text: str
    act: Act = Act.SAY
    speaker: str = ""
    to: str = ""
    aside: bool = False


@dataclass(frozen=True, slots=True)
class Setting:
    """What surrounds a meeting and is not its state: the channel as it is now, and the site's ways.

    `taken` are the names of minutes that exist already, `present` the nicks in the channel (None: not known),
    `location` a fixed name for the minutes instead of the usual one (a replayed file). `strict` reproduces
    OpenDev's bot, its defects included, but for its security holes. `replayed` lines come from a log: what it says
    has happened, so a meeting that began there without a name did begin. `confirms`: who votes is told that it counts.
    `heard`: when the channel was heard last before the line, where it says that the bot was away.
    """

    channel: str = "#meeting"
    topic: str | None = None
    present: frozenset[str] | None = None
    prefix: str = ""
    about: str = "http://wiki.debian.org/MeetBot"
    version: str = "0.1.4"
    due: int = 60
    strict: bool = False
    taken: frozenset[str] = frozenset()
    location: str = ""
    replayed: bool = False
    confirms: bool = False
    heard: datetime | None = None
