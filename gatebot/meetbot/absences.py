# SPDX-License-Identifier: Apache-2.0
"""While the bot was away nobody kept what was said: the meeting is told from when to when, and so are its minutes.

Pure. Where the network's own history filled the gap there is nothing to tell. A log that becomes minutes again has the
bot's sentence instead of the gap, and the same comes of it.
"""

from __future__ import annotations

import re

from .commands import Step
from .irc.history import GAP
from .model import Entry, EntryKind, Line, LineKind, Meeting, Reply, Setting

_SENTENCE = re.compile(r"I was away from (.+ to [\d:]+ UTC)\. Say again what counts, commands too\.")


def begins(line: Line) -> bool:
    """Whether a line says that what was said before it is missing."""
    return line.kind is LineKind.GAP and line.text == GAP


def told(meeting: Meeting, line: Line, setting: Setting) -> Step:
    """The bot is back: it says so, and the record has it."""
    if setting.heard is None:
        return meeting, (), ()
    form = "%H:%M:%S" if setting.heard.date() == line.at.date() else "%Y-%m-%d %H:%M:%S"
    span = f"{setting.heard:{form}} to {line.at:%H:%M:%S} UTC"
    sentence = f"I was away from {span}. Say again what counts, commands too."
    return meeting, (Entry(EntryKind.AWAY, line.at, "", span, meeting.said, line.id),), (Reply(sentence),)


def read(meeting: Meeting, line: Line) -> tuple[Entry, ...]:
    """What the bot's own line says of this, in a log."""
    found = _SENTENCE.fullmatch(line.text.strip())
    return (Entry(EntryKind.AWAY, line.at, "", found[1], meeting.said, line.id),) if found else ()
