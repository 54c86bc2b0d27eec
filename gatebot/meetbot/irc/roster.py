# SPDX-License-Identifier: Apache-2.0
"""Who is in which channel, and what its topic is, as the server's messages tell.

Pure: small values replaced by others; the session feeds it and asks it. Names are compared as the server does.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from .features import Features

_PREFIXES = "~&@%+!"


@dataclass(frozen=True, slots=True)
class Present:
    """One channel the bot is in."""

    name: str
    nicks: frozenset[str] = frozenset()
    topic: str = ""


@dataclass(frozen=True, slots=True)
class Roster:
    """All channels the bot is in, by folded name."""

    channels: dict[str, Present] = field(default_factory=dict[str, Present])
    features: Features = field(default_factory=Features)

    def get(self, channel: str) -> Present | None:
        """One channel; None where the bot is not."""
        return self.channels.get(self.features.fold(channel))

    def having(self, nick: str) -> list[str]:
        """The channels somebody is in."""
        return [present.name for present in self.channels.values() if nick in present.nicks]

    def entered(self, channel: str) -> Roster:
        """The bot itself joined."""
        return self._with(Present(channel))

    def left(self, channel: str) -> Roster:
        """The bot itself is out of a channel."""
        key = self.features.fold(channel)
        return replace(self, channels={name: present for name, present in self.channels.items() if name != key})

    def named(self, channel: str, nicks: Iterable[str]) -> Roster:
        """Some of those in a channel; prefixes of any number go."""
        return self._change(channel, add={nick.lstrip(_PREFIXES).partition("!")[0] for nick in nicks})

    def gone(self, channel: str, nick: str) -> Roster:
        """Somebody left one channel."""
        return self._change(channel, remove={nick})

    def quit(self, nick: str) -> Roster:
        """Somebody left the network."""
        after = {name: replace(present, nicks=present.nicks - {nick}) for name, present in self.channels.items()}
        return replace(self, channels=after)

    def renamed(self, old: str, new: str) -> Roster:
        """Somebody took another nick."""
        after = {
            name: replace(present, nicks=present.nicks - {old} | {new}) if old in present.nicks else present
            for name, present in self.channels.items()
        }
        return replace(self, channels=after)

    def learned(self, features: Features) -> Roster:
        """The server has told more of itself."""
        present = {features.fold(one.name): one for one in self.channels.values()}
        return Roster(present, features)

    def topic(self, channel: str, topic: str) -> Roster:
        """A channel's topic is this now."""
        present = self.get(channel)
        return self._with(replace(present, topic=topic)) if present else self

    def _change(self, channel: str, add: Iterable[str] = (), remove: Iterable[str] = ()) -> Roster:
        present = self.get(channel)
        if present is None:
            return self
        return self._with(replace(present, nicks=present.nicks - frozenset(remove) | frozenset(add)))

    def _with(self, present: Present) -> Roster:
        return replace(self, channels={**self.channels, self.features.fold(present.name): present})
