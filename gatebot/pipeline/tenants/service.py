# SPDX-License-Identifier: Apache-2.0
"""Looks up what a tenant consists of, for those who may see it.

Layouts answer from memory; freezing and decrypting run on a thread. Nothing here knows HTTP.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

from ...access import DEFAULT, SITE, Actor, Rulebook, Target, Verb, may
from ...errors import NotFound
from ...keys import Keys
from ...reasons import reason
from ..config.freeze import freeze
from ..config.layout import Layout
from ..config.model import ConfigError, FrozenGraph
from ..config.tenant import TenantProject
from ..layouts import Layouts
from ..permission import require
from ..queue.model import Queue
from ..vault import Vault
from .semaphores import SemaphoreView, semaphores


@dataclass(frozen=True, slots=True)
class Overview:
    """`queues` answers from memory."""

    layouts: Layouts
    vault: Vault
    keys: Keys
    queues: Callable[[], Iterable[Queue]]
    rules: Rulebook = DEFAULT

    def names(self, actor: Actor) -> tuple[str, ...]:
        """All tenants."""
        require(actor, Verb.VIEW_QUEUE, SITE, self.rules)
        return tuple(sorted(self.layouts.tenants()))

    def layout(self, actor: Actor, tenant: str) -> Layout:
        """What a tenant consists of, as it is merged."""
        require(actor, Verb.VIEW_QUEUE, SITE, self.rules)
        found = self.layouts.current(tenant)
        if found is None:
            names = ", ".join(sorted(self.layouts.tenants()))
            raise NotFound(reason=reason("pipeline.no-such-tenant", tenant=tenant, tenants=names))
        return found

    def operates(self, actor: Actor, tenant: str) -> bool:
        """Whether the asker may enqueue, dequeue and promote in every project of a tenant."""
        self.layout(actor, tenant)
        return all(may(actor, verb, Target(), self.rules) for verb in (Verb.ENQUEUE, Verb.DEQUEUE, Verb.PROMOTE))

    def projects(self, actor: Actor, layout: Layout) -> list[TenantProject]:
        """The projects of a tenant that the asker may read."""
        return [one for one in layout.tenant.projects if may(actor, Verb.READ, Target(one.name), self.rules)]

    def project(self, actor: Actor, layout: Layout, name: str) -> TenantProject:
        """One of them."""
        found = layout.project(name)
        if found is None or not may(actor, Verb.READ, Target(found.name), self.rules):
            raise NotFound(reason=reason("pipeline.not-in-tenant", project=name, tenant=layout.tenant.name))
        return found

    async def public_key(self, actor: Actor, tenant: str, project: str, kind: str) -> str:
        """The key to encrypt a project's secrets for; it is made now when there is none."""
        found = self.project(actor, self.layout(actor, tenant), project)
        return await self.keys.public(found.name, kind)

    async def freeze(
        self, actor: Actor, tenant: str, pipeline: str, project: str, branch: str, files: Sequence[str] | None = None
    ) -> FrozenGraph:
        """What a change, or with `files` None a branch, would run; a secret that cannot be decrypted is an error."""
        layout = self.layout(actor, tenant)
        name = self.project(actor, layout, project).name
        if pipeline not in layout.pipelines:
            names = ", ".join(layout.pipelines)
            raise NotFound(reason=reason("pipeline.no-such-pipeline", pipeline=pipeline, pipelines=names))

        def work() -> FrozenGraph:
            graph = freeze(layout, pipeline, name, branch, files=files)
            return replace(graph, errors=(*graph.errors, *self.vault.unusable(layout, graph.jobs)))

        return await asyncio.to_thread(work)

    async def errors(self, actor: Actor, tenant: str) -> tuple[ConfigError, ...]:
        """Everything that is wrong in a tenant's configuration, in projects that the asker may read."""
        layout = self.layout(actor, tenant)
        unusable = await asyncio.to_thread(self.vault.all_unusable, layout)
        seen = {one.name for one in self.projects(actor, layout)}
        return tuple(error for error in (*layout.errors, *unusable) if error.at.project in seen)

    def semaphores(self, actor: Actor, tenant: str) -> tuple[SemaphoreView, ...]:
        """The semaphores of a tenant: who holds them, and who waits."""
        layout = self.layout(actor, tenant)
        limits = {one.name: one.max for one in layout.semaphores.values()}
        return semaphores(tenant, limits, layout.tenant.global_semaphores, self.queues())
