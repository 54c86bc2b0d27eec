# SPDX-License-Identifier: Apache-2.0
"""Keeps the index of fixes: reads all commit messages once for the rules of trackers, then follows the journal.

Without rules nothing is read.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from ...clock import Clock
from ...db import Database
from ...journal import Journal
from ..trackers.model import Rule
from . import store


class Fixes:
    """The index of a site; `rules` are those of its trackers."""

    def __init__(self, db: Database, journal: Journal, clock: Clock, rules: Sequence[Rule]) -> None:
        self._db = db
        self._journal = journal
        self._clock = clock
        self._rules = tuple(rules)

    async def run(self) -> None:
        """Follow for ever."""
        if not self._rules:
            await asyncio.Event().wait()  # a part of the site that ends would end the site
        await self.begin()
        while True:
            # Look how far the journal is first: what comes while we index wakes us at once.
            known = await self._journal.last()
            if not await self.catch_up():
                await self._journal.wait(known, timeout=60)

    async def begin(self) -> None:
        """Read what is there, if it was not read by these rules yet."""
        if await self._db.run_silent(store.begin, self._rules):
            last = 0
            while last := await self._db.run_silent(store.read_anew, self._rules, last):
                pass

    async def catch_up(self) -> int:
        """Take in what came; how many facts."""
        return await self._db.run(store.catch_up, self._rules, self._clock.now())
