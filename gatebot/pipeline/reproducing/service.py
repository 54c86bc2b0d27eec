# SPDX-License-Identifier: Apache-2.0
"""Who may have a build to run it elsewhere, and its commits: whoever may see all that it was tested with.

That is every change of the state and every repository of the workspace. What a change would be given is remembered
for a while, so that its commits can be fetched; what was given to executors is in the rows.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field

from ...access import Actor, Target, Verb, may
from ...assignment import AssignedChange, Assignment
from ...change import ChangeFacts
from ...errors import GatebotError, Gone, NotFound, NotPermitted
from ...reasons import reason
from ...repo import Repositories
from .. import history
from ..config.layout import Layout
from ..joining import Candidates
from ..naming import full_ref
from ..ports import Review, Sight
from ..store import job as kept_job
from ..tenants.service import Overview
from . import store
from .bare import commits_of, lacking, store_of, whole
from .model import Handed, Listed
from .unqueued import Unqueued

_REMEMBERED = 256


@dataclass(slots=True)
class Reproducing:
    """`host` stands for the site in workspaces."""

    overview: Overview
    review: Review
    sight: Sight
    unqueued: Unqueued
    repositories: Repositories
    host: str
    _one: asyncio.Lock = field(default_factory=asyncio.Lock)
    _handed: OrderedDict[str, Assignment] = field(default_factory=OrderedDict[str, Assignment])

    async def of_build(self, actor: Actor, build: str) -> Handed:
        """What a build was given. Raises `Gone` where commits of it are not here any more."""
        found = await self._found(actor, build)
        job = await self.unqueued.db.read(kept_job, found.job.definition)
        if job is None:
            raise NotFound(reason=reason("pipeline.build-not-kept", build=build))
        changes = [await self._in_full(one) for one in found.changes]
        missing = await asyncio.to_thread(lambda: list(self._missing(found)))
        if missing:
            project, commit = missing[0]
            raise Gone(reason=reason("pipeline.commit-gone", build=build, project=project, commit=commit[:12]))
        return Handed(whole(found, job, changes), self.host, lacking(job))

    async def of_change(
        self, actor: Actor, number: int, job: str, pipeline: str = "", tenant: str = "", patch_set: int | None = None
    ) -> Handed:
        """What a job of a change would be given now."""
        layout, change, around = await self._change(actor, number, tenant, patch_set)
        async with self._one:
            given, lacks = await self.unqueued.build(layout, change, around, job, pipeline)
        await self._require(actor, given)
        self._handed[given.build] = given
        while len(self._handed) > _REMEMBERED:
            self._handed.popitem(last=False)
        return Handed(given, self.host, lacks)

    async def jobs(
        self, actor: Actor, number: int, pipeline: str = "", tenant: str = "", patch_set: int | None = None
    ) -> tuple[Listed, ...]:
        """The jobs that a change would run."""
        layout, change, around = await self._change(actor, number, tenant, patch_set)
        async with self._one:
            return await self.unqueued.jobs(layout, change, around, pipeline)

    async def commits(self, actor: Actor, build: str, project: str) -> tuple[str, frozenset[str]]:
        """The store of a repository of a build, and the commits that may be fetched from it."""
        given = self._handed.get(build)
        if given is None:
            given = await self._found(actor, build)
        else:
            await self._require(actor, given)
        if project not in {one.project for one in given.checkouts}:
            raise NotFound(reason=reason("pipeline.not-of-build", project=project[:200], build=build))
        return store_of(given, project), commits_of(given, project)

    async def _found(self, actor: Actor, build: str) -> Assignment:
        """What was given to an executor, if the asker may have it."""
        row = await self.unqueued.db.read(history.build, build)
        seen = row is not None and not (row.change and await self.sight.hidden(actor, (row.change,)))
        if not seen:
            raise NotFound(reason=reason("executor.no-such-build", build=build))
        found = await self.unqueued.db.read(store.find, build)
        if found is None:
            raise NotFound(reason=reason("pipeline.build-not-kept", build=build))
        await self._require(actor, found)
        return found

    async def _change(
        self, actor: Actor, number: int, tenant: str, patch_set: int | None
    ) -> tuple[Layout, ChangeFacts, Candidates]:
        """A change that the asker may see with all that it needs, and the tenant whose jobs it runs.

        Without a name that is the first that has the project.
        """
        await self.sight.change_project(actor, number)
        change = await self.review.change(number, patch_set)
        if change is None:
            raise NotFound(reason=reason("review.no-such-change", change=number))
        named = (self.overview.layout(actor, name) for name in self.overview.names(actor))
        first = next((one.tenant.name for one in named if one.project(change.project) is not None), "")
        layout = self.overview.layout(actor, tenant or first)
        self.overview.project(actor, layout, change.project)
        around = await self.unqueued.around(layout, change)
        await self._require_seen(actor, around)  # before anything is said of them
        return layout, change, around

    async def _require(self, actor: Actor, given: Assignment) -> None:
        """Refuse what was tested with anything that the asker may not see."""
        await self._require_seen(actor, {one.number for one in given.changes} | set(given.members))
        places = {(given.project, given.branch), *((one.project, one.branch) for one in given.checkouts)}
        rules = self.overview.rules
        if not all(may(actor, Verb.READ, Target(name, full_ref(branch)), rules) for name, branch in places):
            raise NotPermitted(reason=reason("pipeline.build-reads-more"))

    async def _require_seen(self, actor: Actor, changes: Collection[int]) -> None:
        if await self.sight.hidden(actor, changes):
            raise NotPermitted(reason=reason("pipeline.build-on-private"))

    async def _in_full(self, thin: AssignedChange) -> AssignedChange:
        """A change with what people wrote of it."""
        found = await self.review.change(thin.number, thin.patch_set)
        if found is None:
            return thin
        return AssignedChange(
            thin.number, thin.patch_set, found.project, found.branch, thin.commit, found.change_id, found.subject,
            found.url, found.message, found.topic,
        )  # fmt: skip

    def _missing(self, given: Assignment) -> Iterator[tuple[str, str]]:
        """The commits of a build that are not here any more."""
        projects: Iterable[str] = dict.fromkeys(one.project for one in given.checkouts)
        for project in projects:
            for commit in sorted(commits_of(given, project)):
                if not self._has(store_of(given, project), commit):
                    yield project, commit

    def _has(self, store: str, commit: str) -> bool:
        try:
            return self.repositories.resolve(store, commit) is not None
        except GatebotError:
            return False  # the whole store is gone
