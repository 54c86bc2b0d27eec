# SPDX-License-Identifier: Apache-2.0
"""The page of nodes: who has one, what is held, which labels there are, and what providers can do.

Complete without scripts; with them it follows the builds.
"""

from __future__ import annotations

from aiohttp import web

from ...site import Site
from .rest import Allowed, visible
from .service import Nodes


def routes(site: Site, nodes: Nodes, allowed: Allowed) -> list[web.RouteDef]:
    """All routes."""

    async def page(request: web.Request) -> web.StreamResponse:
        found, hidden = await visible(request, await nodes.overview(), allowed)
        return site.render(
            request,
            "executor/nodes.html",
            executors=found.executors,
            labels=found.labels,
            in_use=[node for node in found.nodes if node.hold is None],
            held=[node for node in found.nodes if node.hold is not None],
            hidden=hidden,
            live="builds",
        )

    return [web.get("/nodes", page)]
