# SPDX-License-Identifier: Apache-2.0
"""Gerrit's REST calls on what an account keeps for itself: preferences, stars, watched projects.

Thin; the values of preferences are decided in `preferences.py`.
"""

from __future__ import annotations

from collections.abc import Iterable

from aiohttp import web

from ...assignment import Json
from ...errors import Invalid
from ...reasons import reason
from ..answers import body_of, everywhere, json_answer, list_of
from ..drafts import Object, flag, text_of
from ..query import parse
from ..shaper import Shaper, infos
from .preferences import shown
from .service import NOTIFY, People
from .store import Watch
from .whose import Asked

_MOST = 100


class RestOwn:
    """`/accounts/{account}/preferences`, `starred.changes`, `watched.projects`."""

    def __init__(self, shaper: Shaper, people: People) -> None:
        self._asked = Asked(shaper)
        self._shaper = shaper
        self._people = people

    def routes(self) -> Iterable[web.RouteDef]:
        """What is served."""
        one = "/accounts/{account}"
        table = (
            *(("GET", f"{one}/preferences{end}", self._preferences) for end in ("", ".diff", ".edit")),
            *(("PUT", f"{one}/preferences{end}", self._prefer) for end in ("", ".diff", ".edit")),
            ("GET", f"{one}/starred.changes", self._starred),
            ("PUT", f"{one}/starred.changes/{{id}}", self._star),
            ("DELETE", f"{one}/starred.changes/{{id}}", self._star),
            ("GET", f"{one}/watched.projects", self._watches),
            ("POST", f"{one}/watched.projects", self._watch),
            ("POST", f"{one}/watched.projects:delete", self._unwatch),
        )
        return [route for method, path, handler in table for route in everywhere(method, path, handler)]

    async def _preferences(self, request: web.Request) -> web.StreamResponse:
        account, kind = await self._asked.own(request), _kind(request)
        return json_answer(request, shown(kind, await self._people.preferences(account.id, kind)))

    async def _prefer(self, request: web.Request) -> web.StreamResponse:
        account, kind = await self._asked.own(request), _kind(request)
        return json_answer(request, shown(kind, await self._people.prefer(account.id, kind, await body_of(request))))

    async def _starred(self, request: web.Request) -> web.StreamResponse:
        account = await self._asked.own(request)
        reading = self._shaper.room.reading
        views, more = await reading.search(self._shaper.asker.actor(request), f"starredby:{account.id}")
        return json_answer(request, await infos(self._shaper, request, views, frozenset(), more=more))

    async def _star(self, request: web.Request) -> web.StreamResponse:
        account, change = await self._asked.own(request), await self._shaper.change(request)
        await self._people.star(account.id, change.number, wanted=request.method == "PUT")
        return web.Response(status=204)

    async def _watches(self, request: web.Request) -> web.StreamResponse:
        account = await self._asked.own(request)
        return json_answer(request, [_watch_info(one) for one in await self._people.watches(account.id)])

    async def _watch(self, request: web.Request) -> web.StreamResponse:
        account = await self._asked.own(request)
        wanted = [await self._watch_from(request, one) for one in await list_of(request)]
        kept = await self._people.watch(account.id, wanted[:_MOST])
        return json_answer(request, [_watch_info(one) for one in kept])

    async def _unwatch(self, request: web.Request) -> web.StreamResponse:
        account = await self._asked.own(request)
        unwanted = [_named(one) for one in await list_of(request)]
        await self._people.unwatch(account.id, unwanted)
        return web.Response(status=204)

    async def _watch_from(self, request: web.Request, said: Object) -> Watch:
        watch = _named(said)
        await self._shaper.room.reading.project(self._shaper.asker.actor(request), watch.project)
        parse(watch.filter)
        kinds = tuple(name for name in NOTIFY if flag(said.get(name), name) is True)
        return Watch(watch.project, watch.filter, kinds)


def _named(said: Object) -> Watch:
    project, narrowed = text_of(said.get("project"), "project"), text_of(said.get("filter"), "filter")
    if not project or len(narrowed) > 500:
        raise Invalid(reason=reason("review.bad-field", field="project", why="it names what is watched"))
    return Watch(project, narrowed)


def _watch_info(watch: Watch) -> dict[str, Json]:
    info: dict[str, Json] = {"project": watch.project}
    if watch.filter:
        info["filter"] = watch.filter
    return info | dict.fromkeys(watch.kinds, True)


def _kind(request: web.Request) -> str:
    path = request.path.rstrip("/")
    return next((kind for kind in ("diff", "edit") if path.endswith(f".{kind}")), "general")
