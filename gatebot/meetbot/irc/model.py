# SPDX-License-Identifier: Apache-2.0
"""A network as settings describe it, and its state as the health page shows it.

Frozen values only. `burst` lines may go out at once, then `rate` lines a second: what public networks bear.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Network:
    """Where to connect, as whom, and which channels to keep. `account` and `secret` are for SASL PLAIN."""

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
    burst: int = 5
    rate: float = 0.5
    patience: float = 5.0


@dataclass(frozen=True, slots=True)
class Health:
    """How a network is: since when connected (None: not), under which nick, which channels, what went wrong last."""

    name: str
    connected: datetime | None
    nick: str
    joined: tuple[str, ...]
    missing: tuple[str, ...]
    last_line: datetime | None
    problem: str = ""
