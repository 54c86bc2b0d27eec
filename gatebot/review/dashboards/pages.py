# SPDX-License-Identifier: Apache-2.0
"""`/dashboard/self`, `/dashboard/NAME`, and dashboards that are an address, as Gerrit's.

Live: a change enters and leaves its lists while the page is open.
"""

from __future__ import annotations

from aiohttp import web

from ...errors import NotFound
from ...reasons import reason
from ...site import Site
from .model import Dashboard
from .sections import of_address, of_person
from .service import Dashboards


def routes(site: Site, dashboards: Dashboards) -> list[web.RouteDef]:
    """The routes."""
    pages = DashboardPages(site, dashboards)
    return [
        web.get("/dashboard", pages.own),
        web.get("/dashboard/", pages.described),
        web.get("/dashboard/{who:[^/]{1,200}}", pages.of),
    ]


class DashboardPages:
    """Handlers."""

    def __init__(self, site: Site, dashboards: Dashboards) -> None:
        self._site = site
        self._dashboards = dashboards

    async def own(self, request: web.Request) -> web.StreamResponse:
        """To the reader's own."""
        raise web.HTTPFound("/dashboard/self")

    async def of(self, request: web.Request) -> web.StreamResponse:
        """Somebody's: `self`, a user name, a number or an address."""
        who = request.match_info["who"]
        if who in ("self", "me"):
            return await self._page(request, of_person("self"), self._site.require(request).id)
        identity = self._site.identity
        found = await identity.by_username(who) or await identity.by_email(who)
        if found is None and who.isascii() and who.isdecimal() and len(who) < 10:
            found = await identity.by_id(int(who))
        if found is None:
            raise NotFound(reason=reason("review.no-such-account", account=who))
        return await self._page(request, of_person(found.username), found.id)

    async def described(self, request: web.Request) -> web.StreamResponse:
        """The lists that the address describes."""
        wanted = of_address(request.query.items())
        if wanted is None:
            raise web.HTTPFound("/dashboard/self")
        return await self._page(request, wanted, None)

    async def _page(self, request: web.Request, wanted: Dashboard, whose: int | None) -> web.StreamResponse:
        lists = await self._dashboards.fill(self._site.actor(request), wanted, whose)
        return self._site.render(
            request, "review/dashboard.html", dashboard=wanted, lists=lists, live="changes,queue"
        )  # fmt: skip
