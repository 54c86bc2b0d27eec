# SPDX-License-Identifier: Apache-2.0
"""The values of the status: what was told, who may, which channels hear of it, what is still to be said there.

Frozen values only. What is in force is never stored: it follows from what was told.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Kind(StrEnum):
    """What is told, by the words of OpenDev's statusbot."""

    LOG = "log"
    NOTICE = "notice"
    ALERT = "alert"
    OK = "ok"
    SUCCESS = "success"
    THANKS = "thanks"


STATUS = (Kind.LOG, Kind.NOTICE, Kind.ALERT, Kind.OK)
"""What needs a permission; the others are for everybody."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing that was told. `username` is the account of who told it, if it is known; without a channel it was told
    on this site. `line` is the stored line, `path` its address."""

    id: int
    at: datetime
    kind: Kind
    text: str
    nick: str
    username: str = ""
    network: str = ""
    channel: str = ""
    line: int = 0
    path: str = ""


@dataclass(frozen=True, slots=True)
class Place:
    """A channel that hears of notices and alerts; `topic`: alerts stand in its topic."""

    network: str
    channel: str
    topic: bool = True


@dataclass(frozen=True, slots=True)
class Person:
    """An account, and whether it may tell the status."""

    username: str
    may: bool


@dataclass(frozen=True, slots=True)
class Step:
    """What becomes of a command: what is kept of it (`kind` None: nothing), what its channel is told at once and at the
    end, and what all channels are told."""

    kind: Kind | None = None
    text: str = ""
    first: str = ""
    last: str = ""
    broadcast: str = ""


@dataclass(frozen=True, slots=True)
class Delivery:
    """A line that a channel is still to be told. `last`: only when nothing else of its entry waits any more."""

    id: int
    entry: int
    network: str
    channel: str
    text: str
    notice: bool
    last: bool
    created: datetime


@dataclass(frozen=True, slots=True)
class Held:
    """The topic that a channel had before an alert, and the alert (empty: it is over); `stands`: it was seen to be the
    topic."""

    before: str
    alert: str
    stands: bool = False


@dataclass(frozen=True, slots=True)
class Sitting:
    """A meeting that leads a channel's topic: what it has made it, and what it will give back (None: not known)."""

    topic: str
    before: str | None
