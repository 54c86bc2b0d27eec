# SPDX-License-Identifier: Apache-2.0
"""Zuul's calls for autohold requests, as `zuul-client autohold ...` makes them; and the forms of the page.

A request that is over holds no further build and stays in the list until it is deleted, because it may hold nodes.
"""

from __future__ import annotations

from collections.abc import Sequence

from aiohttp import web

from ... import words
from ...site import Site
from ..autohold import Autohold
from ..operating.rest import body_of, text
from ..tenants.rest import told
from .service import Holding, Wish

_PROJECT = "/api/tenant/{tenant}/project/{project:.+}/autohold"
_ALL = "/api/tenant/{tenant}/autohold"


def routes(site: Site, holding: Holding) -> list[web.RouteDef]:
    """All routes; before those that take any project's name."""
    doors = Doors(site, holding)
    return [
        web.get(_PROJECT, told(site, doors.all)),
        web.post(_PROJECT, told(site, doors.add)),
        web.get(_ALL, told(site, doors.all)),
        web.get(f"{_ALL}/{{request}}", told(site, doors.one)),
        web.delete(f"{_ALL}/{{request}}", told(site, doors.delete)),
    ]


class Doors:
    """Handlers."""

    def __init__(self, site: Site, holding: Holding) -> None:
        self._site = site
        self._holding = holding

    async def all(self, request: web.Request) -> web.StreamResponse:
        """The requests of a tenant, or of a project."""
        place = request.match_info
        project = place.get("project") or request.query.get("project", "")
        found = await self._holding.all(self._site.actor(request), place["tenant"], project)
        return web.json_response(await self._told(request, found))

    async def one(self, request: web.Request) -> web.StreamResponse:
        """One request with the nodes that it holds."""
        place = request.match_info
        found = await self._holding.one(self._site.actor(request), place["tenant"], place["request"])
        return web.json_response((await self._told(request, (found,)))[0])

    async def add(self, request: web.Request) -> web.StreamResponse:
        """`{"job", "reason", "count", "change" or "ref", "node_hold_expiration"}`; answers `true`."""
        self._site.require(request)
        body, place = await body_of(request), request.match_info
        wish = Wish(
            project=place["project"],
            job=text(body, "job", needed='{"job": "unit", "reason": "look at it", "count": 1}'),
            reason=text(body, "reason", needed='{"job": "unit", "reason": "look at it", "count": 1}'),
            count=_number(body.get("count", 1)),
            change=text(body, "change"),
            ref=text(body, "ref"),
            seconds=_number(body.get("node_hold_expiration")) or None,
        )
        await self._holding.add(self._site.actor(request), place["tenant"], wish)
        return web.json_response(True)

    async def _told(self, request: web.Request, found: Sequence[Autohold]) -> list[dict[str, object]]:
        """Requests in Zuul's form, with a sentence beside where one may wait for ever."""
        doubts = await self._holding.doubts(self._site.actor(request), request.match_info["tenant"], found)
        said = {job: words.say(why, self._site.language(request)) for job, why in doubts.items()}
        return [as_json(one) | {"sentence": said.get(one.job, "")} for one in found]

    async def delete(self, request: web.Request) -> web.StreamResponse:
        """Give a request up."""
        self._site.require(request)
        place = request.match_info
        await self._holding.delete(self._site.actor(request), place["tenant"], place["request"])
        return web.Response(status=204)


def _number(given: object) -> int:
    told = str(given) if isinstance(given, int | str) and not isinstance(given, bool) else ""
    return int(told) if told.isdecimal() and len(told) < 10 else 0


def as_json(one: Autohold) -> dict[str, object]:
    """A request in Zuul's form."""
    return {
        "id": str(one.id),
        "tenant": one.tenant,
        "project": one.project,
        "job": one.job,
        "ref_filter": one.ref_filter,
        "max_count": one.count,
        "current_count": one.used,
        "reason": one.reason,
        "node_expiration": one.seconds,
        "expired": None,
        "nodes": [{"build": each.build, "nodes": [each.node]} for each in one.builds],
    }
