# SPDX-License-Identifier: Apache-2.0
"""Pages of what a tenant consists of: jobs, what would run and why, errors, semaphores, buildsets.

`?tenant=` says which; without it, the first that there is. Everything on them is in `/api/tenant/NAME/` too.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from aiohttp import web

from ...access import SITE, Actor, Verb, may
from ...errors import NotFound
from ...reasons import reason
from ...site import Site
from .. import history
from ..accepting import store as accepted_errors
from ..accepting.model import key_of, stops
from ..config.layout import Layout
from ..pages import Pages, Parts
from ..rest import number
from . import builds_json, catalogue
from .service import Overview

_PAGE = 50


def routes(site: Site, parts: Parts, overview: Overview) -> list[web.RouteDef]:
    """All routes."""
    pages = TenantPages(site, parts, overview)
    return [
        web.get("/jobs", pages.jobs),
        web.get("/job/{job}", pages.job),
        web.get("/freeze", pages.freeze),
        web.get("/config-errors", pages.errors),
        web.get("/semaphores", pages.semaphores),
        web.get("/buildsets", pages.buildsets),
    ]


class TenantPages:
    """Handlers; each is one page."""

    def __init__(self, site: Site, parts: Parts, overview: Overview) -> None:
        self._site = site
        self._parts = parts
        self._overview = overview
        self._pages = Pages(site, parts)

    async def jobs(self, request: web.Request) -> web.StreamResponse:
        """All jobs, or those that fit some words."""
        layout, words = self._layout(request), request.query.get("q", "").strip()
        return self._render(request, "jobs", layout, words=words, jobs=catalogue.entries(layout, words), live="jobs")

    async def job(self, request: web.Request) -> web.StreamResponse:
        """One job: its definitions, who inherits from it, who runs it, how its builds ended."""
        layout, name = self._layout(request), request.match_info["job"]
        definitions = catalogue.definitions(layout, name)
        if not definitions:
            raise NotFound(reason=reason("pipeline.no-such-job", job=name, tenant=layout.tenant.name))
        seen = {one.name for one in self._overview.projects(self._site.actor(request), layout)}
        rows = await self._parts.db.read(history.find_builds, tenant=layout.tenant.name, job=name, limit=8)
        return self._render(
            request,
            "job",
            layout,
            name=name,
            definitions=definitions,
            children=catalogue.children(layout, name),
            uses=[use for use in catalogue.uses(layout, name) if use.project in seen],
            rows=await self._pages.seen(request, rows),
            live="builds",
        )

    async def freeze(self, request: web.Request) -> web.StreamResponse:
        """What a change of some files would run in a pipeline, and why."""
        layout, actor, ask = self._layout(request), self._site.actor(request), request.query
        asked = {name: ask.get(name, "").strip() for name in ("project", "pipeline", "branch")}
        files = ask.get("files", "").split()
        graph = None
        if asked["project"] and asked["pipeline"]:
            asked["branch"] = asked["branch"] or layout.default_branch(asked["project"]) or ""
            graph = await self._overview.freeze(actor, layout.tenant.name, *_place(asked), files=files or None)
        projects = sorted(one.name for one in self._overview.projects(actor, layout))
        return self._render(request, "freeze", layout, asked=asked, files=files, graph=graph, projects=projects)

    async def errors(self, request: web.Request) -> web.StreamResponse:
        """What is wrong in the configuration."""
        layout = self._layout(request)
        project = request.query.get("project", "").strip()
        found = await self._overview.errors(self._site.actor(request), layout.tenant.name)
        accepted = await self._parts.db.read(accepted_errors.every, layout.tenant.name)
        return self._render(
            request,
            "config_errors",
            layout,
            errors=[error for error in found if not project or error.at.project == project],
            project=project,
            key_of=key_of,
            accepted=accepted,
            stops=stops,
            now=self._parts.clock.now(),
            may_accept=may(self._site.actor(request), Verb.ADMINISTRATE_SERVER, SITE, self._overview.rules),
            live="jobs",
        )

    async def semaphores(self, request: web.Request) -> web.StreamResponse:
        """The semaphores: who holds each, who waits."""
        layout = self._layout(request)
        found = self._overview.semaphores(self._site.actor(request), layout.tenant.name)
        numbers = {number for one in found for holder in (*one.holders, *one.waiting) for number in holder.changes}
        hidden = await self._parts.sight.hidden(self._site.actor(request), numbers)
        return self._render(request, "semaphores", layout, semaphores=found, hidden=hidden, live="queue")

    async def buildsets(self, request: web.Request) -> web.StreamResponse:
        """The attempts of items, newest first."""
        layout, ask = self._layout(request), request.query
        asked = {name: ask.get(name, "").strip() for name in ("project", "pipeline", "change")}
        start = number(request, "start", 0)
        rows = await self._parts.db.read(
            history.find_buildsets,
            tenant=layout.tenant.name,
            project=asked["project"],
            pipeline=asked["pipeline"],
            change=int(asked["change"]) if asked["change"].isdecimal() and len(asked["change"]) < 10 else None,
            limit=_PAGE + 1,
            skip=start,
        )
        url = request.rel_url
        shown = await self._pages.seen(request, rows[:_PAGE])
        return self._render(
            request,
            "buildsets",
            layout,
            rows=[(row, builds_json.result(row)) for row in shown],
            asked=asked,
            newer=str(url.update_query(start=max(0, start - _PAGE))) if start else "",
            older=str(url.update_query(start=start + _PAGE)) if len(rows) > _PAGE else "",
            live="queue",
        )

    # -- parts ------------------------------------------------------------------------------------------

    def _layout(self, request: web.Request) -> Layout:
        actor = self._site.actor(request)
        asked = request.query.get("tenant", "") or self._first(actor)
        return self._overview.layout(actor, asked)

    def _first(self, actor: Actor) -> str:
        return next(iter(self._overview.names(actor)), "")

    def _render(self, request: web.Request, page: str, layout: Layout, **context: Any) -> web.Response:
        names = self._overview.names(self._site.actor(request))
        more: dict[str, Any] = {"tenant": layout.tenant.name, "tenants": names, "pipelines": list(layout.pipelines)}
        return self._site.render(request, f"pipeline/{page}.html", **more, **context)


def _place(asked: Mapping[str, str]) -> tuple[str, str, str]:
    return asked["pipeline"], asked["project"], asked["branch"]
