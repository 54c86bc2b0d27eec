# SPDX-License-Identifier: Apache-2.0
"""What a line says to a board: `#TRACK now TEXT`, `+in LOCATION`, `~add TRACK`.

Pure. A board shares its channel with meetings and with talk: words of a meeting are the meeting's, and `#1 is the
worst` is no command. Where there is no board, what is plainly a command of one is told from what may as well be talk.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from enum import Enum, auto

from ..commands import ANYONE, CHAIRS
from ..sisters.announcing import clean

_SAID = re.compile(r"([#+~])([^\s#+~]\S*)\s*(.*)", re.DOTALL)
USER = frozenset({"in", "out", "seen", "subscribe", "unsubscribe"})
TRACK = ("now", "next", "clean", "clear", "etherpad", "url", "color", "location", "book", "unbook")
ADMIN = ("list", "add", "del", "clean", "newday", "motd", "emptydb", "requirevoice", "alloweveryone")
OTHERS = frozenset({"startmeeting", "status", "success", "thanks", *ANYONE, *CHAIRS})
_FEW = 3  # words behind `#in`; with more it may be a sentence


class To(Enum):
    """What a command is about."""

    PERSON = auto()
    TRACK = auto()
    BOARD = auto()


@dataclass(frozen=True, slots=True)
class Said:
    """A command: its word or its track in small letters, and what follows."""

    to: To
    word: str
    rest: str

    @property
    def words(self) -> list[str]:
        """What follows, word by word."""
        return self.rest.split()


def said(text: str) -> Said | None:
    """What a line of the channel says to the board; None: nothing."""
    found = _SAID.fullmatch(clean(text))
    if found is None:
        return None
    sign, word, rest = found[1], found[2].lower(), found[3].strip()
    if sign == "~":
        return Said(To.BOARD, word, rest)
    if word in USER:
        return Said(To.PERSON, word, rest)
    if word == "help" and sign == "+":
        return Said(To.TRACK, "", "")
    if word in OTHERS:
        return None
    return Said(To.TRACK, word, rest)


def elsewhere(text: str, tracks: Collection[str]) -> str:
    """The command of a board that a line of a channel without one is meant to be; empty: it may as well be talk.

    `~add nova`, `#in the lobby`, `#here`; `#nova now testing` only where some board has the track nova.
    """
    found = said(text)
    if found is None:
        return ""
    if found.to is To.BOARD:
        return f"~{found.word}" if found.word in ADMIN else ""
    if found.to is To.PERSON or found.word == "here":
        return f"#{found.word}" if len(found.words) <= _FEW else ""
    verb = found.rest.partition(" ")[0].lower()
    return f"#{found.word} {verb}" if found.word in tracks and verb in TRACK else ""


def whispered(text: str) -> Said | None:
    """What somebody says to the bot alone: commands of people, with a sign before them or without."""
    word, _, rest = clean(text).partition(" ")
    word = word.lstrip("#+").lower()
    return Said(To.PERSON, word, rest.strip()) if word in USER else None
