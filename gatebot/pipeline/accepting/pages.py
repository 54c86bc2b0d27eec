# SPDX-License-Identifier: Apache-2.0
"""The buttons of the page of configuration errors: accept one, accept it no more.

The page itself is among those of the tenant; these answer its forms.
"""

from __future__ import annotations

from aiohttp import web

from ...reasons import reason
from ...site import Site
from .service import Accepting


def routes(site: Site, accepting: Accepting) -> list[web.RouteDef]:
    """All routes."""

    async def accept(request: web.Request) -> web.StreamResponse:
        site.require(request)
        form = {name: str(value).strip() for name, value in (await request.post()).items()}
        owner, why, until = (form.get(name, "") for name in ("owner", "reason", "until"))
        tenant, key = form.get("tenant", ""), request.match_info["key"]
        made = await accepting.accept(site.actor(request), tenant, key, owner, why, until)
        told = reason("pipeline.accepted-until", owner=made.owner, until=f"{made.until:%Y-%m-%d}")
        return site.redirect(request, f"/config-errors?tenant={tenant}", told)

    async def withdraw(request: web.Request) -> web.StreamResponse:
        site.require(request)
        tenant = str((await request.post()).get("tenant", ""))
        await accepting.withdraw(site.actor(request), tenant, request.match_info["key"])
        return site.redirect(request, f"/config-errors?tenant={tenant}", reason("pipeline.accepted-no-more"))

    return [
        web.post("/config-errors/{key:[0-9a-f]{16}}/accept", accept),
        web.post("/config-errors/{key:[0-9a-f]{16}}/withdraw", withdraw),
    ]
