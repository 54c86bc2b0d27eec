# SPDX-License-Identifier: Apache-2.0
"""Minutes as a value: folded from the entries and the lines of a meeting, whenever somebody wants to read them.

Pure. Nothing is stored that could disagree with the record. Whom an action belongs to is decided here: every
known nick that its text names.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from .. import lines as reading
from .. import names
from ..model import ITEMS, SPOKEN, Entry, EntryKind, Line, Setting


@dataclass(frozen=True, slots=True)
class Edit:
    """What somebody changed after the end: `before` is empty for an item added, `after` for one struck out."""

    at: datetime
    who: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Minutes:
    """A meeting as it is written down. `people` are nicks with the lines they said, most first.

    `places` tells for each item where in the record it stands: edits name it by that. `changed` tells for each item who
    changed its words last after the end, empty where they are those of the meeting. `absences`: when the bot was away.
    """

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
    edits: tuple[Edit, ...] = ()
    places: tuple[int, ...] = ()
    changed: tuple[str, ...] = ()
    absences: tuple[str, ...] = ()

    @property
    def heading(self) -> str:
        """The title of the page."""
        return f"{self.channel}: {self.title}" if self.title else f"{self.channel} Meeting"

    @property
    def marked(self) -> Iterator[tuple[Entry, str]]:
        """The items, each with who changed it after the end."""
        return zip(self.items, self.changed, strict=True)

    @property
    def actions(self) -> tuple[Entry, ...]:
        """Every action, in the order decided."""
        return self.of(EntryKind.ACTION)

    def of(self, kind: EntryKind) -> tuple[Entry, ...]:
        """The items of one kind."""
        return tuple(item for item in self.items if item.kind is kind)

    @property
    def base(self) -> str:
        """The file name of these minutes without its ending."""
        return names.base(self.location)


def fold(entries: Sequence[Entry], lines: Iterable[Line], setting: Setting) -> Minutes:
    """The minutes of one meeting: `entries` from its start on, `lines` from the line that started it to its last."""
    log = tuple(line for line in lines if line.kind in SPOKEN)
    start = entries[0]
    ends = [entry for entry in entries if entry.kind is EntryKind.ENDED]
    over, end = bool(ends), (ends or entries)[-1]
    last = {entry.kind: entry.text for entry in entries}
    started = next(entry.at for entry in reversed(entries) if entry.kind is EntryKind.STARTED)
    standing, edits, changed = as_edited(entries)
    items = tuple(standing.values())
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
        edits=tuple(edits),
        places=tuple(standing),
        changed=tuple("" if setting.strict else changed.get(place, "") for place in standing),
        absences=tuple(entry.text for entry in entries if entry.kind is EntryKind.AWAY),
    )


def as_edited(entries: Iterable[Entry]) -> tuple[dict[int, Entry], list[Edit], dict[int, str]]:
    """The items that no `#undo` took out, by place in the record, as edits left them; the edits; who changed them."""
    standing: dict[int, Entry] = {}
    edits: list[Edit] = []
    changed: dict[int, str] = {}
    for place, entry in enumerate(entries, 1):
        kind = entry.kind
        if kind in ITEMS:
            standing[place] = entry
        elif kind is EntryKind.UNDO and standing:
            standing.popitem()
        elif kind is EntryKind.ADDED and (added := added_item(entry)):
            standing[place] = added
            edits.append(Edit(entry.at, entry.nick, "", entry.text))
        elif kind in (EntryKind.EDITED, EntryKind.STRUCK) and entry.number in standing:
            before = standing[entry.number]
            edits.append(Edit(entry.at, entry.nick, before.text, entry.text))
            changed[entry.number] = entry.nick
            if kind is EntryKind.STRUCK:
                del standing[entry.number]
            else:
                standing[entry.number] = replace(before, text=entry.text)
    return standing, edits, changed


def added_item(entry: Entry) -> Entry | None:
    """The item that an ADDED entry stands for: its text is a command that adds one."""
    command = reading.command(entry.text)
    if command is None or command.name not in ITEMS:
        return None
    return replace(entry, kind=EntryKind(command.name), text=command.rest.rstrip())


def _people(entries: Iterable[Entry], log: Sequence[Line]) -> tuple[tuple[str, int], ...]:
    """Who spoke or was named, by lines said; equal counts by first appearance."""
    count: dict[str, int] = {}
    named: dict[int, list[str]] = {}
    for entry in entries:
        if entry.kind in (EntryKind.CHAIR, EntryKind.KNOWN) and entry.text:  # a removed name is empty
            named.setdefault(entry.number, []).append(entry.text)
    for number, line in enumerate(log, 1):
        count[line.nick] = count.get(line.nick, 0) + 1
        for nick in named.get(number, ()):
            count.setdefault(nick, 0)
    return tuple(sorted(count.items(), key=lambda pair: -pair[1]))


def _assigned(
    items: Iterable[Entry], nicks: Sequence[str], strict: bool
) -> tuple[tuple[tuple[str, tuple[Entry, ...]], ...], tuple[Entry, ...]]:
    """The actions of each nick that has some, nicks in alphabetical order, and the actions of nobody."""
    actions = [item for item in items if item.kind is EntryKind.ACTION]
    folded = [(action, action.text.casefold()) for action in actions]
    owned: list[tuple[str, tuple[Entry, ...]]] = []
    plain = {} if strict else _plain(nicks)
    for nick in sorted(nicks, key=str.lower):
        # A look for the bare letters first: most nicks are named by few actions.
        called = [(name.casefold(), reading.nick_pattern(name, strict)) for name in (nick, plain.get(nick)) if name]
        own = tuple(
            action
            for action, text in folded
            if any(letters in text and pattern.search(action.text) for letters, pattern in called)
        )
        if own:
            owned.append((nick, own))
    assigned = {id(action) for _, own in owned for action in own}
    return tuple(owned), tuple(action for action in actions if id(action) not in assigned)


def _plain(nicks: Iterable[str]) -> dict[str, str]:
    """How people from the web are called: by the name alone, unless somebody else in the meeting has just that."""
    taken = {nick.casefold() for nick in nicks}
    found: dict[str, str] = {}
    for mark in ("/web", "/guest"):  # who has signed in goes before who only says so
        for nick in nicks:
            name = nick.removesuffix(mark)
            if name and name != nick and name.casefold() not in taken:
                found[nick] = name
                taken.add(name.casefold())
    return found
