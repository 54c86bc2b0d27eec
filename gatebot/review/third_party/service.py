# SPDX-License-Identifier: Apache-2.0
"""How the CIs elsewhere stand, for one reader: what may be seen is looked up, `standing.py` decides.

Changes that the reader may not see count for nothing in the figures that are shown.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from ...access import Actor, Target, Verb, may
from ...access_rules import Rulebook
from ...clock import Clock
from ...db import Database, Session
from ...identity.store import username_in
from ..model import PatchSet, branch_ref
from ..search import Asking, visible
from ..whole import ChangeView
from . import store
from .asked import Asked, asked
from .model import Seen, Standing, ThirdParty, Upload
from .standing import standing

WINDOW = timedelta(days=30)
MOST = 5000


@dataclass(frozen=True, slots=True)
class Board:
    """All of them, over the patch sets since a moment."""

    since: datetime
    standings: tuple[Standing, ...] = ()


class ThirdPartyCis:
    """`cis` are those of the settings, `rules` those of the site's access."""

    def __init__(self, db: Database, clock: Clock, rules: Rulebook, cis: Sequence[ThirdParty]) -> None:
        self._db = db
        self._clock = clock
        self._rules = rules
        self._cis = tuple(cis)

    async def board(self, actor: Actor) -> Board:
        """How they stand, in the order of the settings."""
        seen = await self._db.read(self._seen, actor)
        return Board(seen.since, tuple(standing(ci, seen) for ci in self._cis))

    async def of(self, view: ChangeView, patch_set: PatchSet) -> Asked:
        """What they have to do with one patch set of a change that the reader sees."""
        if not self._cis:
            return Asked()
        return asked(self._cis, await self._db.read(self._accounts), view.change, patch_set, view.messages)

    def _seen(self, session: Session, actor: Actor) -> Seen:
        now = self._clock.now()
        since = now - WINDOW
        lets = visible(Asking(actor.account, may(actor, Verb.VIEW_PRIVATE, Target(), self._rules), now))
        uploads = store.uploads(session, since, lets, MOST)
        if len(uploads) == MOST:
            since = uploads[-1].at
        found = Seen(
            since,
            tuple(one for one in uploads if self._readable(actor, one)),
            store.remarks(session, since, lets),
        )
        return replace(found, accounts=self._accounts(session))

    def _accounts(self, session: Session) -> dict[str, int]:
        names = {ci.account for ci in self._cis}
        return {name: account.id for name in names if (account := username_in(session, name)) is not None}

    def _readable(self, actor: Actor, one: Upload) -> bool:
        return may(actor, Verb.READ, Target(one.project, branch_ref(one.branch), one.owner), self._rules)
