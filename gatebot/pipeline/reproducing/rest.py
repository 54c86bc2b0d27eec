# SPDX-License-Identifier: Apache-2.0
"""`/api/build/UUID/assignment`, `/api/change/N/assignment`, `/api/change/N/jobs`, and git for what they name.

What builds consist of, for those who run them on machines of their own. Only looks. The git address of a build gives
the very commits that it has of a repository, and nothing else: branches are where projects are served.
"""

from __future__ import annotations

import msgspec
from aiohttp import web

from ...errors import Invalid, NotFound, NotPermitted, Unauthenticated
from ...git_door import UPLOAD, CommitDoor
from ...reasons import reason
from ...site import Site
from ..rest import number
from .service import Reproducing

_BUILD = "/api/build/{build:[0-9a-f]{32}}"
_CHANGE = r"/api/change/{number:\d{1,9}}"


def routes(site: Site, reproducing: Reproducing, git: CommitDoor) -> list[web.RouteDef]:
    """All routes."""

    async def of_build(request: web.Request) -> web.StreamResponse:
        return _json(await reproducing.of_build(site.actor(request), request.match_info["build"]))

    async def of_change(request: web.Request) -> web.StreamResponse:
        job = request.query.get("job", "")
        if not job:
            raise Invalid(reason=reason("pipeline.which-job", change=int(request.match_info["number"])))
        pipeline, tenant, patch_set = _asked(request)
        asked = int(request.match_info["number"])
        return _json(await reproducing.of_change(site.actor(request), asked, job, pipeline, tenant, patch_set))

    async def jobs(request: web.Request) -> web.StreamResponse:
        return _json(await reproducing.jobs(site.actor(request), int(request.match_info["number"]), *_asked(request)))

    async def allowed(request: web.Request) -> tuple[str, frozenset[str]]:
        at, actor = request.match_info, site.actor(request)
        try:
            return await reproducing.commits(actor, at["build"], at["project"].removesuffix(".git"))
        except (NotFound, NotPermitted):
            if actor.account is None:  # git says who asks only when it is asked
                raise Unauthenticated(reason=reason("review.push-sign-in")) from None
            raise

    async def advertise(request: web.Request) -> web.StreamResponse:
        store, _ = await allowed(request)
        return await git.advertise(request, store, public=False)

    async def upload(request: web.Request) -> web.StreamResponse:
        store, commits = await allowed(request)
        return await git.upload(request, store, commits, public=False)

    return [
        web.get(f"{_BUILD}/assignment", of_build),
        web.get(f"{_CHANGE}/assignment", of_change),
        web.get(f"{_CHANGE}/jobs", jobs),
        web.get(f"{_BUILD}/git/{{project:.+}}/info/refs", advertise),
        web.post(f"{_BUILD}/git/{{project:.+}}/{UPLOAD}", upload),
    ]


def _asked(request: web.Request) -> tuple[str, str, int | None]:
    """Pipeline, tenant and patch set; what is not said is left to the site."""
    query = request.query
    return query.get("pipeline", ""), query.get("tenant", ""), number(request, "patch_set", 0) or None


def _json(value: object) -> web.Response:
    return web.Response(body=msgspec.json.encode(value), content_type="application/json")
