# SPDX-License-Identifier: Apache-2.0
"""Removing lines, by a form on the page of the lines and by REST; for administrators.

What is decided here is only who may; the minutes that a line was part of are written anew.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from urllib.parse import quote

from aiohttp import web

from ...access_rules import SITE, Verb
from ...asking import Actor
from ...clock import Clock
from ...db import Database
from ...errors import Invalid, NotFound
from ...lacking import lacking
from ...reasons import reason
from ...site import Site
from .. import names
from . import store

_LINES = re.compile(r"(\d{1,15})(?:-(\d{1,15}))?", re.ASCII)
_WHY = 200


@dataclass(frozen=True, slots=True)
class RemovalPages:
    """Handlers; `may_remove` says who may, `write_minutes` writes the files of a meeting anew."""

    site: Site
    db: Database
    clock: Clock
    may_remove: Callable[[Actor], bool]
    write_minutes: Callable[[int], Awaitable[None]]

    def routes(self) -> list[web.RouteDef]:
        """All routes."""
        return [
            web.post("/irclogs/{channel}/remove", self._form),
            web.delete("/api/irclogs/{channel}/lines/{lines}", self._delete),
        ]

    async def _form(self, request: web.Request) -> web.StreamResponse:
        given = await request.post()
        lines = str(given.get("lines", ""))
        removed = await self._remove(request, lines, str(given.get("why", "")))
        told = reason("meetbot.lines-removed", count=removed.lines)
        back = str(given.get("back", ""))
        path = f"/irclogs/{quote(request.match_info['channel'], safe='')}/"
        return self.site.redirect(request, back if back.startswith(path) else path, told)

    async def _delete(self, request: web.Request) -> web.StreamResponse:
        removed = await self._remove(request, request.match_info["lines"], request.query.get("why", ""))
        return web.json_response({"removed": removed.lines, "meetings": list(removed.meetings)})

    async def _remove(self, request: web.Request, lines: str, why: str) -> store.Removed:
        self.site.require(request)
        if not self.may_remove(self.site.actor(request)):
            raise lacking(Verb.ADMINISTRATE_SERVER, SITE)
        found = _LINES.fullmatch(lines)
        first, last = (int(found[1]), int(found[2] or found[1])) if found else (0, -1)
        if not 0 <= last - first < store.MOST:
            raise Invalid(reason=reason("meetbot.bad-lines", most=store.MOST))
        channel = names.folded(request.match_info["channel"])
        text = " ".join(why.split())[:_WHY]
        removed = await self.db.run(store.remove, channel, first, last, text, self.clock.now())
        if not removed.lines:
            raise NotFound(reason=reason("meetbot.no-such-lines", channel=channel))
        for meeting in removed.meetings:
            await self.write_minutes(meeting)
        return removed
