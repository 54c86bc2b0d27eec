# SPDX-License-Identifier: Apache-2.0
"""Settings of what the bot tells channels unasked, and what is wrong with them.

Only frozen values, as in `settings_fields.py`, which lists these sections.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from .settings_checks import no_regexes
from .settings_irc import Irc
from .settings_words import guess, setting, written

ANNOUNCED = (
    "patchset-created", "change-merged", "change-abandoned", "change-restored", "comment-added", "ref-updated",
    "gate-failed",
)  # fmt: skip
"""What channels can be told of; a vote is told of by its label and value, such as Code-Review+2."""
COMMANDS = frozenset({
    "accept", "accepted", "action", "agree", "agreed", "chair", "commands", "done", "endmeeting", "endvote", "halp",
    "help", "here", "idea", "in", "info", "link", "lurk", "meetingname", "meetingtopic", "nick", "out", "progress",
    "reject", "rejected", "restrictlogs", "save", "seen", "showvote", "startmeeting", "startvote", "status",
    "subscribe", "subtopic", "success", "thanks", "topic", "unchair", "undo", "unlurk", "unsubscribe", "vote",
})  # fmt: skip
"""What is said with a # in a channel and means something: no track can be called so."""
_TRACK = re.compile(r"#?[^\s#+~/?%]{1,40}")
_VOTE = re.compile(r"[A-Za-z][A-Za-z0-9-]*[+-][1-9]\d?")


@dataclass(frozen=True, slots=True)
class Announce:
    """A channel that is told what happens to changes; a channel may have several of these."""

    channel: str = setting("", "The channel; the bot must be in it.", unit="channel")
    network: str = setting("", "The network of the channel; empty: the first one that has it.", unit="name")
    events: tuple[str, ...] = setting(
        ("patchset-created", "change-merged"),
        "What it is told of: patchset-created, change-merged, change-abandoned, change-restored, comment-added, "
        "ref-updated (tags), gate-failed, and votes, such as Code-Review+2.",
    )
    projects: tuple[str, ...] = setting((), "Of which projects: names, or expressions that begin with ^; empty: all.")
    branches: tuple[str, ...] = setting((), "Of which branches, written likewise; empty: all.")
    digest: int = setting(5, "How many announcements may come at once; more become one line.", least=1)
    language: str = setting("en", "The language of the announcements.", choices=("en", "ko"))


def announce_errors(place: str, one: Announce) -> Iterator[str]:
    """What is wrong with one of them alone."""
    if not one.channel:
        yield f"{place}.channel: this is needed."
    for event in one.events:
        if event not in ANNOUNCED and not _VOTE.fullmatch(event):
            known = guess(event, ANNOUNCED)
            yield f"{place}.events: {written(event)} is nothing that is announced.{known}"
    for key, names in (("projects", one.projects), ("branches", one.branches)):
        yield from no_regexes(f"{place}.{key}", [name for name in names if name.startswith("^")])


@dataclass(frozen=True, slots=True)
class Status:
    """A channel that hears of the notices and alerts that people tell by #status."""

    channel: str = setting("", "The channel; the bot must be in it.", unit="channel")
    network: str = setting("", "The network of the channel; empty: the first one that has it.", unit="name")
    topic: bool = setting(True, "Whether an alert stands in the channel's topic until it is over.")


@dataclass(frozen=True, slots=True)
class Board:
    """The board of an event: what its tracks speak of, who is where; it is led in a channel."""

    channel: str = setting("", "The channel; the bot must be in it.", unit="channel")
    network: str = setting("", "The network of the channel; empty: the first one that has it.", unit="name")
    title: str = setting("", "What the page is headed; empty: the name of the board.")
    tracks: tuple[str, ...] = setting((), "The tracks that it begins with; ~add and ~del change them in the channel.")
    rooms: tuple[str, ...] = setting((), "Rooms that tracks may book.")
    slots: tuple[str, ...] = setting((), "The times of each room that may be booked, in order, such as MonAM.")
    etherpad: str = setting("", "What the address of each track's pad begins with; empty: they have none.", unit="URL")


def board_errors(place: str, one: Board) -> Iterator[str]:
    """What is wrong with one of them alone."""
    if not one.channel:
        yield f"{place}.channel: this is needed."
    if one.etherpad and not one.etherpad.startswith(("http://", "https://")):
        yield f"{place}.etherpad: {written(one.etherpad)} is no address; write one that begins with https://."
    for key, names in (("tracks", one.tracks), ("rooms", one.rooms), ("slots", one.slots)):
        for name in names:
            if not name or any(letter.isspace() for letter in name):
                yield f"{place}.{key}: {written(name)} cannot be said as one word; write it without blanks."
    for track in one.tracks:
        if track.removeprefix("#").lower() in COMMANDS:
            taken = f"is a command (#{track.removeprefix('#').lower()}), so nobody could lead that track"
            yield f"{place}.tracks: {written(track)} {taken}; call it otherwise."
        elif track and not any(letter.isspace() for letter in track) and not _TRACK.fullmatch(track):
            yield f"{place}.tracks: {written(track)} is no name: 1 to 40 letters, without any of # + ~ / ? %."


def status_errors(place: str, one: Status) -> Iterator[str]:
    """What is wrong with one of them alone."""
    if not one.channel:
        yield f"{place}.channel: this is needed."


class _Led(Protocol):
    @property
    def channel(self) -> str: ...
    @property
    def network(self) -> str: ...


def network_of(channel: str, network: str, networks: Sequence[Irc]) -> str | None:
    """The network of a channel that settings name; None: the bot is in no such channel."""
    found = [one.name for one in networks if channel.lower() in [name.lower() for name in one.channels]]
    return next((name for name in found if name == network or not network), None)


def unheard_errors(section: str, told: Mapping[str, _Led], networks: Sequence[Irc]) -> Iterator[str]:
    """Which of them would tell a channel that the bot is not in."""
    for name, one in told.items():
        if one.channel and network_of(one.channel, one.network, networks) is None:
            what = f"the bot is not in {one.channel}; write it into channels of its [[irc]] too."
            yield f"{section}.{name}.channel: {what}"


def shared_errors(boards: Mapping[str, Board], networks: Sequence[Irc]) -> Iterator[str]:
    """Which boards would be led where another one is already."""
    led: dict[tuple[str | None, str], str] = {}
    for name, one in boards.items():
        where = (network_of(one.channel, one.network, networks), one.channel.lower())
        first = led.setdefault(where, name)
        if one.channel and first != name:
            told = f"the board {first} is led in {one.channel} already, and a channel leads one board"
            yield f"board.{name}.channel: {told}; give this one another channel."
