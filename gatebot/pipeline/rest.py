# SPDX-License-Identifier: Apache-2.0
"""What the pages of the pipelines show, as JSON below `/api/`.

`/api/status`, `/api/status/change/N`, `/api/builds`, `/api/build/UUID`, `/api/buildset/UUID`. Builds have the
names that Zuul's REST gives their fields. Every reason comes as a sentence in the reader's language too.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from aiohttp import web

from .. import words
from ..change import own_number
from ..errors import Invalid, NotFound
from ..reasons import Reason, reason
from ..site import Site
from . import history
from .pages import Pages, Parts
from .rows import BuildRow, ItemRow, given_json
from .status import RUNNING, WAITING, ItemView, JobView, PipelineView

_MOST = 500
_HEX = "[0-9a-f]{32}"


def routes(site: Site, parts: Parts) -> list[web.RouteDef]:
    """All routes."""
    rest = Rest(site, parts)
    return [
        web.get("/api/status", rest.status),
        web.get(r"/api/status/change/{number:\d{1,9}}", rest.change),
        web.get("/api/builds", rest.builds),
        web.get(f"/api/build/{{build:{_HEX}}}", rest.build),
        web.get(f"/api/buildset/{{buildset:{_HEX}}}", rest.buildset),
    ]


class Rest:
    """Handlers; each answers with one JSON object or list."""

    def __init__(self, site: Site, parts: Parts) -> None:
        self._site = site
        self._parts = parts
        self._pages = Pages(site, parts)

    async def status(self, request: web.Request) -> web.StreamResponse:
        """All pipelines with their queues."""
        say = self._site.language(request)
        found = await self._pages.pipelines(request)
        return web.json_response({"pipelines": [_pipeline(pipeline, say) for pipeline in found]})

    async def change(self, request: web.Request) -> web.StreamResponse:
        """Where a change is now, and where it was."""
        number, say = int(request.match_info["number"]), self._site.language(request)
        if await self._parts.sight.hidden(self._site.actor(request), (number,)):
            raise NotFound(reason=reason("review.no-such-change", change=number))
        items = [
            {"pipeline": pipeline.name, "queue": queue.name, **_item(item, say)}
            for pipeline in await self._pages.pipelines(request)
            for queue in pipeline.queues
            for item in queue.items
            if number in (change.number for change in item.changes)
        ]
        rows = await self._parts.db.read(history.find_items, change=number, departed=True, limit=20)
        past = await self._pages.veiled(request, rows)
        return web.json_response({"change": number, "items": items, "past": [_stay(row, say) for row in past]})

    async def builds(self, request: web.Request) -> web.StreamResponse:
        """Builds that fit the query, newest first; the names of the parameters are Zuul's."""
        ask = request.query
        limit, skip = number(request, "limit", 50), number(request, "skip", 0)
        if limit > _MOST:
            raise Invalid(f"limit: ask for at most {_MOST} builds at once.")
        change = number(request, "change", 0) or None
        rows = await self._parts.db.read(
            history.find_builds,
            project=ask.get("project", ""),
            job=ask.get("job_name", ""),
            pipeline=ask.get("pipeline", ""),
            result=ask.get("result", ""),
            change=change,
            limit=limit,
            skip=skip,
        )
        return web.json_response(await self._told(request, await self._pages.seen(request, rows)))

    async def build(self, request: web.Request) -> web.StreamResponse:
        """One build."""
        uuid = request.match_info["build"]
        row = await self._parts.db.read(history.build, uuid)
        if row is None or not await self._pages.seen(request, [row]):
            raise NotFound(reason=reason("executor.no-such-build", build=uuid))
        return web.json_response((await self._told(request, [row]))[0])

    async def buildset(self, request: web.Request) -> web.StreamResponse:
        """The builds of one attempt of one item."""
        uuid = request.match_info["buildset"]
        rows = await self._pages.seen(
            request, await self._parts.db.read(history.find_builds, buildset=uuid, limit=_MOST)
        )
        if not rows:
            raise NotFound(reason=reason("pipeline.no-such-buildset", buildset=uuid))
        return web.json_response({"uuid": uuid, "builds": await self._told(request, rows)})

    async def _told(self, request: web.Request, rows: Sequence[BuildRow]) -> list[dict[str, object]]:
        """Builds, with what they wait for."""
        waits, say = await self._parts.waiting.reasons(rows), self._site.language(request)
        return [_build(row, waits.get(row.build), say) for row in rows]


def number(request: web.Request, name: str, usual: int) -> int:
    """A whole number of the query."""
    text = request.query.get(name, "")
    if text and not (text.isdecimal() and len(text) < 10):
        raise Invalid(f"{name}: write a whole number from 0 to 999999999.")
    return int(text) if text else usual


def _pipeline(pipeline: PipelineView, language: str) -> dict[str, object]:
    queues = [
        {
            "id": queue.id,
            "name": queue.name,
            "window": queue.window,
            "items": [_item(item, language) for item in queue.items],
        }
        for queue in pipeline.queues
    ]
    return {
        "tenant": pipeline.tenant,
        "name": pipeline.name,
        "description": pipeline.description,
        "manager": pipeline.manager.value,
        "queues": queues,
    }


def _item(item: ItemView, language: str) -> dict[str, object]:
    changes = [
        {"number": one.number, "patch_set": one.patch_set, "project": one.project, "branch": one.branch, "url": one.url}
        for one in item.changes
    ]
    ref = {"project": item.ref.project, "branch": item.ref.branch} if item.ref is not None else None
    title = ", ".join(f"{own_number(one.number)},{one.patch_set} {one.subject}" for one in item.changes)
    return {
        "id": item.id,
        "title": title or (f"{item.ref.project} {item.ref.branch}" if item.ref else ""),
        "changes": changes,
        "ref": ref,
        "position": item.position,
        "state": item.state,
        "sentence": words.say(item.why, language),
        "tested_on_top_of": list(item.onto),
        "restarts": item.restarts,
        "enqueued": _time(item.enqueued),
        "seconds_left": item.left,
        "jobs": [_job(job, language) for job in item.jobs],
    }


def _job(job: JobView, language: str) -> dict[str, object]:
    return {
        "name": job.name,
        "state": job.state,
        "voting": job.voting,
        "build": job.build,
        "sentence": _sentence(job.why, language),
        "elapsed": job.elapsed,
        "seconds_left": job.left,
        "tries": job.tries,
        "error_line": job.error_line,
    }


def _stay(row: ItemRow, language: str) -> dict[str, object]:
    return {
        "id": row.item,
        "pipeline": row.pipeline,
        "queue": row.queue,
        "patch_set": row.patch_set,
        "outcome": row.outcome,
        "reason": row.reason.kind if row.reason is not None else None,
        "sentence": _sentence(row.reason, language),
        "enqueued": _time(row.enqueued),
        "left": _time(row.left),
        "restarts": row.resets,
    }


def _build(row: BuildRow, waits: Reason | None, language: str) -> dict[str, object]:
    seconds = (row.ended - row.started).total_seconds() if row.ended and row.started else None
    return {
        "uuid": row.build,
        "buildset": row.buildset,
        "job_name": row.job,
        "result": row.result or None,
        "state": row.result or (WAITING if row.waits else RUNNING),
        "waits_for": _sentence(waits, language) or None,
        "tenant": row.tenant,
        "pipeline": row.pipeline,
        "project": row.project,
        "branch": row.branch,
        "change": row.change,
        "patchset": row.patch_set,
        "ref": {"project": row.project, "branch": row.branch, "change": row.change, "patchset": row.patch_set},
        "voting": row.voting,
        "held": False,
        "final": row.final,
        "attempt": row.attempt,
        "nodeset": row.node,
        "nodes": [given_json(node) for node in row.nodes],
        "created": _time(row.created),
        "start_time": _time(row.started),
        "end_time": _time(row.ended),
        "duration": seconds,
        "error_detail": _sentence(row.reason, language) or None,
        "error_line": row.error_line,
        "error_text": row.error_text,
        "log_url": f"/logs/{row.build}/",
        "artifacts": [{"name": name, "url": url} for name, url in row.artifacts],
    }


def _sentence(why: Reason | None, language: str) -> str:
    return words.say(why, language) if why is not None else ""


def _time(at: datetime | None) -> str | None:
    return at.isoformat(timespec="milliseconds") if at is not None else None
