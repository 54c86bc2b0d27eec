# SPDX-License-Identifier: Apache-2.0
"""`/api/tenant/NAME/try/CHANGE`: the graphs that a change of configuration alters, before it is merged.

Our addition to Zuul's interface; `?patch_set=` asks for another than the newest. Refusals have the form of its others.
Only looks.
"""

from __future__ import annotations

from aiohttp import web

from ... import words
from ...site import Site
from ..config.trial import difference_json
from ..rest import number
from ..tenants.rest import told
from .service import Trials


def routes(site: Site, trials: Trials) -> list[web.RouteDef]:
    """The one route."""

    async def tried(request: web.Request) -> web.StreamResponse:
        asked = request.match_info
        found = await trials.of(
            site.actor(request), int(asked["number"]), asked["tenant"], number(request, "patch_set", 0) or None
        )
        language = site.language(request)
        return web.json_response(
            [difference_json(one, lambda why: words.say(why, language)) for one in found.differences]
        )

    return [web.get("/api/tenant/{tenant}/try/{number:\\d{1,9}}", told(site, tried))]
