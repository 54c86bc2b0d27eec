# SPDX-License-Identifier: Apache-2.0
"""Brings the files of new patch sets from git into the rows that queries ask, soon after they came.

Level-triggered: whatever is missing is read, also what an older version or another site left
without. A patch set that git cannot read counts as one without files.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from itertools import chain
from typing import TypeAlias

from ..db import Database
from ..errors import GatebotError
from ..journal import Journal
from ..repo import Repositories
from . import search_files
from .search_files import Revert, Unread

log = logging.getLogger(__name__)
Undoes: TypeAlias = Callable[[str, str, str], bool]  # of a project: whether one commit only undoes another
_MOST = 5000  # files of one patch set that can be searched for
_LONGEST = 2000  # bytes of a path; an index of PostgreSQL holds few more


class Indexing:
    """Reads files of patch sets, and compares reverts."""

    def __init__(self, db: Database, repositories: Repositories, undoes: Undoes) -> None:
        self._db = db
        self._undoes = undoes
        self._repositories = repositories

    async def run(self, journal: Journal) -> None:
        """Follow the journal for ever."""
        while True:
            known = await journal.last()
            if not await self.catch_up() + await self.compare_reverts():
                await journal.wait(known, timeout=60)

    async def catch_up(self) -> int:
        """Read what is missing, a hundred patch sets at most; how many were read."""
        missing = await self._db.read(search_files.unread)
        for one in missing:
            paths, added, deleted = await asyncio.to_thread(self._read, one)
            await self._db.run_silent(search_files.store_files, one, paths, added, deleted)
        return len(missing)

    async def compare_reverts(self) -> int:
        """Look which of the reverts that are missing do nothing else, a hundred at most; how many were looked at."""
        missing = await self._db.read(search_files.uncompared)
        for one in missing:
            pure = await asyncio.to_thread(self._is_pure, one)
            await self._db.run_silent(search_files.store_purity, one, pure)
        return len(missing)

    def _is_pure(self, one: Revert) -> bool:
        try:
            return self._undoes(one.project, one.commit, one.of)
        except GatebotError:
            log.warning("the revert %d cannot be compared", one.change, exc_info=True)
            return False

    def _read(self, one: Unread) -> tuple[list[str], int, int]:
        try:
            found = self._repositories.changed_files(one.project, one.commit)
        except GatebotError:
            log.warning("files of change %d cannot be read", one.change, exc_info=True)
            return [], 0, 0
        named = chain.from_iterable((file.path, file.old_path) for file in found)
        paths = [path for path in named if path and len(path.encode("utf-8", "replace")) <= _LONGEST]
        return paths[:_MOST], sum(file.added for file in found), sum(file.deleted for file in found)
