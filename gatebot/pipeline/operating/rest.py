# SPDX-License-Identifier: Apache-2.0
"""The doors for what people do to queues: Zuul's REST, ours, and the forms of pages.

Zuul's calls answer `true`, as its clients expect; ours say in a sentence what comes of it, and a form shows it on the
page that it came from.
"""

from __future__ import annotations

from typing import cast

from aiohttp import web

from ... import words
from ...assignment import Json
from ...errors import Invalid
from ...reasons import Reason, reason
from ...site import Site
from ..tenants.rest import told
from .service import Asked, Operating

_PROJECT = "/api/tenant/{tenant}/project/{project:.+}"
_OURS = r"/api/change/{number:\d{1,9}}"
_BUILD = "build/{build:[0-9a-f]{32}}"
_FORM = r"/status/change/{number:\d{1,9}}"


def routes(site: Site, operating: Operating) -> list[web.RouteDef]:
    """All routes."""
    doors = Doors(site, operating)
    return [
        web.post(f"{_PROJECT}/enqueue", told(site, doors.enqueue)),
        web.post(f"{_PROJECT}/dequeue", told(site, doors.dequeue)),
        web.post("/api/tenant/{tenant}/promote", told(site, doors.promote)),
        web.post(f"{_OURS}/enqueue", doors.ask),
        web.post(f"{_OURS}/dequeue", doors.ask),
        web.post("/api/promote", doors.ask_promote),
        web.post(f"/api/{_BUILD}/abort", doors.abort),
        web.post(f"/{_BUILD}/abort", doors.abort_form),
        web.post(f"{_FORM}/{{verb:enqueue|dequeue|promote}}", doors.form),
    ]


class Doors:
    """Handlers."""

    def __init__(self, site: Site, operating: Operating) -> None:
        self._site = site
        self._operating = operating

    async def enqueue(self, request: web.Request) -> web.StreamResponse:
        """Zuul's: `{"change": "12,1", "pipeline"}`, or `{"ref", "oldrev", "newrev", "parameters", "pipeline"}`."""
        asked, body, project = await self._zuuls(request)
        parameters = body.get("parameters")
        if not isinstance(parameters, dict | None) or (parameters and "change" in body):
            raise Invalid(reason=reason("pipeline.parameters-of-refs"))
        if change := text(body, "change"):
            await self._operating.enqueue(asked, change, project)
        else:
            old, new = text(body, "oldrev"), text(body, "newrev")
            given = cast("dict[str, Json] | None", parameters)
            await self._operating.enqueue_ref(asked, project, _ref(body), old, new, given)
        return web.json_response(True)

    async def dequeue(self, request: web.Request) -> web.StreamResponse:
        """Zuul's: `{"change", "pipeline"}` or `{"ref", "pipeline"}`."""
        asked, body, project = await self._zuuls(request)
        if change := text(body, "change"):
            await self._operating.dequeue(asked, change, project)
        else:
            await self._operating.dequeue_ref(asked, project, _ref(body))
        return web.json_response(True)

    async def promote(self, request: web.Request) -> web.StreamResponse:
        """Zuul's: `{"pipeline", "changes": ["12,1", ...]}`."""
        asked, body, _ = await self._zuuls(request)
        await self._operating.promote(asked, _changes(body))
        return web.json_response(True)

    async def ask(self, request: web.Request) -> web.StreamResponse:
        """Ours, for a change: `{"pipeline": "gate"}`."""
        self._site.require(request)
        asked = Asked(
            self._site.actor(request), text(await body_of(request), "pipeline", needed='{"pipeline": "gate"}')
        )
        number = request.match_info["number"]
        act = self._operating.enqueue if request.path.endswith("/enqueue") else self._operating.dequeue
        return self._answer(request, await act(asked, number), change=int(number), pipeline=asked.pipeline)

    async def ask_promote(self, request: web.Request) -> web.StreamResponse:
        """Ours: `{"pipeline": "gate", "changes": [12, 11]}`."""
        self._site.require(request)
        body = await body_of(request)
        asked = Asked(self._site.actor(request), text(body, "pipeline", needed='{"pipeline": "gate", "changes": [12]}'))
        changes = _changes(body)
        return self._answer(
            request, await self._operating.promote(asked, changes), changes=changes, pipeline=asked.pipeline
        )

    async def form(self, request: web.Request) -> web.StreamResponse:
        """A button of a page; `back` is the page."""
        self._site.require(request)
        form, number = await request.post(), request.match_info["number"]
        asked = Asked(self._site.actor(request), str(form.get("pipeline", "")))
        match request.match_info["verb"]:
            case "enqueue":
                done = await self._operating.enqueue(asked, number)
            case "dequeue":
                done = await self._operating.dequeue(asked, number)
            case _:
                done = await self._operating.promote(asked, [number])
        return self._site.redirect(request, f"/status/change/{number}", done)

    async def abort(self, request: web.Request) -> web.StreamResponse:
        """Ours: a build that runs is to end."""
        self._site.require(request)
        build = request.match_info["build"]
        return self._answer(request, await self._operating.abort(self._site.actor(request), build), build=build)

    async def abort_form(self, request: web.Request) -> web.StreamResponse:
        """The button of a build's page."""
        self._site.require(request)
        build = request.match_info["build"]
        done = await self._operating.abort(self._site.actor(request), build)
        return self._site.redirect(request, f"/build/{build}", done)

    async def _zuuls(self, request: web.Request) -> tuple[Asked, dict[str, object], str]:
        self._site.require(request)
        body = await body_of(request)
        pipeline = text(body, "pipeline", needed='{"pipeline": "gate", "change": "12,1"}')
        asked = Asked(self._site.actor(request), pipeline, request.match_info["tenant"])
        return asked, body, request.match_info.get("project", "")

    def _answer(self, request: web.Request, done: Reason, **said: object) -> web.StreamResponse:
        sentence = words.say(done, self._site.language(request))
        return web.json_response({**said, "sentence": sentence}, status=202)


async def body_of(request: web.Request) -> dict[str, object]:
    """The JSON object of a request."""
    try:
        body: object = await request.json()
        str(body).encode()  # half characters can be written in JSON, but not be kept
    except (ValueError, RecursionError):
        body = None
    return cast("dict[str, object]", body) if isinstance(body, dict) else {}


def text(body: dict[str, object], name: str, needed: str = "") -> str:
    """A text of the body; `needed` is an example of a body that has it."""
    found = body.get(name)
    if isinstance(found, int) and not isinstance(found, bool):
        found = str(found)
    if needed and not (isinstance(found, str) and found):
        raise Invalid(f"Name the {name} in the body, for example {needed}.")
    return found if isinstance(found, str) else ""


def _ref(body: dict[str, object]) -> str:
    return text(body, "ref", needed='{"pipeline": "post", "ref": "refs/heads/main"}')


def _changes(body: dict[str, object]) -> list[str]:
    found = body.get("changes")
    if not isinstance(found, list) or not found:
        raise Invalid(reason=reason("pipeline.promote-nothing"))
    return [str(one) for one in cast("list[object]", found)]
