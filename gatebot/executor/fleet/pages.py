# SPDX-License-Identifier: Apache-2.0
"""The page of executors: this process' own first, then those on other machines, and forms for administrators.

Everybody may look; what an executor runs is shown to each reader as far as he may see it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from aiohttp import web

from ... import __version__
from ...access import Target, Verb, may
from ...reasons import reason
from ...site import Site
from .model import Abilities
from .rest import Allowed, command, lives, visible
from .service import Enrolment


@dataclass(frozen=True, slots=True)
class Here:
    """The executor of this process: its slots, and what it can have nodes of.

    `idle` builds take no slot: they wait for nodes, or have paused.
    """

    used: int
    slots: int
    abilities: Abilities
    idle: int = 0
    version: str = __version__


def routes(
    site: Site, enrolment: Enrolment, allowed: Allowed, here: Callable[[], Sequence[Here]]
) -> list[web.RouteDef]:
    """All routes. `here` tells of the executor of this process, if there is one."""
    pages = ExecutorPages(site, enrolment, allowed, here)
    return [
        web.get("/executors", pages.all),
        web.post("/executors", pages.enrol),
        web.post("/executors/{executor}/revoke", pages.revoke),
    ]


class ExecutorPages:
    """Handlers."""

    def __init__(self, site: Site, enrolment: Enrolment, allowed: Allowed, here: Callable[[], Sequence[Here]]) -> None:
        self._site = site
        self._enrolment = enrolment
        self._allowed = allowed
        self._here = here

    async def all(self, request: web.Request) -> web.StreamResponse:
        """All executors."""
        return await self._page(request)

    async def enrol(self, request: web.Request) -> web.StreamResponse:
        """The form; the line for the other machine is shown once."""
        self._site.require(request)
        name = str((await request.post()).get("name", "")).strip()
        token = await self._enrolment.enrol(self._site.actor(request), name)
        return await self._page(request, made=command(self._site, name, token), status=201)

    async def revoke(self, request: web.Request) -> web.StreamResponse:
        """A button."""
        self._site.require(request)
        name = request.match_info["executor"]
        await self._enrolment.revoke(self._site.actor(request), name)
        return self._site.redirect(request, "/executors", reason("executor.revoked", name=name))

    async def _page(self, request: web.Request, *, made: str = "", status: int = 200) -> web.StreamResponse:
        now = self._enrolment.clock.now()
        rows = [
            (one.executor, lives(one, now), len(one.builds), await visible(request, one, self._allowed))
            for one in await self._enrolment.every()
        ]
        return self._site.render(
            request,
            "executor/executors.html",
            status=status,
            here=self._here(),
            executors=rows,
            made=made,
            on=self._enrolment.on,
            may_enrol=may(self._site.actor(request), Verb.ADMINISTRATE_SERVER, Target(), self._enrolment.rules),
            live="builds",
        )
