# SPDX-License-Identifier: Apache-2.0
"""Minutes as a value: folded from the entries and the lines of a meeting, whenever somebody wants to read them.

Pure. Nothing is stored that could disagree with the record. Whom an action belongs to is decided here: every
known nick that its text names.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from .. import lines as reading
from .. import names
from ..model import ITEMS, SPOKEN, Entry, EntryKind, Line, Setting


@dataclass(frozen=True, slots=True)
class Minutes:
    """A meeting as it is written down. `people` are nicks with the lines they said, most first."""

    channel: str
    owner: str
    title: str
    name: str
    started: datetime
    ended: datetime
    over: bool
    restricted: bool
    items: tuple[Entry, ...]
    people: tuple[tuple[str, int], ...]
    by_person: tuple[tuple[str, tuple[Entry, ...]], ...]
    unassigned: tuple[Entry, ...]
    log: tuple[Line, ...]
    location: str

    @property
    def heading(self) -> str:
        """The title of the page."""
        return f"{self.channel}: {self.title}" if self.title else f"{self.channel} Meeting"

    @property
    def actions(self) -> tuple[Entry, ...]:
        """Every action, in the order decided."""
        return tuple(item for item in self.items if item.kind is EntryKind.ACTION)

    @property
    def base(self) -> str:
        """The file name of these minutes without its ending."""
        return names.base(self.location)


def fold(entries: Sequence[Entry], lines: Iterable[Line], setting: Setting) -> Minutes:
    """The minutes of one meeting: `entries` from its start on, `lines` from the line that started it to its last."""
    log = tuple(line for line in lines if line.kind in SPOKEN)
    start, end = entries[0], entries[-1]
    last = {entry.kind: entry.text for entry in entries}
    started = next(entry.at for entry in reversed(entries) if entry.kind is EntryKind.STARTED)
    over = end.kind is EntryKind.ENDED
    items = _standing(entries)
    people = _people(entries, log)
    by_person, unassigned = _assigned(items, [nick for nick, _ in people], setting.strict)
    name = last.get(EntryKind.NAME) or names.default_name(start.text)
    return Minutes(
        channel=start.text,
        owner=start.nick,
        title=last.get(EntryKind.TITLE, ""),
        name=name,
        started=started,
        ended=end.at if over or not log else max(end.at, log[-1].at),
        over=over,
        restricted=EntryKind.RESTRICTED in last,
        items=items,
        people=people,
        by_person=by_person,
        unassigned=unassigned,
        log=log,
        location=end.text if over else setting.location or names.location(name, started, setting.taken),
    )


def _standing(entries: Iterable[Entry]) -> tuple[Entry, ...]:
    """The items that no `#undo` took out."""
    standing: list[Entry] = []
    for entry in entries:
        if entry.kind in ITEMS:
            standing.append(entry)
        elif entry.kind is EntryKind.UNDO and standing:
            standing.pop()
    return tuple(standing)


def _people(entries: Iterable[Entry], log: Sequence[Line]) -> tuple[tuple[str, int], ...]:
    """Who spoke or was named, by lines said; equal counts by first appearance."""
    count: dict[str, int] = {}
    named: dict[int, list[str]] = {}
    for entry in entries:
        if entry.kind in (EntryKind.CHAIR, EntryKind.KNOWN):
            named.setdefault(entry.number, []).append(entry.text)
    for number, line in enumerate(log, 1):
        count[line.nick] = count.get(line.nick, 0) + 1
        for nick in named.get(number, ()):
            count.setdefault(nick, 0)
    return tuple(sorted(count.items(), key=lambda pair: -pair[1]))


def _assigned(
    items: Iterable[Entry], nicks: Iterable[str], strict: bool
) -> tuple[tuple[tuple[str, tuple[Entry, ...]], ...], tuple[Entry, ...]]:
    """The actions of each nick that has some, nicks in alphabetical order, and the actions of nobody."""
    actions = [item for item in items if item.kind is EntryKind.ACTION]
    owned: list[tuple[str, tuple[Entry, ...]]] = []
    for nick in sorted(nicks, key=str.lower):
        pattern = reading.nick_pattern(nick, strict)
        own = tuple(action for action in actions if pattern.search(action.text))
        if own:
            owned.append((nick, own))
    assigned = {id(action) for _, own in owned for action in own}
    return tuple(owned), tuple(action for action in actions if id(action) not in assigned)
