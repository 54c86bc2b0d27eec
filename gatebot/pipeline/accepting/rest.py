# SPDX-License-Identifier: Apache-2.0
"""`/api/tenant/NAME/config-error/ID/accept`: an administrator accepts an error of the configuration; DELETE: no more.

Our addition to Zuul's interface. What is accepted is listed at `config-errors-accepted`; the id of an error is in
`config-errors`.
"""

from __future__ import annotations

from aiohttp import web

from ...site import Site
from ..operating.rest import body_of, text
from ..tenants.rest import told
from .model import Accepted
from .service import Accepting

_ONE = "/api/tenant/{tenant}/config-error/{key:[0-9a-f]{16}}/accept"
_FORM = '{"owner": "who mends it", "reason": "why it may stay", "until": "2026-12-31"}'


def routes(site: Site, accepting: Accepting) -> list[web.RouteDef]:
    """All routes."""
    doors = Doors(site, accepting)
    return [
        web.get("/api/tenant/{tenant}/config-errors-accepted", told(site, doors.all)),
        web.post(_ONE, told(site, doors.accept)),
        web.delete(_ONE, told(site, doors.withdraw)),
    ]


class Doors:
    """Handlers."""

    def __init__(self, site: Site, accepting: Accepting) -> None:
        self._site = site
        self._accepting = accepting

    async def all(self, request: web.Request) -> web.StreamResponse:
        """What is accepted."""
        found = await self._accepting.all(self._site.actor(request), request.match_info["tenant"])
        return web.json_response([as_json(one) for one in found.values()])

    async def accept(self, request: web.Request) -> web.StreamResponse:
        """`{"owner", "reason", "until"}`."""
        self._site.require(request)
        body, place = await body_of(request), request.match_info
        owner, why, until = (text(body, name, needed=_FORM) for name in ("owner", "reason", "until"))
        made = await self._accepting.accept(self._site.actor(request), place["tenant"], place["key"], owner, why, until)
        return web.json_response(as_json(made), status=201)

    async def withdraw(self, request: web.Request) -> web.StreamResponse:
        """Accept it no more."""
        self._site.require(request)
        place = request.match_info
        await self._accepting.withdraw(self._site.actor(request), place["tenant"], place["key"])
        return web.json_response(True)


def as_json(one: Accepted) -> dict[str, object]:
    return {
        "id": one.key,
        "project": one.project,
        "owner": one.owner,
        "reason": one.why,
        "account": one.account,
        "since": one.at.isoformat(),
        "until": one.until.isoformat(),
    }
