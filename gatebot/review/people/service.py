# SPDX-License-Identifier: Apache-2.0
"""Keeps stars, watched projects and preferences of accounts, for callers in the event loop.

Everything here is about one's own account; administrators may read and set the preferences of others.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ...assignment import Json
from ...db import Database, Session
from . import store
from .preferences import merged
from .store import Watch

NOTIFY = (
    "notify_new_changes",
    "notify_new_patch_sets",
    "notify_all_comments",
    "notify_submitted_changes",
    "notify_abandoned_changes",
)


class People:
    """What accounts keep for themselves."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def star(self, account: int, change: int, *, wanted: bool) -> None:
        """Star a change or not."""
        await self._db.run_silent(store.set_star, account, change, wanted=wanted)

    async def watches(self, account: int) -> tuple[Watch, ...]:
        """What an account watches."""
        return await self._db.read(store.list_watches, account)

    async def watch(self, account: int, wanted: Sequence[Watch]) -> tuple[Watch, ...]:
        """Watch these too."""
        return await self._db.run_silent(store.set_watches, account, wanted)

    async def unwatch(self, account: int, unwanted: Sequence[Watch]) -> None:
        """Watch these no longer."""
        await self._db.run_silent(store.drop_watches, account, unwanted)

    async def preferences(self, account: int, kind: str) -> Mapping[str, Json]:
        """What an account chose: `general`, `diff` or `edit`."""
        return await self._db.read(store.chosen, account, kind)

    async def prefer(self, account: int, kind: str, wanted: Mapping[str, Json]) -> Mapping[str, Json]:
        """Choose; what is not named stays."""
        return await self._db.run_silent(_prefer, account, kind, wanted)


def _prefer(session: Session, account: int, kind: str, wanted: Mapping[str, Json]) -> Mapping[str, Json]:
    values = merged(kind, store.chosen(session, account, kind), wanted)
    store.choose(session, account, kind, values)
    return values
