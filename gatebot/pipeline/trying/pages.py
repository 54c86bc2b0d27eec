# SPDX-License-Identifier: Apache-2.0
"""`/trial/CHANGE`: what a change of configuration does to the jobs of every project, told job by job.

A page of its own; the page of the change brings in its part `#trial` when somebody opens it. `?tenant=` and
`?patch_set=` say which.
"""

from __future__ import annotations

from aiohttp import web

from ...site import Site
from ..config.trial import by_job
from ..rest import number
from .service import Trials

_JOBS = 200
_PLACES = 60
_ERRORS = 50


def routes(site: Site, trials: Trials) -> list[web.RouteDef]:
    """The one route."""

    async def trial(request: web.Request) -> web.StreamResponse:
        asked, tenant = int(request.match_info["number"]), request.query.get("tenant", "").strip()
        found = await trials.of(site.actor(request), asked, tenant, number(request, "patch_set", 0) or None)
        jobs = by_job(found.differences)
        errors = list(dict.fromkeys(error for one in found.differences for error in one.errors))
        return site.render(
            request,
            "pipeline/trial.html",
            change=found.change,
            tenant=found.tenant,
            tenants=found.tenants,
            graphs=len(found.differences),
            projects=len({one.place.project for one in found.differences}),
            jobs=jobs[:_JOBS],
            more_jobs=max(0, len(jobs) - _JOBS),
            errors=errors[:_ERRORS],
            more_errors=max(0, len(errors) - _ERRORS),
            most_places=_PLACES,
        )

    return [web.get(r"/trial/{number:\d{1,9}}", trial)]
