# SPDX-License-Identifier: Apache-2.0
"""What proves who is speaking: tokens of executors, passes of builds, and a short pass for NATS.

Tokens are random, and only their hashes are kept. Passes are sealed by the site's key and kept nowhere: what a build's
pass is good for ends with the fence in it.
"""

from __future__ import annotations

import binascii
import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from ...clock import Clock
from ...errors import Unavailable
from ...keys.site_key import SiteKey

_BUILD, _NATS = "pass of a build", "pass for NATS"
_SHORT = timedelta(seconds=60)


@dataclass(frozen=True, slots=True)
class BuildPass:
    """One run of one build on one executor."""

    executor: str
    build: str
    fence: int


def new_token() -> str:
    """A token of an executor."""
    return f"gbx_{secrets.token_urlsafe(32)}"


def hashed(token: str) -> str:
    """What is kept of a token: it is as long as a key, so a plain hash is enough."""
    return hashlib.sha256(token.encode()).hexdigest()


class Passes:
    """Makes passes and reads them."""

    def __init__(self, key: SiteKey, clock: Clock) -> None:
        self._key = key
        self._clock = clock

    def for_build(self, executor: str, build: str, fence: int) -> str:
        """What an executor shows when it speaks for a build."""
        return self._sealed(f"{executor} {build} {fence}", _BUILD)

    def of_build(self, text: str) -> BuildPass | None:
        """Which build a pass is of; None: it is no pass of ours."""
        parts = self._opened(text, _BUILD).split(" ")
        return BuildPass(parts[0], parts[1], int(parts[2])) if len(parts) == 3 else None

    def for_nats(self, executor: str) -> str:
        """What an executor shows to NATS when it connects, soon."""
        until = self._clock.now() + _SHORT
        return self._sealed(f"{executor} {until.isoformat()}", _NATS)

    def of_nats(self, text: str) -> str | None:
        """Which executor a pass is of; None: it is no pass, or too old."""
        name, _, until = self._opened(text, _NATS).partition(" ")
        return name if until and self._clock.now() < datetime.fromisoformat(until) else None

    def _sealed(self, text: str, about: str) -> str:
        return self._key.seal(text.encode(), about).translate(str.maketrans("+/", "-_")).rstrip("=")

    def _opened(self, text: str, about: str) -> str:
        try:
            padded = text.translate(str.maketrans("-_", "+/")) + "=" * (-len(text) % 4)
            return self._key.open(padded, about).decode()
        except (Unavailable, ValueError, binascii.Error):
            return ""
