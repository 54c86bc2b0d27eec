# SPDX-License-Identifier: Apache-2.0
"""The addresses of accounts, for callers in the event loop.

One of them is preferred: it is part of the account, and mail goes there. The others are as good for commits.
"""

from __future__ import annotations

from collections.abc import Iterable

from ..clock import Clock
from ..db import Database
from . import addresses


class Addresses:
    """What accounts are reached by."""

    def __init__(self, db: Database, clock: Clock) -> None:
        self._db = db
        self._clock = clock

    async def further_emails(self, ids: Iterable[int]) -> dict[int, tuple[str, ...]]:
        """The confirmed addresses of accounts beside the preferred ones; who has none is left out."""
        return await self._db.read(addresses.of_each, tuple(ids))
