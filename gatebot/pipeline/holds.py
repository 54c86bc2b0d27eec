# SPDX-License-Identifier: Apache-2.0
"""Kept nodes as rows say they are, for the executors that have them: which may go, and which are not there any more.

Who asked for nodes is in `autohold.py`. An executor is asked about its own nodes alone.
"""

from __future__ import annotations

from collections.abc import Collection

from ..clock import Clock
from ..db import Database
from . import autohold


class Holds:
    """The nodes that are kept, by all executors; the one of the server itself has no name."""

    def __init__(self, db: Database, clock: Clock) -> None:
        self._db = db
        self._clock = clock

    async def kept(self, builds: Collection[str]) -> Collection[str]:
        """Nodes of these builds are kept by the executor here, and of no others that ended; those that may go.

        While rows are read there may be more builds: the newest are none that may go, and are there.
        """
        over, known = await self.of("", frozenset(builds))
        await self.let_go(known.difference(builds))
        return over

    async def of(self, executor: str, kept: Collection[str]) -> tuple[frozenset[str], frozenset[str]]:
        """Of the builds whose nodes an executor has kept, those that may go; and all that it should have."""
        return autohold.settled(await self._rows(), executor, kept)

    async def let_go(self, builds: Collection[str]) -> None:
        """The kept nodes of these builds are gone."""
        if builds:
            await self._db.run(autohold.let_go, tuple(builds))

    async def forsake(self, alive: Collection[str]) -> None:
        """Nodes that may go are spoken of no more where their executor is not there to be told."""
        await self.let_go([one.build for one in await self._rows() if one.over and one.executor not in alive])

    async def every(self) -> Collection[str]:
        """All builds whose nodes are kept."""
        return [one.build for one in await self._rows()]

    async def _rows(self) -> tuple[autohold.Keeping, ...]:
        return await self._db.read(autohold.keeping, self._clock.now())
