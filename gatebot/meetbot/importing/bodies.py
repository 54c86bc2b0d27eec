# SPDX-License-Identifier: Apache-2.0
"""What a line of an old log tells, after its time: who said what, who came and went.

Pure. The programs differ in marks and brackets, hardly in words: one table of patterns reads them all. What is no
line of the channel (a logger's own notes) is told apart from what cannot be read.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from ..lines import plain
from ..model import LineKind

_NICK = r"[@+%~&!]?(?P<nick>[^\s<>()]+)"
_WHY = r"(?: ?[(\[](?P<text>.*)[)\]])?"
_WHO = r"(?: [(\[<][^\s()<>\[\]]*@[^\s()<>\[\]]*[)\]>])?"
_SPOKEN: tuple[tuple[LineKind, re.Pattern[str]], ...] = (
    (LineKind.SAID, re.compile(rf"< ?{_NICK}> ?(?P<text>.*)")),
    (LineKind.NOTICE, re.compile(r"-(?P<nick>[^\s:!-][^\s:]*?)(?::[^\s]+)?- (?P<text>.*)")),
)
_ME = re.compile(rf"\* {_NICK} ?(?P<text>.*)")
_EVENT = re.compile(r"(?:\*\*\*|-!-|-->|<--|--)\s+(?P<rest>.*)")
_EVENTS: tuple[tuple[LineKind, re.Pattern[str]], ...] = (
    (LineKind.JOIN, re.compile(rf"Joins: {_NICK}\b.*")),
    (LineKind.PART, re.compile(rf"Parts: {_NICK}{_WHO}{_WHY}")),
    (LineKind.QUIT, re.compile(rf"Quits: {_NICK}{_WHO}{_WHY}")),
    (LineKind.JOIN, re.compile(rf"{_NICK}{_WHO}(?: [(\[].*[)\]])* has joined\b.*")),
    (LineKind.PART, re.compile(rf"{_NICK}{_WHO} has left(?: (?:channel )?[#&+!]\S+)?{_WHY}")),
    (LineKind.QUIT, re.compile(rf"{_NICK}{_WHO} has quit(?: IRC)?{_WHY}")),
    (LineKind.NICK, re.compile(rf"{_NICK} is now known as (?P<text>\S+)")),
    (LineKind.KICK, re.compile(rf"(?P<victim>\S+) was kicked(?: from [#&+!]\S+)? by {_NICK}{_WHY}")),
    (LineKind.KICK, re.compile(rf"{_NICK} has kicked (?P<victim>\S+){_WHY}")),
    (LineKind.MODE, re.compile(rf"{_NICK} sets mode:? (?P<text>.*)")),
    (LineKind.MODE, re.compile(rf"mode/[#&+!]\S+ \[(?P<text>[^\]]*)\] by {_NICK}")),
    (LineKind.MODE, re.compile(rf"Mode [#&+!]\S+ \[(?P<text>[^\]]*)\] by {_NICK}")),
    (LineKind.TOPIC, re.compile(rf"{_NICK} change[sd] (?:the )?topic(?: of [#&+!]\S+)? to:? (?P<text>.*)")),
    (LineKind.TOPIC, re.compile(rf'{_NICK} has changed topic for [#&+!]\S+(?: from ".*")? to (?P<text>".*")')),
    (LineKind.NOTICE, re.compile(rf"Notice\({_NICK}\): (?P<text>.*)")),
)
_OWN_NOTES = re.compile(r"(?:\*\*\*|---|--|-!-)(?:\s|$)")


@dataclass(frozen=True, slots=True)
class Told:
    """One line of a channel, without its time."""

    kind: LineKind
    nick: str
    text: str


def told(body: str) -> Told | None:
    """What a line tells; None when it is no line of the channel, or cannot be read: ask `is_note`."""
    for kind, pattern in _SPOKEN:
        if found := pattern.fullmatch(body):
            return Told(kind, found["nick"], plain(found["text"]))
    if found := _EVENT.fullmatch(body):
        return _event(found["rest"].strip())
    if found := _ME.fullmatch(body):
        return Told(LineKind.ME, found["nick"], plain(found["text"]))
    return None


def is_note(body: str) -> bool:
    """Whether a line is a logger's own: nothing of the channel is lost with it."""
    return not body.strip() or _OWN_NOTES.match(body) is not None


def _event(rest: str) -> Told | None:
    for kind, pattern in _EVENTS:
        if found := pattern.fullmatch(rest):
            parts = found.groupdict()
            text = plain(parts.get("text") or "")
            if kind is LineKind.KICK:
                text = f"{parts['victim']} {text}".strip()
            if kind is LineKind.TOPIC and len(text) > 1 and text[0] == text[-1] and text[0] in "\"'":
                text = text[1:-1]
            return Told(kind, found["nick"], text)
    return None
