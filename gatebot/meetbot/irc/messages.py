# SPDX-License-Identifier: Apache-2.0
"""One message of a server, read from one line: tags, source, command, parameters.

Pure, and lenient: whatever a server sends is either a message or nothing, never an error. A CTCP ACTION becomes a
command of its own; other CTCP is nobody's business here and becomes nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from ..lines import of_network

_MOST_TAGS = 50
_ESCAPES = {":": ";", "s": " ", "\\": "\\", "r": "\r", "n": "\n"}


@dataclass(frozen=True, slots=True)
class Message:
    """A numeric or a command in capitals, who sent it, its first parameter, the others, and its tags."""

    command: str
    nick: str = ""
    source: str = ""
    target: str = ""
    arguments: tuple[str, ...] = ()
    tags: Mapping[str, str] = field(default_factory=dict[str, str])

    @property
    def text(self) -> str:
        """The last parameter."""
        return self.arguments[-1] if self.arguments else self.target


def parse(line: str) -> Message | None:
    """The message of a line without its end; None when there is none."""
    tags: dict[str, str] = {}
    if line.startswith("@"):
        told, _, line = line[1:].partition(" ")
        tags = _tags(told)
    source, line = "", line.lstrip(" ")
    if line.startswith(":"):
        source, _, line = line[1:].partition(" ")
        line = line.lstrip(" ")
    head, colon, tail = line.partition(" :")
    words = [word for word in head.split(" ") if word]
    if not words or words[0].startswith(":"):
        return None
    parameters = [*words[1:], tail] if colon else words[1:]
    command, target, arguments = words[0].upper(), *_parted(parameters)
    if command in ("PRIVMSG", "NOTICE") and arguments and arguments[0].startswith("\x01"):
        inner = arguments[0][1:].removesuffix("\x01")
        name, _, rest = inner.partition(" ")
        if command == "NOTICE" or name.upper() != "ACTION":
            return None
        command, arguments = "ACTION", (rest,)
    if command == "NICK":
        target = of_network(target)
    return Message(command, of_network(source.partition("!")[0]), source, target, arguments, tags)


def _parted(parameters: list[str]) -> tuple[str, tuple[str, ...]]:
    return (parameters[0], tuple(parameters[1:])) if parameters else ("", ())


def _tags(told: str) -> dict[str, str]:
    pairs = (pair.partition("=") for pair in told.split(";")[:_MOST_TAGS])
    return {key: _unescaped(value) if "\\" in value else value for key, _, value in pairs if key}


def _unescaped(value: str) -> str:
    """A tag's value; a lone backslash at its end is dropped, an unknown escape is the letter itself."""
    found: list[str] = []
    letters = iter(value)
    for letter in letters:
        if letter == "\\":
            after = next(letters, "")
            found.append(_ESCAPES.get(after, after))
        else:
            found.append(letter)
    return "".join(found)
