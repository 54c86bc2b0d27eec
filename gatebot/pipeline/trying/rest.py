# SPDX-License-Identifier: Apache-2.0
"""`/api/tenant/NAME/try/CHANGE`: the graphs that a change of configuration alters, before it is merged.

Our addition to Zuul's interface; refusals have the form of its others. Only looks.
"""

from __future__ import annotations

from aiohttp import web

from ... import words
from ...site import Site
from ..config.trial import difference_json
from ..tenants.rest import told
from .service import Trials


def routes(site: Site, trials: Trials) -> list[web.RouteDef]:
    """The one route."""

    async def tried(request: web.Request) -> web.StreamResponse:
        tenant, number = request.match_info["tenant"], int(request.match_info["number"])
        found = await trials.of(site.actor(request), tenant, number)
        language = site.language(request)
        return web.json_response([difference_json(one, lambda why: words.say(why, language)) for one in found])

    return [web.get("/api/tenant/{tenant}/try/{number:\\d{1,9}}", told(site, tried))]
