# SPDX-License-Identifier: Apache-2.0
"""A network as settings describe it, and its state as the health page shows it.

Frozen values only. `burst` lines may go out at once, then `rate` lines a second: what public networks bear.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta


@dataclass(frozen=True, slots=True)
class Network:
    """Where to connect, as whom, and which channels to keep.

    `account` and `secret` are for SASL PLAIN; `external` logs in by the `certificate` instead. The server is known
    by `fingerprint` (SHA-256 of its certificate) if there is one, else by `authority` or the system's authorities.
    A channel in which nothing was heard for `quiet` is alarmed; None: never. `chanserv`: topics are set through it.
    """

    host: str
    port: int = 6697
    tls: bool = True
    name: str = "irc"
    nick: str = "gatebot"
    channels: tuple[str, ...] = ()
    password: str = ""
    account: str = ""
    secret: str = ""
    external: bool = False
    certificate: str = ""
    authority: str = ""
    fingerprint: str = ""
    burst: int = 5
    rate: float = 0.5
    patience: float = 5.0
    quiet: timedelta | None = None
    chanserv: bool = False


@dataclass(frozen=True, slots=True)
class ChannelHealth:
    """One wanted channel: is the bot in it, what keeps it out, when was the last line, is that too long ago."""

    name: str
    joined: bool
    last_line: datetime | None = None
    refused: str = ""
    silent: bool = False


@dataclass(frozen=True, slots=True)
class Health:
    """How a network is: since when connected (None: not), under which nick, which channels, what went wrong last."""

    name: str
    connected: datetime | None
    nick: str
    channels: tuple[ChannelHealth, ...]
    problem: str = ""
    dropped: int = 0

    @property
    def last_line(self) -> datetime | None:
        """When a line was heard last in any channel."""
        return max((channel.last_line for channel in self.channels if channel.last_line), default=None)
