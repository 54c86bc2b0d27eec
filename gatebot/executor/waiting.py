# SPDX-License-Identifier: Apache-2.0
"""What a build waits for from the scheduler: to go on after a pause, and the semaphores of a playbook.

What comes before anybody waits for it is kept; an abort ends every waiting.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterable


class Waiting:
    """The answers that came, of one build; `pausing`: it does nothing until those that depend on it have ended."""

    def __init__(self) -> None:
        self._resumed = False
        self._ended = False
        self.pausing = False
        self._granted: Counter[str] = Counter()
        self._told = asyncio.Condition()

    async def resume(self) -> None:
        """The build may go on after its pause."""
        async with self._told:
            self._resumed = True
            self._told.notify_all()

    async def grant(self, names: Iterable[str]) -> None:
        """It has these semaphores."""
        async with self._told:
            self._granted.update(names)
            self._told.notify_all()

    async def end(self) -> None:
        """Nothing will come any more."""
        async with self._told:
            self._ended = True
            self._told.notify_all()

    async def resumed(self) -> None:
        """Return when the build may go on, or is aborted."""
        self.pausing = True
        try:
            async with self._told:
                await self._told.wait_for(lambda: self._resumed or self._ended)
        finally:
            self.pausing = False

    async def granted(self, names: Iterable[str]) -> None:
        """Return when it has all of these, or is aborted; they are used up."""
        wanted = Counter(names)
        async with self._told:
            await self._told.wait_for(lambda: self._granted >= wanted or self._ended)
            self._granted -= wanted
