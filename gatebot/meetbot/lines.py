# SPDX-License-Identifier: Apache-2.0
"""Reading one line: formatting bytes, commands, links, and nicks in the text of an action.

Pure functions on text. A command is `#` as the very first character, then ASCII word characters, then the
rest; a bare address opens a line exactly as OpenDev's bot demands. Which commands exist is not known here.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

PROTOCOLS = ("http:", "https:", "irc:", "ftp:", "mailto:", "ssh:")

_COMMAND = re.compile(r"#(\w+)[ \t]*(.*)", re.ASCII | re.DOTALL)
_URL = re.compile(rf"(.*?)((?:{'|'.join(PROTOCOLS)})//\S+(?<![.)]))(.*)", re.DOTALL)
_COLOUR = re.compile(r"\x03(?:\d{1,2}(?:,\d{1,2})?)?|\x04(?:[0-9A-Fa-f]{6}(?:,[0-9A-Fa-f]{6})?)?")
_FORMAT = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
_SCHEME = re.compile(r"\s*([A-Za-z][A-Za-z0-9+.-]*):")

# What may stand in a nick, on IRC and on the networks bridged to it.
_NICK_CHARACTER = r"\w\-\[\]\\`^{}|"
# The mark of people from the web: `ann` is not named where `ann/web` is.
_FROM_WEB = r"/(?:web|guest)(?!\w)"
_PARTICLE = r"(?:님|씨)?(?:이랑|에게|한테|께서|이|가|은|는|을|를|의|도|와|과|랑|께|만)?"


_ASCII = str.maketrans({chr(code): chr(code + 32) for code in range(ord("A"), ord("Z") + 1)})


@dataclass(frozen=True, slots=True)
class Command:
    """`#name rest`, the name in lower case."""

    name: str
    rest: str


@dataclass(frozen=True, slots=True)
class Link:
    """A line that names an address: what is before it, the address, what is after it."""

    prefix: str
    url: str
    suffix: str


def folded_nick(nick: str) -> str:
    """A nick as every network compares it: some hold more letters for the same, none holds these apart."""
    return nick.translate(_ASCII)


def plain(text: str) -> str:
    """The text without colours, bold and the like, and without control characters."""
    return _FORMAT.sub("", _COLOUR.sub("", text))


def command(text: str) -> Command | None:
    """The command that a line is, if it is one; known or not."""
    found = _COMMAND.match(text)
    return Command(found[1].lower(), found[2]) if found else None


def is_bare_link(text: str) -> bool:
    """Whether a line begins with an address, as OpenDev's bot sees it."""
    return text.split("//", 1)[0] in PROTOCOLS and "//" in text


def link(text: str) -> Link:
    """The parts of a link's text; where no address is found, the first word stands for it."""
    found = _URL.match(text)
    if found:
        return Link(found[1], found[2], found[3])
    word, _, rest = text.partition(" ")
    return Link("", word, f" {rest} " if rest else " ")


def is_safe_url(url: str) -> bool:
    """Whether a link to it does no harm: one of our protocols, or none at all."""
    if any(ord(character) < 33 or ord(character) == 127 for character in url):
        return False
    scheme = _SCHEME.match(url)
    if scheme is None or scheme.end() == len(url):  # A scheme with nothing after it does nothing.
        return True
    return scheme[1].lower() + ":" in PROTOCOLS


def of_network(nick: str) -> str:
    """A nick as a network tells it: relays make nicks with a slash, and none may pass for one from the web."""
    head, slash, mark = nick.rpartition("/")
    return f"{head}|{mark}" if slash and mark.lower() in ("web", "guest") else nick


def nick_pattern(nick: str, strict: bool = False) -> re.Pattern[str]:
    """What finds a nick in the text of an action: bounded by anything that is no part of a nick.

    After a nick in Hangul its particle may follow, as Korean is written. Strict: ASCII word bounds.
    """
    if strict:
        return re.compile(rf"\b{re.escape(nick)}\b", re.IGNORECASE | re.ASCII)
    particle = _PARTICLE if nick and "가" <= nick[-1] <= "힣" else ""
    end = rf"(?![{_NICK_CHARACTER}]|{_FROM_WEB})"
    return re.compile(rf"(?<![{_NICK_CHARACTER}]){re.escape(nick)}{particle}{end}", re.IGNORECASE)
