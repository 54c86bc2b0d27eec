# SPDX-License-Identifier: Apache-2.0
"""The commands of the embedded IRC server, as functions on a guest.

Closed gaps of `irc.server`: channel names with hyphens and of any script, case folded; CAP with server-time; 005;
topics by 331 and 332, settable by operators only; NAMES, WHO, WHOIS, LIST, MODE, KICK, AWAY, MOTD; the first in a
channel is its operator; nobody is in a channel twice or speaks where he is not.
"""

# The library is not typed.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
# pyright: reportUnknownParameterType=false, reportMissingParameterType=false

from __future__ import annotations

import re
from collections.abc import Callable

from .server_client import Channel, Guest

_CHANNEL = re.compile(r"[#&][^\s,:\x07]{1,49}")
_NICK = re.compile(r"[\w\[\]\\`^{}|](?<!\d)[\w\-\[\]\\`^{}|]{0,29}")
_TOPIC_LENGTH = 390
_FEATURES = (
    f"CASEMAPPING=ascii CHANTYPES=#& PREFIX=(o)@ NICKLEN=30 CHANNELLEN=50 TOPICLEN={_TOPIC_LENGTH} CHANMODES=,,,nt"
)


def _cap(guest: Guest, verb: str = "", wanted: str = "", *_: str) -> None:
    nick = guest.nick or "*"
    match verb.upper():
        case "LS":
            guest.negotiating = not guest.registered
            guest.tell(f":{guest.home.servername} CAP {nick} LS :server-time")
        case "REQ":
            known = set(wanted.split()) <= {"server-time"}
            guest.tags = guest.tags or (known and "server-time" in wanted)
            guest.tell(f":{guest.home.servername} CAP {nick} {'ACK' if known else 'NAK'} :{wanted}")
        case "END":
            guest.negotiating = False
            _register(guest)
        case _:
            pass


def _nick(guest: Guest, nick: str, *_: str) -> None:
    holder = guest.home.clients.get(nick.lower())
    if not _NICK.fullmatch(nick):
        return guest.numeric("432", nick, "Erroneous nickname")
    if holder is not None and holder is not guest:
        return guest.numeric("433", nick, "Nickname is already in use")
    if guest.registered:
        everybody = {other for channel in guest.channels.values() for other in channel.clients} | {guest}
        for other in everybody:
            other.tell(f":{guest.client_ident()} NICK :{nick}")
    if guest.nick:
        guest.home.clients.pop(guest.nick.lower(), None)
    guest.nick = nick
    guest.home.clients[nick.lower()] = guest
    return _register(guest)


def _user(guest: Guest, user: str, _mode: str, _unused: str, realname: str, *_: str) -> None:
    guest.user, guest.realname = user[:10], realname
    _register(guest)


def _register(guest: Guest) -> None:
    """Welcome a guest once who has a nick and a user name and no open negotiations."""
    if guest.registered or guest.negotiating or not (guest.nick and guest.user):
        return
    guest.registered = True
    guest.numeric("001", f"Welcome, {guest.nick}; this server forgets everything when it stops")
    guest.numeric("005", *_FEATURES.split(), "are supported by this server")
    guest.numeric("422", "No message of the day")


def _ping(guest: Guest, token: str = "", *_: str) -> None:
    guest.tell(f":{guest.home.servername} PONG {guest.home.servername} :{token}")


def _silent(guest: Guest, *_: str) -> None:
    """PONG and PASS ask for nothing."""


def _quit(guest: Guest, why: str = "", *_: str) -> None:
    guest.leave_all(why)
    raise guest.Disconnect


def _joined(guest: Guest, name: str) -> Channel | None:
    """A channel that the guest is in; else he is told."""
    channel = guest.channels.get(name.lower())
    if channel is None:
        guest.numeric("442", name, "You are not on that channel")
    return channel


def _is_op(guest: Guest, channel: Channel) -> bool:
    if guest in channel.ops:
        return True
    guest.numeric("482", channel.name, "You are not channel operator")
    return False


def _join(guest: Guest, names: str, *_: str) -> None:
    for name in names.split(","):
        if not _CHANNEL.fullmatch(name):
            guest.numeric("403", name, "No such channel")
            continue
        channel = guest.home.channels.get(name.lower())
        if channel is None:
            channel = guest.home.channels[name.lower()] = Channel(name)
            channel.ops = {guest}
        if guest in channel.clients:
            continue
        channel.clients.add(guest)
        guest.channels[name.lower()] = channel
        _to_all(channel, f":{guest.client_ident()} JOIN {channel.name}")
        if channel.topic:
            guest.numeric("332", channel.name, channel.topic)
        _names(guest, channel.name)


def _names(guest: Guest, name: str = "", *_: str) -> None:
    channel = guest.home.channels.get(name.lower())
    if channel is not None:
        nicks = [("@" if other in channel.ops else "") + other.nick for other in channel.clients]
        for start in range(0, len(nicks), 10):
            guest.numeric("353", "=", channel.name, " ".join(nicks[start : start + 10]))
    guest.numeric("366", name or "*", "End of NAMES list")


def _part(guest: Guest, names: str, why: str = "", *_: str) -> None:
    for name in names.split(","):
        if channel := _joined(guest, name):
            _to_all(channel, f":{guest.client_ident()} PART {channel.name} :{why}")
            guest.leave(channel)


def _kick(guest: Guest, name: str, nick: str, why: str = "", *_: str) -> None:
    channel = _joined(guest, name)
    if channel is None or not _is_op(guest, channel):
        return
    kicked = next((other for other in channel.clients if other.nick.lower() == nick.lower()), None)
    if kicked is None:
        return guest.numeric("441", nick, name, "They are not on that channel")
    _to_all(channel, f":{guest.client_ident()} KICK {channel.name} {kicked.nick} :{why or guest.nick}")
    return kicked.leave(channel)


def _say(command: str) -> Callable[..., None]:
    """PRIVMSG and NOTICE; a notice is never answered with an error."""

    def say(guest: Guest, target: str, text: str, *_: str) -> None:
        message = f":{guest.client_ident()} {command} {target} :{text}"
        if target[:1] in "#&":
            channel = guest.channels.get(target.lower())
            if channel is not None:
                _to_all(channel, message, but=guest)
            elif command == "PRIVMSG":
                guest.numeric("404", target, "Cannot send to channel")
        elif (other := guest.home.clients.get(target.lower())) is not None:
            other.tell(message)
        elif command == "PRIVMSG":
            guest.numeric("401", target, "No such nick or channel")

    return say


def _topic(guest: Guest, name: str, topic: str | None = None, *_: str) -> None:
    channel = _joined(guest, name)
    if channel is None:
        return
    if topic is None:
        words = ("332", channel.name, channel.topic) if channel.topic else ("331", channel.name, "No topic is set")
        guest.numeric(*words)
    elif _is_op(guest, channel):
        channel.topic = topic[:_TOPIC_LENGTH]
        _to_all(channel, f":{guest.client_ident()} TOPIC {channel.name} :{channel.topic}")


def _mode(guest: Guest, name: str, change: str = "", nick: str = "", *_: str) -> None:
    channel = guest.home.channels.get(name.lower())
    if channel is None:
        return
    if not change:
        return guest.numeric("324", channel.name, "+nt")
    if change not in ("+o", "-o") or not _is_op(guest, channel):
        return
    other = next((other for other in channel.clients if other.nick.lower() == nick.lower()), None)
    if other is not None:
        channel.ops = channel.ops | {other} if change == "+o" else channel.ops - {other}
        _to_all(channel, f":{guest.client_ident()} MODE {channel.name} {change} {other.nick}")


def _who(guest: Guest, name: str = "", *_: str) -> None:
    channel = guest.home.channels.get(name.lower())
    for other in channel.clients if channel is not None else ():
        assert channel is not None
        flags = "H@" if other in channel.ops else "H"
        guest.numeric("352", channel.name, other.user, "localhost", guest.home.servername, other.nick, flags, "0 -")
    guest.numeric("315", name or "*", "End of WHO list")


def _whois(guest: Guest, nick: str = "", *_: str) -> None:
    other = guest.home.clients.get(nick.lower())
    if other is None:
        guest.numeric("401", nick, "No such nick or channel")
    else:
        guest.numeric("311", other.nick, other.user, "localhost", "*", other.realname)
    guest.numeric("318", nick, "End of WHOIS list")


def _list(guest: Guest, *_: str) -> None:
    for channel in guest.home.channels.values():
        guest.numeric("322", channel.name, str(len(channel.clients)), channel.topic)
    guest.numeric("323", "End of LIST")


def _away(guest: Guest, why: str = "", *_: str) -> None:
    guest.numeric("306" if why else "305", "You have been marked as being away" if why else "You are no longer away")


def _motd(guest: Guest, *_: str) -> None:
    guest.numeric("422", "No message of the day")


def _ison(guest: Guest, *nicks: str) -> None:
    asked = " ".join(nicks).split()
    guest.numeric("303", " ".join(nick for nick in asked if nick.lower() in guest.home.clients))


def _to_all(channel: Channel, message: str, but: Guest | None = None) -> None:
    for guest in channel.clients:
        if guest is not but:
            guest.tell(message)


COMMANDS: dict[str, Callable[..., None]] = {
    "CAP": _cap,
    "NICK": _nick,
    "USER": _user,
    "PASS": _silent,
    "PING": _ping,
    "PONG": _silent,
    "QUIT": _quit,
    "JOIN": _join,
    "PART": _part,
    "NAMES": _names,
    "KICK": _kick,
    "PRIVMSG": _say("PRIVMSG"),
    "NOTICE": _say("NOTICE"),
    "TOPIC": _topic,
    "MODE": _mode,
    "WHO": _who,
    "WHOIS": _whois,
    "LIST": _list,
    "AWAY": _away,
    "MOTD": _motd,
    "ISON": _ison,
}
NEEDS = {"NICK": 1, "USER": 4, "JOIN": 1, "PART": 1, "PRIVMSG": 2, "NOTICE": 2, "TOPIC": 1, "KICK": 2, "MODE": 1}
