# SPDX-License-Identifier: Apache-2.0
"""Accepts errors of a tenant's configuration for those who administer the site, and says what is accepted.

Everybody who sees the errors sees who accepted them.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from ...access import SITE, Actor, Verb, may
from ...clock import Clock
from ...db import Database
from ...errors import Invalid, NotFound
from ...reasons import reason
from ..permission import account_of, require
from ..tenants.service import Overview
from . import store
from .model import Accepted, key_of

LONGEST = timedelta(days=366)


@dataclass(frozen=True, slots=True)
class Accepting:
    overview: Overview
    db: Database
    clock: Clock

    async def all(self, actor: Actor, tenant: str) -> dict[str, Accepted]:
        """What was accepted in a tenant, by the key of the error; what is over, too."""
        layout = self.overview.layout(actor, tenant)
        seen = {one.name for one in self.overview.projects(actor, layout)}
        found = await self.db.read(store.every, tenant)
        return {key: one for key, one in found.items() if one.project in seen}

    def may_accept(self, actor: Actor) -> bool:
        """Whether the asker is an administrator: for the forms of the page."""
        return may(actor, Verb.ADMINISTRATE_SERVER, SITE, self.overview.rules)

    async def accept(self, actor: Actor, tenant: str, key: str, owner: str, why: str, until: str) -> Accepted:
        """Accept one error until the begin of a day (`2026-12-31`, UTC)."""
        account = account_of(actor)
        require(actor, Verb.ADMINISTRATE_SERVER, SITE, self.overview.rules)
        found = await self.overview.errors(actor, tenant)
        error = next((one for one in found if key_of(one) == key), None)
        if error is None:
            raise NotFound(reason=reason("pipeline.no-such-error", key=key[:20], tenant=tenant))
        if not (owner and why):
            raise Invalid(reason=reason("pipeline.acceptance-incomplete"))
        now = self.clock.now()
        ends = _day(until)
        if ends is None or not now < ends <= now + LONGEST:
            raise Invalid(reason=reason("pipeline.acceptance-until", until=until[:30], days=LONGEST.days))
        made = Accepted(tenant, key, error.at.project, owner, why, account, now, ends)
        await self.db.run(store.accept, made)
        return made

    async def withdraw(self, actor: Actor, tenant: str, key: str) -> None:
        """Accept an error no more: it stops items again."""
        self.overview.layout(actor, tenant)
        account = account_of(actor)
        require(actor, Verb.ADMINISTRATE_SERVER, SITE, self.overview.rules)
        if not await self.db.run(store.withdraw, tenant, key, account, self.clock.now()):
            raise NotFound(reason=reason("pipeline.no-such-error", key=key[:20], tenant=tenant))


def _day(text: str) -> datetime | None:
    try:
        return datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=UTC)
    except ValueError:
        return None
