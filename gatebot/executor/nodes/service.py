# SPDX-License-Identifier: Apache-2.0
"""Asks executors and builds for what is said of nodes, and lets people into those that are kept for them.

Every executor is asked alike: what those on other machines can do is known from what they announce. Into a kept node
comes whoever asked for it, and administrators.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import TypeAlias

from aiohttp import web

from ...access import Actor, Target, Verb, may
from ...errors import Invalid, NotFound, NotPermitted
from ...reasons import reason
from ..fleet.fleet import here
from ..fleet.roster import member
from ..fleet.service import Enrolment
from ..fleet.visits import Visits
from ..holding import HeldNodes
from .listing import nodes_of, overview
from .model import Node, Overview
from .ports import Uses
from .terminal import converse

Door: TypeAlias = Callable[[web.WebSocketResponse], Awaitable[None]]
"""Serves a visitor until he leaves."""
_MOST_HOURS = 30 * 24


@dataclass(frozen=True, slots=True)
class Nodes:
    """The nodes of a site; `kept` are those of the executor of this process, `visits` those of nodes elsewhere."""

    enrolment: Enrolment
    uses: Uses
    kept: HeldNodes | None
    visits: Visits

    async def overview(self) -> Overview:
        """Everything."""
        fleet, now = self.enrolment.fleet, self.enrolment.clock.now()
        known, running, held = await asyncio.gather(self.enrolment.every(), self.uses.running(), self.uses.held())
        come = [one.executor for one in known if one.executor.heard is not None]
        members = [*here(fleet), *(member(one.name, 0, one.abilities) for one in come)]
        silent = {name: since for name, _, since in fleet.roster.silent(now)}
        nodes = [node for build in running for node in nodes_of(build)]
        nodes += [node for build, hold in held for node in nodes_of(build, hold)]
        return overview(members, silent, fleet.labels(), nodes)

    def may_enter(self, actor: Actor, node: Node) -> bool:
        """Whether this is a kept node, and kept for the asker."""
        if node.hold is None or actor.account is None:
            return False
        return node.hold.account == actor.account or may(
            actor, Verb.ADMINISTRATE_SERVER, Target(), self.enrolment.rules
        )

    async def held(self, actor: Actor, id: str) -> Node:
        """A kept node, for whom it is kept."""
        found = [node for build, hold in await self.uses.held() for node in nodes_of(build, hold) if node.id == id]
        if not found:
            raise NotFound(reason=reason("executor.node-not-held", node=id))
        if not self.may_enter(actor, found[0]):
            raise NotPermitted(reason=reason("executor.node-of-others", node=id))
        return found[0]

    async def door(self, actor: Actor, id: str) -> tuple[Node, Door]:
        """The same, and what lets a visitor in, wherever the node is."""
        node = await self.held(actor, id)
        executor, kept = node.given.executor, self.kept
        if executor:
            await self.visits.reached(executor, id)
            return node, partial(self.visits.guide, executor, id)
        if kept is None:
            raise NotFound(reason=reason("executor.node-not-held", node=id))
        return node, lambda socket: converse(socket, partial(kept.enter, id))

    async def keep_on(self, actor: Actor, id: str, hours: int) -> Node:
        """Keep the nodes of a build until so many hours from now, whatever was said before."""
        if not 1 <= hours <= _MOST_HOURS:
            raise Invalid(reason=reason("executor.hold-hours", most=_MOST_HOURS))
        node = await self.held(actor, id)
        await self.uses.keep_until(node.build, self.enrolment.clock.now() + timedelta(hours=hours))
        return await self.held(actor, id)

    async def let_go(self, actor: Actor, id: str) -> Node:
        """End the hold of a build's nodes: they go now, or as soon as their executor hears of it."""
        node = await self.held(actor, id)
        await self.uses.keep_until(node.build, self.enrolment.clock.now())
        if node.given.executor:
            await self.visits.end(node.given.executor, node.build)
        elif self.kept is not None:
            await self.kept.sweep()
        return node
