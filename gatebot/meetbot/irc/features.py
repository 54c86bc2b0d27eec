# SPDX-License-Identifier: Apache-2.0
"""What a server says of itself in 005: which names are the same, how long things may be, what it can do.

Pure. A server that says nothing is taken as RFC 1459 has it, so no two names are held apart that it holds equal.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from ..lines import folded_nick

_RFC1459 = str.maketrans("[]\\~", "{}|^")
_STRICT = str.maketrans("[]\\", "{}|")


@dataclass(frozen=True, slots=True)
class Features:
    """What matters to the bot; 0 is no limit."""

    mapping: str = "rfc1459"
    kinds: str = "#&+!"
    topic_length: int = 0
    monitor: bool = False
    history: int = 0

    def fold(self, name: str) -> str:
        """A nick or a channel as the server compares it."""
        lower = folded_nick(name)
        match self.mapping:
            case "rfc1459":
                return lower.translate(_RFC1459)
            case "strict-rfc1459" | "rfc1459-strict":
                return lower.translate(_STRICT)
            case "ascii":
                return lower
            case _:
                return name.casefold()

    def is_channel(self, name: str) -> bool:
        """Whether something is said to a channel."""
        return bool(name) and name[0] in self.kinds


def learn(features: Features, tokens: Iterable[str]) -> Features:
    """What is known after the tokens of one 005."""
    for token in tokens:
        name, _, value = token.partition("=")
        number = int(value) if value.isascii() and value.isdigit() and len(value) < 7 else 0
        match name.upper():
            case "CASEMAPPING" if value:
                features = replace(features, mapping=value.lower())
            case "CHANTYPES" if value:
                features = replace(features, kinds=value)
            case "TOPICLEN":
                features = replace(features, topic_length=number)
            case "MONITOR":
                features = replace(features, monitor=True)
            case "CHATHISTORY" | "DRAFT/CHATHISTORY":
                features = replace(features, history=number)
            case _:
                pass
    return features
