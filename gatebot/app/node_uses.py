# SPDX-License-Identifier: Apache-2.0
"""Who has nodes, for the overview of nodes.

The pipeline's rows of builds and held nodes, with the names of people; nothing is decided here.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from ..db import Database
from ..executor.nodes.model import Hold
from ..executor.ports import BuildFacts
from ..identity import Identity
from ..pipeline import autohold, history
from .build_rows import facts_of

_MOST = 2000


class NodeUses:
    """Implements the `Uses` of the executor's room."""

    def __init__(self, db: Database, identity: Identity) -> None:
        self._db = db
        self._identity = identity

    async def running(self) -> Sequence[BuildFacts]:
        """The builds that run now."""
        return [facts_of(row) for row in await self._db.read(history.find_builds, running=True, limit=_MOST)]

    async def held(self) -> Sequence[tuple[BuildFacts, Hold]]:
        """The builds that ended and whose nodes are kept."""
        requests = await self._db.read(autohold.everywhere)
        kept = {held.build: (held, request) for request in requests for held in request.builds}
        rows = await self._db.read(history.these_builds, kept)
        people = await self._identity.by_ids({request.account for _, request in kept.values()})
        found: list[tuple[BuildFacts, Hold]] = []
        for build, row in rows.items():
            held, request = kept[build]
            who = people[request.account].username if request.account in people else ""
            hold = Hold(request.id, request.account, who, request.reason, held.since, held.until)
            found.append((facts_of(row), hold))
        return found

    async def keep_until(self, build: str, until: datetime) -> None:
        """The nodes of a build are kept until then."""
        await self._db.run(autohold.keep_until, build, until)
