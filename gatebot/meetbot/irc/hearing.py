# SPDX-License-Identifier: Apache-2.0
"""What the server's messages mean: lines of channels, and who is where.

Pure: `hear(scene, message, now)` returns the scene after it and the lines it makes, each with its channel. The
server's own time and the speaker's account are used where the network tells them. What begins with `[nolog]` is no
line: it reaches neither disk nor meeting.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from ..lines import plain
from ..model import Line, LineKind
from .messages import Message
from .roster import Roster

_SPOKEN = {"PRIVMSG": LineKind.SAID, "ACTION": LineKind.ME, "NOTICE": LineKind.NOTICE}
_FUTURE = timedelta(minutes=5)
_UNLOGGED = "[nolog]"


@dataclass(frozen=True, slots=True)
class Scene:
    """What the bot knows of the network: its own nick and address, who is where, what the network tells of messages.

    `echoes`: the bot's own words come back from the server, and are heard then.
    """

    nick: str
    source: str = ""
    roster: Roster = field(default_factory=Roster)
    tells_accounts: bool = False
    echoes: bool = False

    def is_me(self, nick: str) -> bool:
        """Whether this is the bot."""
        return self.roster.features.fold(nick) == self.roster.features.fold(self.nick)

    def place(self, channel: str) -> str:
        """A channel's name as it was when the bot came in: one name for one log."""
        present = self.roster.get(channel)
        return present.name if present else channel


Heard = tuple[Scene, list[tuple[str, Line]]]


def hear(scene: Scene, message: Message, now: datetime) -> Heard:
    """Take in one message."""
    kind = _SPOKEN.get(message.command)
    if kind is not None:
        return scene, spoken(scene, message, now, kind)
    match message.command:
        case "JOIN" | "PART" | "KICK":
            return _came_or_went(scene, message, now)
        case "QUIT":
            lines = [(c, _line(message, now, LineKind.QUIT, message.text)) for c in scene.roster.having(message.nick)]
            return replace(scene, roster=scene.roster.quit(message.nick)), lines
        case "NICK":
            return _renamed(scene, message, now)
        case "TOPIC":
            topic = plain(message.text) if message.arguments else ""
            line = _line(message, now, LineKind.TOPIC, topic)
            roster = scene.roster.topic(message.target, topic)
            return replace(scene, roster=roster), [(scene.place(message.target), line)]
        case "MODE" if scene.roster.get(message.target) is not None:
            line = _line(message, now, LineKind.MODE, " ".join(message.arguments))
            return scene, [(scene.place(message.target), line)]
        case "332" if len(message.arguments) >= 2:
            return replace(scene, roster=scene.roster.topic(message.arguments[0], plain(message.arguments[1]))), []
        case "331" if message.arguments:
            return replace(scene, roster=scene.roster.topic(message.arguments[0], "")), []
        case "353" if len(message.arguments) >= 3:
            return replace(scene, roster=scene.roster.named(message.arguments[1], message.arguments[2].split())), []
        case "CHGHOST" if scene.is_me(message.nick) and message.arguments:
            return replace(scene, source=f"{scene.nick}!{message.target}@{message.arguments[0]}"), []
        case "396" if message.arguments:
            user = scene.source.partition("!")[2].partition("@")[0]
            return (replace(scene, source=f"{scene.nick}!{user}@{message.arguments[0]}") if user else scene), []
        case _:
            return scene, []


def spoken(scene: Scene, message: Message, now: datetime, kind: LineKind | None = None) -> list[tuple[str, Line]]:
    """The line that somebody said in a channel; none for what is private, not to be logged, or known already."""
    kind = kind or _SPOKEN.get(message.command)
    own = scene.is_me(message.nick)
    if kind is None or not _is_said_to_all(scene, message.target) or (own and not scene.echoes):
        return []
    line = _line(message, now, kind, message.text if message.arguments else "")
    if not is_logged(line.text):
        return []
    account = message.tags.get("account", "") if scene.tells_accounts else None
    return [(scene.place(message.target), replace(line, account=account, own=own))]


def _is_said_to_all(scene: Scene, target: str) -> bool:
    """Whether something is said in a channel, and not to those of its people only who have a status: `+#channel`."""
    features = scene.roster.features
    some = target[:1] in ("+", "&") and features.is_channel(target[1:]) and scene.roster.get(target) is None
    return features.is_channel(target) and not some


def whispered(scene: Scene, message: Message, now: datetime) -> Line | None:
    """What somebody says to the bot alone; servers and services, which have no address of a person, are nobody."""
    if message.command != "PRIVMSG" or not scene.is_me(message.target) or scene.is_me(message.nick):
        return None
    if "!" not in message.source or scene.roster.features.is_channel(message.target):
        return None
    account = message.tags.get("account", "") if scene.tells_accounts else None
    line = _line(message, now, LineKind.SAID, message.text if message.arguments else "")
    return replace(line, account=account)


def is_logged(text: str) -> bool:
    """Whether who said it wants it kept."""
    return not text.lstrip().lower().startswith(_UNLOGGED)


def _line(message: Message, now: datetime, kind: LineKind, text: str) -> Line:
    return Line(_time(message, now), message.nick, plain(text), kind, msgid=message.tags.get("msgid", "")[:200])


def _time(message: Message, now: datetime) -> datetime:
    """The server's time, unless it is nonsense: nothing was said in the future."""
    try:
        told = datetime.fromisoformat(message.tags["time"])
        told = told.astimezone(UTC) if told.tzinfo else told.replace(tzinfo=UTC)
    except (KeyError, ValueError, OverflowError):
        return now
    return min(told, now) if told < now + _FUTURE else now


def _came_or_went(scene: Scene, message: Message, now: datetime) -> Heard:
    """JOIN, PART and KICK, of others and of the bot itself."""
    arguments, place = message.arguments, scene.place(message.target)
    if message.command == "JOIN":
        if scene.is_me(message.nick):
            return replace(scene, source=message.source, roster=scene.roster.entered(message.target)), []
        line = _line(message, now, LineKind.JOIN, "")
        if arguments and len(arguments) > 1:  # extended-join: the account, or a star.
            line = replace(line, account="" if arguments[0] == "*" else arguments[0])
        return replace(scene, roster=scene.roster.named(message.target, [message.nick])), [(place, line)]
    kicked = message.command == "KICK"
    who = (arguments[0] if arguments else "") if kicked else message.nick
    line = _line(message, now, LineKind.KICK if kicked else LineKind.PART, " ".join(arguments))
    was_there = scene.roster.get(message.target) is not None
    roster = scene.roster
    roster = roster.left(message.target) if scene.is_me(who) else roster.gone(message.target, who)
    return replace(scene, roster=roster), [(place, line)] if was_there else []


def _renamed(scene: Scene, message: Message, now: datetime) -> Heard:
    """Somebody, perhaps the bot, took another nick."""
    new = message.target
    if not new:
        return scene, []
    line = _line(message, now, LineKind.NICK, new)
    lines = [(channel, line) for channel in scene.roster.having(message.nick)]
    me = scene.is_me(message.nick)
    source = f"{new}!{scene.source.partition('!')[2]}" if me and "!" in scene.source else scene.source
    nick = new if me else scene.nick
    return replace(scene, nick=nick, source=source, roster=scene.roster.renamed(message.nick, new)), lines
