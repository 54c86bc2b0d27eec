# SPDX-License-Identifier: Apache-2.0
"""Gerrit's REST calls on the dashboards of a project.

Thin: `service.py` finds them. They are made by a push to `refs/meta/dashboards/NAME`, or by a review of one.
"""

from __future__ import annotations

from collections.abc import Iterable

from aiohttp import web

from ...assignment import Json
from ...errors import Invalid, NotFound
from ..answers import Handler, body_of, json_answer
from ..drafts import Object, text_of
from ..model import Project
from ..permission import require_account
from ..shaper import Calls, Shaper
from .model import DEFAULT, Board
from .service import Boards


class RestBoards(Calls):
    """`/projects/{project}/dashboards`."""

    def __init__(self, shaper: Shaper, boards: Boards) -> None:
        super().__init__(shaper)
        self._boards = boards

    def table(self) -> Iterable[tuple[str, str, Handler]]:
        """Method, path, handler."""
        several = "/projects/{project}/dashboards"
        one = f"{several}/{{dashboard}}"
        return (
            ("GET", several, self._list),
            ("GET", one, self._one),
            ("PUT", one, self._set_default),
            ("DELETE", one, self._set_default),
        )

    async def _list(self, request: web.Request) -> web.StreamResponse:
        """A list; with `inherited` a list of lists, one for each project that has some."""
        project, inherited = await self._project(request), "inherited" in request.query
        found = await self._boards.listed(self._asker.actor(request), project.name, inherited=inherited)
        told: list[list[Json]] = [[self._info(one) for one in several] for several in found]
        return json_answer(request, [several for several in told if several] if inherited else told[0])

    async def _one(self, request: web.Request) -> web.StreamResponse:
        project, id = await self._project(request), request.match_info["dashboard"]
        actor = self._asker.actor(request)
        if id == DEFAULT:
            found = await self._boards.default(actor, project.name, inherited="inherited" in request.query)
        else:
            found = await self._boards.find(actor, project.name, id)
        return json_answer(request, self._info(found))

    async def _set_default(self, request: web.Request) -> web.StreamResponse:
        """`{"id": ...}` is the default from now on; an empty id, and DELETE: none is."""
        actor = self._asker.actor(request)
        require_account(actor)
        project = await self._project(request)
        if request.match_info["dashboard"] != DEFAULT:
            raise web.HTTPMethodNotAllowed(request.method, ["GET"], text=_ONLY_DEFAULT)
        body: Object = await body_of(request) if request.method == "PUT" else {}
        id, message = text_of(body.get("id"), "id").strip(), text_of(body.get("commit_message"), "commit_message")
        if not id:
            await self._boards.set_default(actor, project.name, None, message)
            return web.Response(status=204)
        try:
            found = await self._boards.find(actor, project.name, id)
        except NotFound as error:
            raise Invalid(reason=error.reason) from None
        await self._boards.set_default(actor, project.name, found.name, message)
        return json_answer(request, self._info(found))

    def _info(self, one: Board) -> dict[str, Json]:
        """Gerrit's DashboardInfo."""
        info: dict[str, Json] = {
            "id": one.name.id, "project": one.project, "defining_project": one.defined_in, "ref": one.name.ref,
            "path": one.name.path, "description": one.description, "foreach": one.each, "url": one.address,
            "title": one.said(one.title) or one.name.path,
            "sections": [{"name": name, "query": query} for name, query in one.lists],
        }  # fmt: skip
        told = {name: value for name, value in info.items() if value != ""}
        own = one.defined_in == one.project
        return {**told, "is_default": True} if self._boards.default_of(one.defined_in, own=own) == one.name else told

    async def _project(self, request: web.Request) -> Project:
        name = request.match_info["project"].removesuffix(".git")
        return await self._room.reading.project(self._asker.actor(request), name)


_ONLY_DEFAULT = (
    "Only the default dashboard is set by this call: PUT or DELETE dashboards/default. The others are files: push to "
    "refs/meta/dashboards/NAME."
)
