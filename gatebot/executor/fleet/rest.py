# SPDX-License-Identifier: Apache-2.0
"""Executors on other machines, for people and their programs: who they are, how they are, let them come, revoke them.

Everybody sees the list; of the builds that run, each reader sees those that he may see. The rest is for administrators.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime

from aiohttp import web

from ...errors import Invalid, NotFound
from ...reasons import reason
from ...site import Site
from .roster import alive
from .service import Enrolment, Seen

Allowed = Callable[[web.Request, str], Awaitable[None]]
"""Raises `NotFound` for builds that the asker may not see."""


def routes(site: Site, enrolment: Enrolment, allowed: Allowed) -> list[web.RouteDef]:
    """All routes."""
    doors = Executors(site, enrolment, allowed)
    return [
        web.get("/api/executors", doors.all),
        web.post("/api/executors", doors.enrol),
        web.delete("/api/executors/{executor}", doors.revoke),
    ]


class Executors:
    """Handlers."""

    def __init__(self, site: Site, enrolment: Enrolment, allowed: Allowed) -> None:
        self._site = site
        self._enrolment = enrolment
        self._allowed = allowed

    async def all(self, request: web.Request) -> web.StreamResponse:
        """All executors on other machines."""
        now = self._enrolment.clock.now()
        found = [as_json(one, now, await visible(request, one, self._allowed)) for one in await self._enrolment.every()]
        return web.json_response(found)

    async def enrol(self, request: web.Request) -> web.StreamResponse:
        """Let one come; its token is in this answer and nowhere else."""
        self._site.require(request)
        try:
            body = await request.json()
        except (ValueError, RecursionError):
            body = None
        if not isinstance(body, dict) or not isinstance(body.get("name"), str):  # pyright: ignore[reportUnknownMemberType]
            raise Invalid(reason=reason("executor.name-needed"))
        name = str(body["name"])  # pyright: ignore[reportUnknownArgumentType]
        token = await self._enrolment.enrol(self._site.actor(request), name)
        return web.json_response(
            {"name": name, "token": token, "command": command(self._site, name, token)}, status=201
        )

    async def revoke(self, request: web.Request) -> web.StreamResponse:
        """Let one come no more."""
        self._site.require(request)
        await self._enrolment.revoke(self._site.actor(request), request.match_info["executor"])
        return web.Response(status=204)


def command(site: Site, name: str, token: str) -> str:
    """What an operator types on the other machine."""
    return f"GATEBOT_TOKEN={token} gatebot serve {name} --role executor --connect {site.settings.url}"


async def visible(request: web.Request, seen: Seen, allowed: Allowed) -> list[str]:
    """The builds of an executor that the asker may see."""
    found: list[str] = []
    for build in seen.builds:
        try:
            await allowed(request, build)
        except NotFound:
            continue
        found.append(build)
    return found


def lives(seen: Seen, now: datetime) -> bool:
    """Whether it was heard of just now."""
    return alive(seen.executor, now)


def as_json(seen: Seen, now: datetime, builds: list[str]) -> dict[str, object]:
    """An executor for programs; `running` counts also the builds that are not listed."""
    one = seen.executor
    return {
        "name": one.name,
        "enrolled": one.key != "",
        "alive": lives(seen, now),
        "version": one.version,
        "created": one.created.isoformat(),
        "heard": one.heard.isoformat() if one.heard is not None else None,
        "slots": one.slots,
        "running": len(seen.builds),
        "builds": builds,
        "labels": list(one.abilities.labels),
        "providers": {
            name: [f"{platform.arch} {platform.execution}" for platform in capacity.platforms]
            for name, capacity in one.abilities.capacities.items()
        },
    }
