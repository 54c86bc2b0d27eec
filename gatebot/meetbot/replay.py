# SPDX-License-Identifier: Apache-2.0
"""Meetings again from their log: the same path as a live one, for `gatebot meeting replay`.

Pure: lines in, minutes out; `reading_logs` makes the lines. Lines of the bot that kept the log are counted and
never obeyed. Strictly, a log is one meeting from its first line on, however often it starts and ends: OpenDev's way.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date

from ..errors import Invalid
from ..reasons import reason
from .minutes.fold import Minutes, fold
from .minutes.render import FORMATS, OTHER_FORMATS
from .model import Chair, Entry, EntryKind, Line, LineKind, Meeting, Reply, Setting
from .reading_logs import Log, dated, read_log
from .reduce import reduce

_WRITING = frozenset({EntryKind.ENDED, EntryKind.SAVED})


@dataclass(frozen=True, slots=True)
class Replayed:
    """What came of a meeting in a log: its minutes, what the bot said and set, and every file of the minutes."""

    minutes: Minutes
    replies: tuple[Reply, ...]
    files: dict[str, str]


@dataclass(slots=True)
class _Held:
    """A meeting while its log is read."""

    record: list[Entry] = field(default_factory=list[Entry])
    replies: list[Reply] = field(default_factory=list[Reply])
    kept: list[Line] = field(default_factory=list[Line])

    def cut(self) -> _Held:
        """What there is up to the last line that had files written: an end, or a save, which is an end to them."""
        written = [place for place, entry in enumerate(self.record) if entry.kind in _WRITING]
        if not written:
            return self
        record = self.record[: written[-1] + 1]
        last = record[-1]
        if last.kind is EntryKind.SAVED and any(entry.kind is EntryKind.ENDED for entry in record):
            place = next(entry.text for entry in record if entry.kind is EntryKind.ENDED)
            record.append(replace(last, kind=EntryKind.ENDED, text=place))
        return _Held(record, self.replies, self.kept[: last.number])


def of_file(name: str, channel: str = "", prefix: str = "", strict: bool = False) -> tuple[Setting, date | None]:
    """The setting, and the day if the name tells it, for a log called `NAME.log.txt`, as OpenDev's replay has them."""
    base = re.sub(r"(?s)\.log\.txt.*|\.[^.]*$", "", name) or "meeting"
    first = name.split(".")[0]
    if not channel:
        channel = first if first[:1] in ("#", "&", "+", "!") else f"#{first}"
    return Setting(channel, prefix=prefix, strict=strict, location=base, replayed=True), dated(base)


def replay(text: str, setting: Setting, *, day: date | None = None, formats: Iterable[str] = FORMATS) -> Replayed:
    """Hold the first meeting of a log again. `day` is the date of its first line where the log tells none."""
    return replay_all(text, setting, day=day, formats=formats)[0]


def replay_all(
    text: str, setting: Setting, *, day: date | None = None, formats: Iterable[str] = FORMATS
) -> list[Replayed]:
    """Hold every meeting of a log again, in order; the second and later ones get a number behind their place."""
    log = read_log(text, day, setting.strict)
    setting = replace(setting, replayed=True)
    held = _as_opendev(log, setting) if setting.strict else _as_live(log, setting)
    if not held:
        raise Invalid(reason=reason("meetbot.no-meeting-in-log" if log.lines else "meetbot.no-lines-in-log"))
    return [_written(one, _placed(setting, number), tuple(formats)) for number, one in enumerate(held, 1)]


def _placed(setting: Setting, number: int) -> Setting:
    if number == 1 or not setting.location:
        return setting
    return replace(setting, location=f"{setting.location}-{number}")


def _written(held: _Held, setting: Setting, formats: Sequence[str]) -> Replayed:
    minutes = fold(held.record, held.kept, setting)
    every = FORMATS | OTHER_FORMATS
    return Replayed(minutes, tuple(held.replies), {ending: every[ending](minutes, setting) for ending in formats})


def _as_live(log: Log, setting: Setting) -> list[_Held]:
    """Each meeting from its start to its end. A start that the bot greeted began a meeting, whatever ran before."""
    every: list[_Held] = []
    held, meeting = _Held(), None
    for place, line in enumerate(log.lines):
        if meeting is not None and place in log.greeted:
            every.append(held)
            held, meeting = _Held(), None
        before = meeting
        if before is None and place not in log.starts:
            continue
        meeting, entries, replies = reduce(before, line, _placed(setting, len(every) + 1))
        held.record += entries
        held.replies += replies
        if before is None or meeting is None or meeting.said != before.said:
            held.kept.append(line)
        if meeting is None:
            every += [held] if held.record else []
            held = _Held()
    return [*every, held] if held.record else every


def _as_opendev(log: Log, setting: Setting) -> list[_Held]:
    """The whole log as one meeting, if it is one: who speaks first owns it, and it goes on after its end."""
    if not log.starts:
        return []
    first = next(line for line in log.lines if line.kind is LineKind.SAID)  # nobody owns anything by a /me
    held = _Held()
    meeting: Meeting | None = None
    if 0 not in log.starts:
        meeting = Meeting(setting.channel, Chair(first.nick), first.at, old_topic=setting.topic)
        held.record.append(Entry(EntryKind.STARTED, first.at, first.nick, setting.channel, 0))
    for line in log.lines:
        before = meeting
        meeting, entries, replies = reduce(before, line, setting)
        if meeting is None and before is not None:
            # Its end has written files and changed nothing else.
            meeting = replace(before, said=before.said + 1)
        held.record += entries
        held.replies += replies
        held.kept.append(line)
    return [held.cut()]
