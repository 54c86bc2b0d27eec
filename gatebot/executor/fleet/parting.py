# SPDX-License-Identifier: Apache-2.0
"""The farewell of a server that ends in order: executors know that nobody answers for a while, and go on with builds.

What it means for leases is in `leases.py`. Nobody is waited for longer than a beat and its answer may take.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterable

from .model import ANSWER_SECONDS, Beat, Verb, Word
from .ports import Post


class Parting:
    """`names` are the executors that live; each is told, and known to know it when it says so."""

    def __init__(self, names: Iterable[str]) -> None:
        self._waiting = set(names)
        self._all = asyncio.Event()

    def heard(self, name: str, beat: Beat) -> None:
        """An executor says something; whether it knows."""
        if beat.excused:
            self._waiting.discard(name)
        if not self._waiting:
            self._all.set()

    async def say(self, post: Post) -> None:
        """Tell all; return when they know."""
        if not self._waiting:
            return
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(ANSWER_SECONDS):
                for name in tuple(self._waiting):
                    await post.send(name, Word(Verb.PART, "", 0))
                await self._all.wait()
