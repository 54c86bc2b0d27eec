# SPDX-License-Identifier: Apache-2.0
"""`/api/nodes`: providers, labels and nodes for programs.

Everybody sees what executors can do; of the nodes each reader sees those of builds that he may see, and how many
there are besides.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace

from aiohttp import web

from ...errors import NotFound
from ...words import say
from ..providers.model import Capacity
from .model import LabelState, Node, Overview, ProviderState
from .service import Nodes

Allowed = Callable[[web.Request, str], Awaitable[None]]
"""Raises `NotFound` for builds that the asker may not see."""


def routes(nodes: Nodes, allowed: Allowed) -> list[web.RouteDef]:
    """All routes."""

    async def every(request: web.Request) -> web.StreamResponse:
        found, hidden = await visible(request, await nodes.overview(), allowed)
        return web.json_response(as_json(found, hidden))

    return [web.get("/api/nodes", every)]


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
        "executors": list(one.executors),
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
