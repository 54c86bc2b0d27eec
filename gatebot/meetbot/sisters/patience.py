# SPDX-License-Identifier: Apache-2.0
"""How much the bot answers, so that nobody makes it flood a channel: so many answers at once, and then few.

Pure: times are arguments. Who is not answered is told once when he will be again; what he goes on asking till then is
passed over. What is told so counts as an answer to everybody, so it is no flood either.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from ..irc import pace
from ..irc.pace import Bucket

_MOST = 2000
_MINE = (3, 0.1)
_OURS = (6, 0.25)
_EVERYBODYS = (20, 1.0)
_WINDOW = 10.0  # seconds at least from one refusal that is told to the next
_Key = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Turn:
    """Whether somebody is answered; if not, in how many seconds he is, where he is to be told so (0: he is not)."""

    answered: bool
    again: int = 0


@dataclass(frozen=True, slots=True)
class Patience:
    """How much the bot still answers, by nick and by channel; `mine` is what a nick has, `told` until when a refusal
    was told."""

    mine: tuple[int, float] = _MINE
    buckets: Mapping[_Key, Bucket] = field(default_factory=dict[_Key, Bucket])
    told: Mapping[_Key, float] = field(default_factory=dict[_Key, float])

    def ask(self, network: str, channel: str, nick: str, now: float) -> tuple[Patience, Turn]:
        """Whether one more question is answered; without a channel it is asked of the bot alone."""
        mine, ours = (network, "", nick.lower()), (network, channel.lower())
        limits = {mine: self.mine, ours: _OURS if channel else _EVERYBODYS}
        found = {key: self.buckets.get(key) or pace.bucket(*most, now) for key, most in limits.items()}
        waits = {key: one.wait(now) for key, one in found.items()}
        if not any(waits.values()):
            return self._taking(found, now), Turn(answered=True)
        # One who asks too much is told so himself; where all together do, one of them is.
        key, seconds = (ours if waits[ours] else mine), max(waits.values())
        if self.told.get(key, 0.0) > now:
            return self, Turn(answered=False)
        known = self.told if len(self.told) < _MOST else dict[_Key, float]()
        after = replace(self, told={**known, key: now + max(seconds, _WINDOW)})
        told = Turn(answered=False, again=math.ceil(seconds - 1e-6))
        return after._taking({ours: found[ours]} if key == mine else {}, now), told

    def _taking(self, found: Mapping[_Key, Bucket], now: float) -> Patience:
        kept = self.buckets if len(self.buckets) < _MOST else dict[_Key, Bucket]()
        return replace(self, buckets={**kept, **{key: one.take(now) for key, one in found.items()}})
