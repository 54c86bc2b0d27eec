# SPDX-License-Identifier: Apache-2.0
"""Passwords: argon2id off the event loop, and the brake on guessing.

Here lives what is slow on purpose. Hashing takes some 20 ms of CPU and 19 MiB (the OWASP minimum),
so at most two run at a time: a flood of logins slows logins down and nothing else.
"""

from __future__ import annotations

import asyncio
import math
from collections import OrderedDict
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from ..errors import Invalid, TooManyAttempts
from ..reasons import reason
from ..words import say

SHORTEST = 8
_LONGEST = 1000

_hasher = PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)
_threads = ThreadPoolExecutor(2, thread_name_prefix="password")


async def hash_password(password: str) -> str:
    """The form in which a password is stored; too short a one is refused."""
    if not SHORTEST <= len(password) <= _LONGEST:
        why = reason("hall.password-length", shortest=SHORTEST, longest=_LONGEST)
        raise Invalid(say(why), reason=why)
    return await asyncio.get_running_loop().run_in_executor(_threads, _hasher.hash, password)


async def matches(hashed: str, password: str) -> bool:
    """Whether this is the password."""
    if len(password) > _LONGEST:
        return False
    return await asyncio.get_running_loop().run_in_executor(_threads, _verify, hashed, password)


def _verify(hashed: str, password: str) -> bool:
    try:
        return _hasher.verify(hashed, password)
    except (VerificationError, InvalidHashError):
        return False


@dataclass(slots=True)
class _Bucket:
    """How many failures are still free, as of a moment."""

    free: float
    at: datetime


class Attempts:
    """A brake on guessing: ten wrong passwords at once, then one each ten seconds.

    It counts per username and address together: a stranger cannot lock somebody out from elsewhere,
    and one wrong script does not stop its neighbours behind another address. In memory on purpose: a
    restart forgives, which helps no guesser. The oldest pairs are forgotten first.
    """

    BURST = 10
    SECONDS_EACH = 10
    _PAIRS = 10_000

    def __init__(self) -> None:
        self._buckets: OrderedDict[tuple[str, str], _Bucket] = OrderedDict()

    def take(self, username: str, address: str, now: datetime) -> None:
        """Count an attempt before it is looked at, so that many at once are no way round; refuse when none is free."""
        key = (username.lower(), address)
        bucket = self._buckets.get(key)
        free = float(self.BURST) if bucket is None else self._free(bucket, now)
        if free < 1:
            seconds = math.ceil((1 - free) * self.SECONDS_EACH)
            why = reason("hall.too-many-attempts", username=username, seconds=seconds)
            raise TooManyAttempts(say(why), reason=why)
        self._buckets[key] = _Bucket(free - 1, now)
        self._buckets.move_to_end(key)
        while len(self._buckets) > self._PAIRS:
            self._buckets.popitem(last=False)

    def give_back(self, username: str, address: str) -> None:
        """The attempt was right: it does not count."""
        bucket = self._buckets.get((username.lower(), address))
        if bucket is not None:
            bucket.free += 1

    def _free(self, bucket: _Bucket, now: datetime) -> float:
        passed = max(0.0, (now - bucket.at).total_seconds())
        return min(self.BURST, bucket.free + passed / self.SECONDS_EACH)
