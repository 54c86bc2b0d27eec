# SPDX-License-Identifier: Apache-2.0
"""The values of a board: the facts that are stored, and the board that follows from them.

Frozen values only. A board is a fold over its facts (`folding.py`) and is never stored.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType


class Verb(StrEnum):
    """What a fact did. The first group is about a track, the second about the whole board, the third about people."""

    NOW = "now"
    NEXT = "next"
    CLEAN = "clean"
    ETHERPAD = "etherpad"
    URL = "url"
    COLOR = "color"
    LOCATION = "location"
    BOOK = "book"
    UNBOOK = "unbook"
    ADD = "add"
    DEL = "del"

    NEWDAY = "newday"
    EMPTY = "empty"
    MOTD_ADD = "motd-add"
    MOTD_DEL = "motd-del"
    MOTD_CLEAN = "motd-clean"
    MOTD_REORDER = "motd-reorder"
    REQUIRE = "require"
    ALLOW = "allow"

    IN = "in"
    OUT = "out"
    SUBSCRIBE = "subscribe"
    UNSUBSCRIBE = "unsubscribe"


@dataclass(frozen=True, slots=True)
class Fact:
    """What somebody did. `subject` is the track, the nick, the level of a message, or who subscribes, as
    `NETWORK NAME`."""

    verb: Verb
    subject: str
    text: str
    at: datetime
    nick: str = ""


@dataclass(frozen=True, slots=True)
class CheckIn:
    """Where somebody said that he is, since when, and until when he was (None: he still is)."""

    nick: str
    location: str
    since: datetime
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Subscription:
    """Who is told of what an expression finds; `nick` is how he was called when he asked."""

    nick: str
    regex: str


def _none() -> Mapping[str, str]:
    return MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Board:
    """How a board stands. `slots` are those that may be booked, `ROOM-SLOT`, in order."""

    tracks: tuple[str, ...] = ()
    now: Mapping[str, str] = field(default_factory=_none)
    next: Mapping[str, tuple[str, ...]] = field(default_factory=lambda: MappingProxyType({}))
    etherpads: Mapping[str, str] = field(default_factory=_none)
    urls: Mapping[str, str] = field(default_factory=_none)
    colors: Mapping[str, str] = field(default_factory=_none)
    locations: Mapping[str, str] = field(default_factory=_none)
    bookings: Mapping[str, str] = field(default_factory=_none)
    motd: tuple[tuple[str, str], ...] = ()
    checkins: Mapping[str, CheckIn] = field(default_factory=lambda: MappingProxyType({}))
    subscriptions: Mapping[str, Subscription] = field(default_factory=lambda: MappingProxyType({}))
    known_only: bool = False

    def present(self, track: str) -> list[CheckIn]:
        """Who is in a track now."""
        return [one for one in self.checkins.values() if one.until is None and one.location == f"#{track}"]


@dataclass(frozen=True, slots=True)
class Speaker:
    """Who says something to a board: his nick, how the network proves him (empty: it does not), the account that he is
    (empty: none is known), and whether that may manage boards."""

    network: str
    nick: str
    name: str = ""
    username: str = ""
    manages: bool = False

    @property
    def key(self) -> str:
        """Under what he subscribes: what proves him, or else his nick."""
        return f"{self.network} {self.name or f'nick:{self.nick.lower()}'}"


@dataclass(frozen=True, slots=True)
class Answer:
    """What a line does to a board, what is answered (empty: nothing), and who is told of it, by subscription."""

    facts: tuple[Fact, ...] = ()
    reply: str = ""
    told: tuple[tuple[str, str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Event:
    """An event with a board: in which channel it is led, what it is called, and what it begins with.

    `slots` are what may be booked, as `ROOM-SLOT`; `etherpad` is what the pads' addresses begin with.
    """

    name: str
    network: str
    channel: str
    title: str = ""
    tracks: tuple[str, ...] = ()
    rooms: tuple[str, ...] = ()
    slots: tuple[str, ...] = ()
    etherpad: str = ""
