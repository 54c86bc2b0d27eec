# SPDX-License-Identifier: Apache-2.0
"""The page of a project's dashboard, at Gerrit's address: `/p/PROJECT/+/dashboard/REF:PATH`, or `.../default`.

Its lists are filled for the reader, as those of `/dashboard/` are.
"""

from __future__ import annotations

from aiohttp import web

from ...site import Site
from ..dashboards.model import Dashboard, Section
from ..dashboards.service import Dashboards
from ..reading import Reading
from .model import DEFAULT, Board
from .service import Boards


def routes(site: Site, reading: Reading, boards: Boards, dashboards: Dashboards) -> list[web.RouteDef]:
    """One route."""

    async def page(request: web.Request) -> web.StreamResponse:
        """The dashboard's lists."""
        actor, id = site.actor(request), request.match_info["name"].strip("/")
        project = await reading.project(actor, request.match_info["project"])
        if id == DEFAULT:
            found = await boards.default(actor, project.name, inherited=True)
        else:
            found = await boards.find(actor, project.name, id)
        wanted = lists_of(found)
        lists = await dashboards.fill(actor, wanted, None)
        return site.render(
            request, "review/dashboard.html", dashboard=wanted, lists=lists, of=project.name,
            about=found.said(found.description), live="changes,queue",
        )  # fmt: skip

    return [web.get("/p/{project:.+}/+/dashboard/{name:.*}", page)]


def lists_of(board: Board) -> Dashboard:
    """A project's dashboard as one of lists."""
    each = board.said(board.each)
    lists = tuple(Section(name, f"{board.said(query)} {each}".strip()) for name, query in board.lists)
    return Dashboard(board.said(board.title) or board.name.path, lists)
