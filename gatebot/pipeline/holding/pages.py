# SPDX-License-Identifier: Apache-2.0
"""The page of autohold requests: what is asked for, what is held, and a form for those who may.

`?tenant=` says which; without it, the first that there is.
"""

from __future__ import annotations

from aiohttp import web

from ...reasons import reason
from ...site import Site
from .service import Holding, Wish, will_hold


def routes(site: Site, holding: Holding) -> list[web.RouteDef]:
    """All routes."""
    pages = HoldingPages(site, holding)
    return [
        web.get("/autoholds", pages.all),
        web.post("/autoholds", pages.add),
        web.post("/autoholds/{request}/delete", pages.delete),
    ]


class HoldingPages:
    """Handlers."""

    def __init__(self, site: Site, holding: Holding) -> None:
        self._site = site
        self._holding = holding

    async def all(self, request: web.Request) -> web.StreamResponse:
        """All requests of a tenant, newest first."""
        actor, overview = self._site.actor(request), self._holding.overview
        names = overview.names(actor)
        layout = overview.layout(actor, request.query.get("tenant", "") or next(iter(names), ""))
        requests = await self._holding.all(actor, layout.tenant.name)
        return self._site.render(
            request,
            "pipeline/autoholds.html",
            tenant=layout.tenant.name,
            tenants=names,
            requests=requests,
            doubts=await self._holding.doubts(actor, layout.tenant.name, requests),
            projects=sorted(one.name for one in overview.projects(actor, layout)),
            jobs=sorted(layout.jobs),
            may_hold=self._holding.may_hold(actor),
            live="builds",
        )

    async def add(self, request: web.Request) -> web.StreamResponse:
        """The form."""
        self._site.require(request)
        form = {name: str(value).strip() for name, value in (await request.post()).items()}
        hours = form.get("hours", "")
        wish = Wish(
            project=form.get("project", ""),
            job=form.get("job", ""),
            reason=form.get("reason", ""),
            count=int(count) if (count := form.get("count", "1")).isdecimal() and len(count) < 6 else 0,
            change=form.get("change", ""),
            seconds=int(hours) * 3600 if hours.isdecimal() and len(hours) < 5 else None,
        )
        made = await self._holding.add(self._site.actor(request), form.get("tenant", ""), wish)
        told = will_hold(made)
        return self._site.redirect(request, f"/autoholds?tenant={made.tenant}", told)

    async def delete(self, request: web.Request) -> web.StreamResponse:
        """A button."""
        self._site.require(request)
        tenant = str((await request.post()).get("tenant", ""))
        gone = await self._holding.delete(self._site.actor(request), tenant, request.match_info["request"])
        told = reason("pipeline.holds-no-more", job=gone.job, project=gone.project)
        return self._site.redirect(request, f"/autoholds?tenant={gone.tenant}", told)
