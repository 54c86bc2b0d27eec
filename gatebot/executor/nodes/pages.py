# SPDX-License-Identifier: Apache-2.0
"""The page of nodes: who has one, what is held, which labels there are, and what providers can do.

Complete without scripts; with them it follows the builds.
"""

from __future__ import annotations

from aiohttp import web

from ...reasons import Reason, reason
from ...site import Site
from .model import Node
from .rest import Allowed, visible
from .service import Nodes

_DIGITS = 5  # of hours


def routes(site: Site, nodes: Nodes, allowed: Allowed) -> list[web.RouteDef]:
    """All routes; the forms are for whom a node is kept."""

    async def page(request: web.Request) -> web.StreamResponse:
        found, hidden = await visible(request, await nodes.overview(), allowed)
        return site.render(
            request,
            "executor/nodes.html",
            executors=found.executors,
            labels=sorted(found.labels, key=lambda one: (bool(one.executors), one.coming)),
            in_use=[node for node in found.nodes if node.hold is None],
            held=[node for node in found.nodes if node.hold is not None],
            mine={node.id for node in found.nodes if nodes.may_enter(site.actor(request), node)},
            hidden=hidden,
            live="builds",
        )

    async def keep_on(request: web.Request) -> web.StreamResponse:
        site.require(request)
        hours = str((await request.post()).get("hours", "")).strip()
        asked = int(hours) if hours.isdecimal() and len(hours) < _DIGITS else 0
        node = await nodes.keep_on(site.actor(request), request.match_info["node"], asked)
        return site.redirect(request, "/nodes", reason("executor.node-kept-on", node=node.id, hours=asked))

    async def let_go(request: web.Request) -> web.StreamResponse:
        site.require(request)
        node = await nodes.let_go(site.actor(request), request.match_info["node"])
        return site.redirect(request, "/nodes", let_go_of(node))

    return [
        web.get("/nodes", page),
        web.post("/nodes/{node}/keep", keep_on),
        web.post("/nodes/{node}/let-go", let_go),
    ]


def let_go_of(node: Node) -> Reason:
    """What is said when a kept node was let go."""
    if not node.given.executor:
        return reason("executor.node-let-go", node=node.id)
    return reason("executor.node-leaves", node=node.id, executor=node.given.executor)
