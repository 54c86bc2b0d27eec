# SPDX-License-Identifier: Apache-2.0
"""`/api/nodes`: providers, labels and nodes for programs; and the ways into and out of kept nodes.

Everybody sees what executors can do; of the nodes each reader sees those of builds that he may see, and how many
there are besides.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import cast

from aiohttp import hdrs, web

from ...errors import Conflict, NotFound, NotPermitted
from ...reasons import reason
from ...site import Site
from ...words import say
from ..model import MIB
from ..providers.model import Capacity
from .model import LabelState, Node, Overview, ProviderState
from .service import Nodes

log = logging.getLogger(__name__)
_HEARTBEAT = 20.0

Allowed = Callable[[web.Request, str], Awaitable[None]]
"""Raises `NotFound` for builds that the asker may not see."""


_ONE = "/api/nodes/{node}"


def routes(site: Site, nodes: Nodes, allowed: Allowed) -> list[web.RouteDef]:
    """All routes."""
    doors = Doors(site, nodes, allowed)
    return [
        web.get("/api/nodes", doors.every),
        web.post(f"{_ONE}/hold", doors.keep_on),
        web.delete(_ONE, doors.let_go),
        web.get(f"{_ONE}/terminal", doors.terminal),
    ]


class Doors:
    """Handlers."""

    def __init__(self, site: Site, nodes: Nodes, allowed: Allowed) -> None:
        self._site = site
        self._nodes = nodes
        self._allowed = allowed

    async def every(self, request: web.Request) -> web.StreamResponse:
        """Providers, labels, and the nodes that the asker may see."""
        found, hidden = await visible(request, await self._nodes.overview(), self._allowed)
        return web.json_response(as_json(found, hidden))

    async def keep_on(self, request: web.Request) -> web.StreamResponse:
        """`{"hours": 24}`: a kept node is kept until so many hours from now."""
        self._site.require(request)
        try:
            body: object = await request.json()
        except (ValueError, RecursionError):
            body = None
        hours = cast("dict[str, object]", body).get("hours") if isinstance(body, dict) else None
        asked = hours if isinstance(hours, int) and not isinstance(hours, bool) else 0
        node = await self._nodes.keep_on(self._site.actor(request), request.match_info["node"], asked)
        return web.json_response(node_json(node))

    async def let_go(self, request: web.Request) -> web.StreamResponse:
        """A kept node goes, and the others of its build; 202 where its executor is told to take them away."""
        self._site.require(request)
        node = await self._nodes.let_go(self._site.actor(request), request.match_info["node"])
        return web.json_response(node_json(node), status=202 if node.given.executor else 200)

    async def terminal(self, request: web.Request) -> web.StreamResponse:
        """Go into a kept node, by a websocket; without one the answer says whether that could be.

        Browsers are refused: a page elsewhere could open a websocket here with a reader's cookie.
        """
        self._site.require(request)
        if hdrs.ORIGIN in request.headers:
            raise NotPermitted(reason=reason("executor.terminal-no-browser"))
        node, door = await self._nodes.door(self._site.actor(request), request.match_info["node"])
        socket = web.WebSocketResponse(heartbeat=_HEARTBEAT, max_msg_size=MIB)
        if not socket.can_prepare(request):
            return web.json_response(node_json(node))
        await socket.prepare(request)
        log.info("%s enters the node %s", self._site.actor(request).username, node.id)
        try:
            await door(socket)
        except Conflict as problem:
            await socket.send_json({"refused": say(problem.reason) if problem.reason is not None else str(problem)})
        await socket.close()
        return socket


async def visible(request: web.Request, found: Overview, allowed: Allowed) -> tuple[Overview, int]:
    """What the asker may see, and how many nodes he may not."""
    shown: dict[str, bool] = {}
    for build in {node.build for node in found.nodes}:
        try:
            await allowed(request, build)
        except NotFound:
            shown[build] = False
        else:
            shown[build] = True
    seen = tuple(node for node in found.nodes if shown[node.build])
    return replace(found, nodes=seen), len(found.nodes) - len(seen)


def as_json(found: Overview, hidden: int) -> dict[str, object]:
    """All of it; sentences are English."""
    return {
        "executors": [
            {"name": one.name, "alive": one.alive, "providers": [_provider(each) for each in one.providers]}
            for one in found.executors
        ],
        "labels": [_label(one) for one in found.labels],
        "nodes": [node_json(one) for one in found.nodes],
        "hidden_nodes": hidden,
    }


def _provider(one: ProviderState) -> dict[str, object]:
    can = one.capacity or Capacity((), 0)
    return {
        "name": one.name,
        "usable": one.capacity is not None,
        "platforms": [{"arch": each.arch, "execution": each.execution, "slots": each.slots} for each in can.platforms],
        "slots": can.slots,
        "used": one.used,
        "limits": can.limits,
        "post_review_only": one.trusted,
        "problems": [say(problem) for problem in one.problems],
    }


def _label(one: LabelState) -> dict[str, object]:
    label = one.label
    return {
        "name": label.name,
        "provider": label.provider,
        "arch": label.arch,
        "execution": label.execution,
        "image": label.image,
        "network": label.network,
        "memory": label.memory,
        "disk": label.disk,
        "cpus": label.cpus,
        "processes": label.processes,
        "privileged": label.privileged,
        "nested": label.nested,
        "executors": list(one.executors),
        "coming": one.coming,
        "problems": [{"executor": executor, "why": say(why)} for executor, why in one.whys],
    }


def node_json(node: Node) -> dict[str, object]:
    """A node; `held` says why it is kept."""
    hold = node.hold
    return {
        "id": node.id,
        "build": node.build,
        "job": node.job,
        "project": node.project,
        "names": list(node.given.names),
        "label": node.given.label,
        "arch": node.given.arch,
        "execution": node.given.execution,
        "provider": node.given.provider,
        "executor": node.given.executor,
        "since": node.since.isoformat(),
        "held": None
        if hold is None
        else {
            "request": str(hold.request),
            "for": hold.who,
            "reason": hold.why,
            "until": hold.until.isoformat() if hold.until is not None else None,
        },
    }
