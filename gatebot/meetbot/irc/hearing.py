# SPDX-License-Identifier: Apache-2.0
"""What the server's messages mean: lines of channels, and who is where.

Pure: `hear(scene, message, now)` returns the scene after it and the lines it makes, each with its channel. The
server's own time and the speaker's account are used where the network tells them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from ..lines import plain
from ..model import Line, LineKind
from .roster import Roster

_SPOKEN = {"PUBMSG": LineKind.SAID, "ACTION": LineKind.ME, "PUBNOTICE": LineKind.NOTICE}
_CHANNEL_TYPES = "#&+!"
_FUTURE = timedelta(minutes=5)
GAP = "The log begins or goes on here; what was said before may be missing."


@dataclass(frozen=True, slots=True)
class Message:
    """One message of the server: a numeric or a name in capitals, who sent it, its parameters and tags."""

    command: str
    nick: str = ""
    source: str = ""
    target: str = ""
    arguments: tuple[str, ...] = ()
    tags: Mapping[str, str] = field(default_factory=dict[str, str])


@dataclass(frozen=True, slots=True)
class Scene:
    """What the bot knows of the network: its own nick and address, who is where, whether accounts are told."""

    nick: str
    source: str = ""
    roster: Roster = field(default_factory=Roster)
    tells_accounts: bool = False


Heard = tuple[Scene, list[tuple[str, Line]]]


def hear(scene: Scene, message: Message, now: datetime) -> Heard:
    """Take in one message."""
    kind = _SPOKEN.get(message.command)
    if kind is not None:
        if not message.target.startswith(tuple(_CHANNEL_TYPES)) or message.nick == scene.nick:
            return scene, []
        return scene, [(message.target, _line(scene, message, now, kind, " ".join(message.arguments)))]
    match message.command:
        case "JOIN" | "PART" | "KICK":
            return _came_or_went(scene, message, now)
        case "QUIT":
            text = " ".join(message.arguments)
            lines = [(c, _line(scene, message, now, LineKind.QUIT, text)) for c in scene.roster.having(message.nick)]
            return replace(scene, roster=scene.roster.quit(message.nick)), lines
        case "NICK":
            return _renamed(scene, message, now)
        case "TOPIC":
            topic = plain(" ".join(message.arguments))
            line = _line(scene, message, now, LineKind.TOPIC, topic)
            return replace(scene, roster=scene.roster.topic(message.target, topic)), [(message.target, line)]
        case "MODE" if message.target.startswith(tuple(_CHANNEL_TYPES)):
            return scene, [(message.target, _line(scene, message, now, LineKind.MODE, " ".join(message.arguments)))]
        case "332" if len(message.arguments) >= 2:
            return replace(scene, roster=scene.roster.topic(message.arguments[0], plain(message.arguments[1]))), []
        case "353" if len(message.arguments) >= 3:
            return replace(scene, roster=scene.roster.named(message.arguments[1], message.arguments[2].split())), []
        case _:
            return scene, []


def _line(scene: Scene, message: Message, now: datetime, kind: LineKind, text: str) -> Line:
    account = message.tags.get("account", "") if scene.tells_accounts else None
    return Line(_time(message, now), message.nick, plain(text), kind, account=account)


def _time(message: Message, now: datetime) -> datetime:
    """The server's time, unless it is nonsense: nothing was said in the future."""
    try:
        told = datetime.fromisoformat(message.tags["time"]).astimezone(UTC)
    except (KeyError, ValueError):
        return now
    return min(told, now) if told < now + _FUTURE else now


def _came_or_went(scene: Scene, message: Message, now: datetime) -> Heard:
    """JOIN, PART and KICK, of others and of the bot itself."""
    arguments = message.arguments
    if message.command == "JOIN":
        if message.nick == scene.nick:
            gap = Line(now, "", GAP, LineKind.GAP)
            after = replace(scene, source=message.source, roster=scene.roster.entered(message.target))
            return after, [(message.target, gap)]
        line = _line(scene, message, now, LineKind.JOIN, "")
        return replace(scene, roster=scene.roster.named(message.target, [message.nick])), [(message.target, line)]
    kicked = message.command == "KICK"
    who = (arguments[0] if arguments else "") if kicked else message.nick
    if kicked:
        line = _line(scene, message, now, LineKind.KICK, " ".join(arguments))
    else:
        line = _line(scene, message, now, LineKind.PART, " ".join(arguments))
    roster = scene.roster
    roster = roster.left(message.target) if who == scene.nick else roster.gone(message.target, who)
    return replace(scene, roster=roster), [(message.target, line)]


def _renamed(scene: Scene, message: Message, now: datetime) -> Heard:
    """Somebody, perhaps the bot, took another nick."""
    new = message.target
    line = _line(scene, message, now, LineKind.NICK, new)
    lines = [(channel, line) for channel in scene.roster.having(message.nick)]
    nick = new if message.nick == scene.nick else scene.nick
    return replace(scene, nick=nick, roster=scene.roster.renamed(message.nick, new)), lines
