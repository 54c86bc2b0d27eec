# SPDX-License-Identifier: Apache-2.0
"""Autohold requests: checked, kept, shown, deleted, for those who may.

Who may see the queues sees the requests; asking for one and deleting one takes the permission `autohold`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from ...access import Actor, Target, Verb, may
from ...clock import Clock
from ...db import Database
from ...errors import Conflict, Invalid, NotFound
from ...reasons import Reason, reason
from .. import autohold
from ..autohold import ANY, Autohold
from ..permission import account_of, require
from ..tenants.service import Overview
from .doubts import doubts, inside

_MOST = 100


@dataclass(frozen=True, slots=True)
class Wish:
    """What is asked for: the next `count` failed builds of a job, of one change or of refs that fit, or of any."""

    project: str
    job: str
    reason: str
    count: int = 1
    change: str = ""
    ref: str = ""
    seconds: int | None = None


@dataclass(frozen=True, slots=True)
class Holding:
    """Requests of all tenants."""

    overview: Overview
    db: Database
    clock: Clock

    async def add(self, actor: Actor, tenant: str, wish: Wish) -> Autohold:
        """Ask for the nodes of failed builds."""
        layout = self.overview.layout(actor, tenant)
        project = self.overview.project(actor, layout, wish.project).name
        account = account_of(actor)
        require(actor, Verb.AUTOHOLD, Target(project), self.overview.rules)
        if not (wish.job and wish.reason):
            raise Invalid(reason=reason("pipeline.autohold-incomplete"))
        if not 1 <= wish.count <= _MOST:
            raise Invalid(reason=reason("pipeline.autohold-count", most=_MOST))
        made = Autohold(
            id=0,
            tenant=tenant,
            project=project,
            job=wish.job,
            ref_filter=_filter(wish),
            reason=wish.reason,
            count=wish.count,
            account=account,
            created=self.clock.now(),
            seconds=wish.seconds,
        )
        return await self.db.run(autohold.add, made)

    async def all(self, actor: Actor, tenant: str, project: str = "") -> tuple[Autohold, ...]:
        """The requests of projects that the asker may read."""
        layout = self.overview.layout(actor, tenant)
        seen = {one.name for one in self.overview.projects(actor, layout)}
        name = self.overview.project(actor, layout, project).name if project else ""
        found = await self.db.read(autohold.every, tenant, name)
        return tuple(one for one in found if one.project in seen)

    async def doubts(self, actor: Actor, tenant: str, requests: Iterable[Autohold]) -> Mapping[str, Reason]:
        """What is to be said of jobs that nobody has heard of, by name."""
        asked = {one.job for one in requests}
        layout = self.overview.layout(actor, tenant)
        if asked <= layout.jobs.keys():
            return {}
        seen = {one.name for one in self.overview.projects(actor, layout)}
        lately = await self.db.read(autohold.lately, tenant, seen)
        return doubts(asked, layout.jobs.keys() | lately | inside(tenant, seen, self.overview.queues()))

    async def one(self, actor: Actor, tenant: str, id: str) -> Autohold:
        """One request."""
        layout = self.overview.layout(actor, tenant)
        number = int(id) if id.isdecimal() and len(id) < 15 else 0
        found = await self.db.read(autohold.find, tenant, number)
        if found is None or found.project not in {one.name for one in self.overview.projects(actor, layout)}:
            raise NotFound(reason=reason("pipeline.no-such-autohold", id=id[:20]))
        return found

    async def delete(self, actor: Actor, tenant: str, id: str) -> Autohold:
        """Give a request up; the nodes that it holds go."""
        found = await self.one(actor, tenant, id)
        account_of(actor)
        require(actor, Verb.AUTOHOLD, Target(found.project), self.overview.rules)
        if not await self.db.run(autohold.delete, tenant, found.id):
            raise NotFound(reason=reason("pipeline.no-such-autohold", id=id[:20]))
        return found

    def may_hold(self, actor: Actor) -> bool:
        """Whether the asker may ask for nodes in every project: for the form of the page."""
        return may(actor, Verb.AUTOHOLD, Target(), self.overview.rules)


def will_hold(made: Autohold) -> Reason:
    """What comes of a new request."""
    if made.count == 1:
        return reason("pipeline.will-hold-next", job=made.job, project=made.project)
    return reason("pipeline.will-hold", count=made.count, job=made.job, project=made.project)


def _filter(wish: Wish) -> str:
    """The refs whose builds are wanted, as an expression."""
    if wish.change and wish.ref:
        raise Conflict(reason=reason("pipeline.autohold-one-filter"))
    if wish.change:
        number = wish.change.partition(",")[0]
        if not (number.isdecimal() and len(number) < 10):
            raise Invalid(reason=reason("pipeline.no-change-name", text=wish.change[:80]))
        return autohold.of_change(int(number))
    if wish.ref and (wrong := autohold.sound(wish.ref)):
        raise Invalid(reason=reason("pipeline.autohold-bad-filter", text=wrong))
    return wish.ref or ANY
