# SPDX-License-Identifier: Apache-2.0
"""git for builds that run elsewhere: read-only, and only what the build is made of.

A build may fetch from the stores of its checkouts and from their projects: the commits that it was given, public
branches and tags. How git is served is in the hall's `git_door.py`; here is who may fetch what.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass

from aiohttp import hdrs, web

from ...errors import NotFound, Unauthenticated
from ...git_door import UPLOAD, CommitDoor
from ...reasons import reason
from .doors import MACHINES
from .service import Enrolment


@dataclass(slots=True)
class GitDoor:
    """The requests of builds."""

    enrolment: Enrolment
    commits: CommitDoor

    def routes(self) -> list[web.RouteDef]:
        """Both requests of a fetch."""
        return [
            web.get(f"{MACHINES}git/{{store:.+}}/info/refs", self._advertise),
            web.post(f"{MACHINES}git/{{store:.+}}/{UPLOAD}", self._upload),
        ]

    async def _advertise(self, request: web.Request) -> web.StreamResponse:
        store, _ = await self._allowed(request)
        return await self.commits.advertise(request, store, public=True)

    async def _upload(self, request: web.Request) -> web.StreamResponse:
        store, commits = await self._allowed(request)
        return await self.commits.upload(request, store, commits, public=True)

    async def _allowed(self, request: web.Request) -> tuple[str, frozenset[str]]:
        """The store that the address names, if the build is made of it, and the commits that it was given there."""
        claim = await self.enrolment.speaking(_password(request))
        store = request.match_info["store"].removesuffix(".git")
        if store not in {name for one in claim.checkouts for name in (one.store, one.project)}:
            raise NotFound(reason=reason("executor.store-not-of-build", store=store[:200], build=claim.build))
        return store, frozenset(one.commit for one in claim.checkouts if store in (one.store, one.project))


def _password(request: web.Request) -> str:
    """The pass of a build, as git sends it."""
    scheme, _, rest = request.headers.get(hdrs.AUTHORIZATION, "").partition(" ")
    try:
        told = base64.b64decode(rest, validate=True).decode() if scheme.lower() == "basic" else ""
    except ValueError:
        told = ""
    if not told:
        raise Unauthenticated(reason=reason("executor.pass-wrong"))
    return told.partition(":")[2]
