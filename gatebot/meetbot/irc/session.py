# SPDX-License-Identifier: Apache-2.0
"""One connection to a network as a state machine: messages and the clock in, what to send and what was heard out.

Pure: no socket, no clock. `receive` takes a message, `tick` the time; both return the session after it and its
effects in order. The shell around it is `client.py`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from .. import names
from ..model import Line, LineKind
from . import features as capabilities
from . import handshake, hearing, history, nicks, wire
from .features import Features
from .handshake import Handshake
from .hearing import Scene
from .history import History
from .messages import Message
from .model import Network

REGISTER = timedelta(seconds=60)
SILENCE = timedelta(seconds=150)
_RETRY = timedelta(minutes=2)
_NO_NICK = {"432", "433", "436", "437"}
_REFUSED = {"403", "405", "437", "470", "471", "473", "474", "475", "476", "477", "489", "520"}
_LONGEST_JOIN = 400


@dataclass(frozen=True, slots=True)
class Sends:
    """A line for the server."""

    raw: str


@dataclass(frozen=True, slots=True)
class Hears:
    """A line of a channel."""

    channel: str
    line: Line


@dataclass(frozen=True, slots=True)
class Whispers:
    """What somebody says to the bot alone."""

    line: Line


@dataclass(frozen=True, slots=True)
class Ends:
    """The connection is of no use any more."""

    why: str


Effect = Sends | Hears | Whispers | Ends


@dataclass(frozen=True, slots=True)
class Session:
    """How far the connection is. `marks` tells by folded channel when a line was heard last."""

    network: Network
    scene: Scene
    handshake: Handshake
    last_sign: datetime
    since: datetime | None = None
    marks: Mapping[str, datetime] = field(default_factory=dict[str, datetime])
    refused: Mapping[str, str] = field(default_factory=dict[str, str])
    tried: datetime | None = None
    history: History = field(default_factory=History)
    problem: str = ""

    @property
    def features(self) -> Features:
        """What the server says of itself."""
        return self.scene.roster.features

    def missing(self) -> list[str]:
        """Channels that are wanted and in which the bot is not."""
        return [channel for channel in self.network.channels if self.scene.roster.get(channel) is None]


Step = tuple[Session, list[Effect]]


def start(network: Network, marks: Mapping[str, datetime], now: datetime) -> Step:
    """A new connection: what to send first."""
    login = Handshake(network.account, network.secret, network.external)
    session = Session(network, Scene(network.nick), login, now, marks=marks)
    password = [f"PASS :{wire.clean(network.password)}"] if network.password else []
    user = f"USER {network.nick.lower()[:9]} 0 * :gatebot: keeps the log and the minutes of this channel"
    return session, _sends(*password, "CAP LS 302", f"NICK {network.nick}", user)


def receive(session: Session, message: Message, now: datetime) -> Step:
    """One message of the server."""
    session = replace(session, last_sign=now)
    match message.command:
        case "PING":
            return session, _sends(f"PONG :{wire.clean(message.text)}")
        case "ERROR":
            return session, [Ends(f"the server ended the connection: {message.text[:300]}")]
        case "BATCH":
            return _batch(session, message, now)
        case "FAIL" if message.target == "CHATHISTORY":
            return _no_history(session, message, now)
        case _:
            pass
    session, effects = _negotiate(session, message)
    session, more = _registration(session, message, now)
    effects += more
    if (key := session.history.batches.get(message.tags.get("batch", ""))) is not None:
        found = hearing.spoken(session.scene, message, now)
        line = found[0][1] if found else None
        return replace(session, history=history.told(session.history, key, line)), effects
    session, heard = _hear(session, message, now)
    return session, effects + heard


def tick(session: Session, now: datetime) -> Step:
    """Some seconds have passed: notice a silent death, and want again what we do not have."""
    silent = now - session.last_sign
    if silent > SILENCE or (session.since is None and silent > REGISTER):
        return session, [Ends(f"nothing was heard for {silent.total_seconds():.0f} seconds")]
    past, heard = history.overdue(session.history, now)
    session = replace(session, history=past)
    effects: list[Effect] = [Hears(channel, line) for channel, line in heard]
    effects += _sends(f"PING :{session.network.name.replace(' ', '-')}")
    if session.since is None:
        return session, effects
    if not session.scene.is_me(session.network.nick):
        effects += _sends(*nicks.look(session.network.nick, session.features))
    again = session.tried is None or now - session.tried >= _RETRY
    wanted = [one for one in session.missing() if again or session.features.fold(one) not in session.refused]
    if again:
        session = replace(session, tried=now)
    return session, effects + _joins(wanted)


def lost(session: Session, now: datetime) -> list[Effect]:
    """The connection is gone: what was held is heard, and every log says that it ends here."""
    effects: list[Effect] = []
    for filling in session.history.fillings.values():
        effects += [Hears(filling.channel, line) for line in (*filling.lines, *filling.held)]
    rooms = session.scene.roster.channels.values()
    return effects + [Hears(present.name, history.marker(now, history.LOST)) for present in rooms]


def _sends(*lines: str) -> list[Effect]:
    return [Sends(line) for line in lines]


def _joins(channels: Sequence[str]) -> list[Effect]:
    """As few lines as hold them all."""
    lines: list[str] = []
    for channel in map(wire.clean, channels):
        if lines and len(lines[-1].encode()) + len(channel.encode()) < _LONGEST_JOIN:
            lines[-1] += "," + channel
        else:
            lines.append("JOIN " + channel)
    return _sends(*lines)


def _negotiate(session: Session, message: Message) -> Step:
    """Capabilities and login."""
    arguments = message.arguments if message.command != "AUTHENTICATE" else (message.target,)
    before = session.handshake
    state, lines = handshake.advance(before, message.command, arguments)
    if state is before and not lines:
        return session, []
    scene = replace(
        session.scene, tells_accounts="account-tag" in state.enabled, echoes="echo-message" in state.enabled
    )
    return replace(session, handshake=state, scene=scene, problem=state.problem or session.problem), _sends(*lines)


def _registration(session: Session, message: Message, now: datetime) -> Step:
    """Being let in, under which nick, and being kept out of channels."""
    network, arguments = session.network, message.arguments
    match message.command:
        case "001":
            scene = replace(session.scene, nick=message.target)
            return replace(session, since=now, scene=scene), []
        case "005":
            learned = capabilities.learn(session.features, arguments[:-1])
            scene = replace(session.scene, roster=session.scene.roster.learned(learned))
            return replace(session, scene=scene), []
        case "376" | "422":  # The end of what a server says by itself: now all of 005 is known.
            regain = [] if session.scene.is_me(network.nick) else nicks.begin(
                network.nick, session.features, session.handshake.authenticated
            )  # fmt: skip
            return replace(session, tried=now), _sends(*regain) + _joins(session.missing())
        case number if number in _REFUSED and arguments and session.features.is_channel(arguments[0]):
            why = f"{arguments[-1]} ({number})"
            refused = {**session.refused, session.features.fold(arguments[0]): why}
            return replace(session, refused=refused, problem=f"{arguments[0]}: {why}"), []
        case number if number in _NO_NICK and session.since is None:
            nick = nicks.another(network.nick, session.scene.nick)
            return replace(session, scene=replace(session.scene, nick=nick)), _sends(f"NICK {nick}")
        case "900" if session.since is not None:
            return session, _joins(session.missing())
        case "INVITE" if arguments and arguments[0] in session.missing():
            return session, _joins(arguments[:1])
        case "MODE" if session.scene.is_me(message.target) and "r" in message.text and "+" in message.text:
            return session, _joins(session.missing())
        case "303" | "731" if not session.scene.is_me(network.nick):
            free = nicks.is_free(network.nick, session.features, message.command, arguments)
            return session, _sends(f"NICK {network.nick}") if free else []
        case "NOTICE" if message.nick.lower() == nicks.SERVICES and not session.scene.is_me(network.nick):
            return session, _sends(*nicks.services_said(network.nick, message.text))
        case _:
            return session, []


def _hear(session: Session, message: Message, now: datetime) -> Step:
    """Lines of channels, where those of a channel that is being filled are held; and what is for the bot alone."""
    if (whispered := hearing.whispered(session.scene, message, now)) is not None:
        return session, [Whispers(whispered)]
    me = session.scene.is_me(message.nick)
    scene, lines = hearing.hear(session.scene, message, now)
    session = replace(session, scene=scene)
    effects: list[Effect] = []
    for channel, line in lines:
        key = session.features.fold(channel)
        session = replace(session, marks=marked(session.marks, key, line))
        held = history.hold(session.history, key, line)
        if held is None:
            effects.append(Hears(channel, line))
        else:
            session = replace(session, history=held)
    if message.command == "JOIN" and me:
        session, more = _entered(session, message.target, now)
        effects += more
    if message.command == "NICK" and scene.is_me(session.network.nick) and me and session.features.monitor:
        effects += _sends(f"MONITOR - {session.network.nick}")
    return session, effects


def _entered(session: Session, channel: str, now: datetime) -> Step:
    """The bot is in a channel: ask what it has missed, or say that something may be missing."""
    key = session.features.fold(channel)
    if key not in {session.features.fold(wanted) for wanted in session.network.channels}:
        # Networks forward those who may not come in to some other channel; nobody asked for its log.
        roster = session.scene.roster.left(channel)
        return replace(session, scene=replace(session.scene, roster=roster)), _sends(f"PART {wire.clean(channel)}")
    refused = {name: why for name, why in session.refused.items() if name != key}
    session = replace(session, refused=refused, problem=session.problem if refused else session.handshake.problem)
    mark = session.marks.get(key) or session.marks.get(names.folded(channel))  # as the archive folds
    if mark is None or not session.handshake.offers_history:
        return session, [Hears(channel, history.marker(now, history.GAP))]
    past, request = history.ask(session.history, key, channel, mark, session.features.history, now)
    return replace(session, history=past), _sends(request)


def _batch(session: Session, message: Message, now: datetime) -> Step:
    """The beginning or the end of messages that belong together; only those of history matter here."""
    sign, reference = message.target[:1], message.target[1:]
    if sign == "+" and message.arguments and message.arguments[0].endswith("chathistory"):
        key = session.features.fold(message.arguments[1]) if len(message.arguments) > 1 else ""
        return replace(session, history=history.opened(session.history, reference, key)), []
    if sign == "-":
        past, lines, heard = history.closed(session.history, reference, session.features.history, now)
        return replace(session, history=past), [*(Hears(*one) for one in heard), *_sends(*lines)]
    return session, []


def _no_history(session: Session, message: Message, now: datetime) -> Step:
    """The network refuses a request for history: of the channel it names, or of all that wait."""
    named = {session.features.fold(word) for word in message.arguments}
    past, effects = session.history, list[Effect]()
    for key in [key for key in past.fillings if key in named] or list(past.fillings):
        past, heard = history.refused(past, key, now)
        effects += [Hears(*one) for one in heard]
    return replace(session, history=past), effects


def marked(marks: Mapping[str, datetime], key: str, line: Line) -> Mapping[str, datetime]:
    """When a line of each channel was heard last, after this one; our own clock's lines do not count."""
    if line.kind is LineKind.GAP or (line.own and not line.msgid):
        return marks
    known = marks.get(key)
    return {**marks, key: line.at if known is None else max(known, line.at)}
