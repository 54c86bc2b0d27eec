# SPDX-License-Identifier: Apache-2.0
"""`/third-party-ci`: how CIs elsewhere stand, for people.

The same is in `/api/third-party-ci`; what a reader may not see counts in neither.
"""

from __future__ import annotations

from aiohttp import web

from ...site import Site
from .service import WINDOW, ThirdPartyCis
from .standing import default_recheck


def routes(site: Site, cis: ThirdPartyCis) -> list[web.RouteDef]:
    """The one page."""

    async def board(request: web.Request) -> web.StreamResponse:
        found = await cis.board(site.actor(request))
        return site.render(
            request,
            "review/third_party.html",
            board=found,
            days=WINDOW.days,
            usual={one.ci.name for one in found.standings if one.ci.recheck == default_recheck(one.ci.name)},
            live="changes",
        )

    return [web.get("/third-party-ci", board)]
