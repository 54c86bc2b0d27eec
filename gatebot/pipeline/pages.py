# SPDX-License-Identifier: Apache-2.0
"""The pages of the pipeline room: all queues, one change in them, lists of builds.

Live by the topic `queue`. Every filter stands in the address. What a private change is, only those
see who may read it; its place in the queue everybody sees.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from aiohttp import web

from .. import words
from ..access import Actor
from ..change import own_number
from ..clock import Clock
from ..db import Database
from ..errors import NotFound
from ..front import Entry, MakePanel, Panel
from ..reasons import changes_named, reason, veil
from ..site import Site
from . import history
from .config.model import Manager, PipelineConfig
from .operating.service import Operating
from .ports import Sight
from .queue.classic import NOTHING_TO_RUN
from .queue.model import Outcome, Queue
from .rows import BuildRow, BuildsetRow, ItemRow
from .status import ItemView, PipelineView, QueueView, pipelines
from .waiting import Waiting

Row = TypeVar("Row", BuildRow, BuildsetRow, ItemRow)
_PAGE = 50


@dataclass(frozen=True, slots=True)
class Parts:
    """What the pages work with: `queues` and `configured` answer from memory."""

    queues: Callable[[], Iterable[Queue]]
    configured: Callable[[], Sequence[tuple[str, PipelineConfig]]]
    db: Database
    clock: Clock
    sight: Sight
    operating: Operating
    waiting: Waiting


def routes(site: Site, parts: Parts) -> list[web.RouteDef]:
    """All routes of this room's pages."""
    pages = Pages(site, parts)
    return [
        web.get("/status", pages.status),
        web.get(r"/status/change/{number:\d{1,9}}", pages.change),
        web.get("/builds", pages.builds),
        web.get("/buildset/{buildset:[0-9a-f]{32}}", pages.buildset),
    ]


def panel(site: Site, parts: Parts) -> MakePanel:
    """The gates in a box of the home page."""
    pages = Pages(site, parts)

    async def make(request: web.Request) -> Panel:
        gettext, language = site.gettext(request), site.language(request)
        found = [
            Entry(
                _title(item), f"/status/change/{item.changes[0].number}", words.say(item.why, language), item.enqueued
            )
            for pipeline in await pages.pipelines(request)
            if pipeline.manager is Manager.DEPENDENT
            for queue in pipeline.queues
            for item in queue.items
            if item.changes
        ]
        empty = gettext("Nothing is in the gate: approved changes enter by themselves.")
        return Panel(gettext("In the gate"), "/status", tuple(found[:8]), empty)

    return make


def _title(item: ItemView) -> str:
    return " + ".join(f"{own_number(change.number)} {change.subject}" for change in item.changes)


class Pages:
    """Handlers; each is one page."""

    def __init__(self, site: Site, parts: Parts) -> None:
        self._site = site
        self._parts = parts

    async def status(self, request: web.Request) -> web.StreamResponse:
        """All pipelines with what is in them, and who left last."""
        asked = {name: request.query.get(name, "").strip() for name in ("pipeline", "project", "change")}
        found = [
            pipeline
            for pipeline in await self.pipelines(request)
            if not asked["pipeline"] or pipeline.name == asked["pipeline"]
        ]
        found = [_only(pipeline, asked["project"], asked["change"]) for pipeline in found]
        left = await self._parts.db.read(history.find_items, departed=True, limit=_PAGE)
        gone = await self.veiled(request, await self.seen(request, left))
        return self._site.render(
            request,
            "pipeline/status.html",
            busy=[pipeline for pipeline in found if pipeline.size],
            idle=[pipeline for pipeline in found if not pipeline.size],
            departed=[row for row in gone if _fits(row, asked) and row.reason != NOTHING_TO_RUN][:12],
            usual=_usual_wait(left),
            last=next((row for row in gone if row.outcome == Outcome.MERGED.value), None),
            asked=asked,
            restarts=await self._restarts(request),
            live="queue",
        )

    async def change(self, request: web.Request) -> web.StreamResponse:
        """One change: where it is now, and where it was."""
        number = int(request.match_info["number"])
        actor = self._site.actor(request)
        if await self._parts.sight.hidden(actor, (number,)):
            raise NotFound(reason=reason("review.no-such-change", change=number))
        stays = [
            (pipeline, queue, item)
            for pipeline in await self.pipelines(request)
            for queue in pipeline.queues
            for item in queue.items
            if number in (change.number for change in item.changes)
        ]
        rows = await self._parts.db.read(history.find_items, change=number, departed=True, limit=20)
        past = await self.veiled(request, rows)
        return self._site.render(
            request,
            "pipeline/change.html",
            number=number,
            stays=stays,
            past=past,
            hand=await self._parts.operating.by_hand(actor, number),
            restarts=await self._restarts(request),
            live=f"queue,change/{number}",
        )

    async def builds(self, request: web.Request) -> web.StreamResponse:
        """Builds that fit, newest first."""
        asked = {
            name: request.query.get(name, "").strip() for name in ("project", "job", "pipeline", "result", "change")
        }
        start = _number(request.query.get("start", ""))
        number = _number(asked["change"]) or None
        rows = await self._parts.db.read(
            history.find_builds,
            project=asked["project"],
            job=asked["job"],
            pipeline=asked["pipeline"],
            result=asked["result"].upper().replace(" ", "_"),
            change=number,
            limit=_PAGE + 1,
            skip=start,
        )
        url = request.rel_url
        return self._site.render(
            request,
            "pipeline/builds.html",
            rows=await self.seen(request, rows[:_PAGE]),
            asked=asked,
            newer=str(url.update_query(start=max(0, start - _PAGE))) if start else "",
            older=str(url.update_query(start=start + _PAGE)) if len(rows) > _PAGE else "",
            live="builds",
        )

    async def buildset(self, request: web.Request) -> web.StreamResponse:
        """The builds of one attempt of one item."""
        id = request.match_info["buildset"]
        rows = await self.seen(request, await self._parts.db.read(history.find_builds, buildset=id, limit=500))
        if not rows:
            raise NotFound(reason=reason("pipeline.no-such-buildset", buildset=id))
        return self._site.render(request, "pipeline/buildset.html", rows=rows, first=rows[-1], live="builds")

    # -- parts ------------------------------------------------------------------------------------------

    async def pipelines(self, request: web.Request) -> Sequence[PipelineView]:
        """Everything as it is now, as far as the reader may see it."""
        return await self.seen_by(self._site.actor(request))

    async def seen_by(self, actor: Actor) -> Sequence[PipelineView]:
        """The same for somebody who asks in another way."""
        queues, times = tuple(self._parts.queues()), await self._parts.waiting.times()
        found = pipelines(self._parts.configured(), queues, times)
        numbers = {change.number for queue in queues for item in queue.items.values() for change in item.changes}
        shown = [item for one in found for queue in one.queues for item in queue.items]
        told = changes_named(*(why for item in shown for why in (item.why, *(job.why for job in item.jobs))))
        hidden = await self._parts.sight.hidden(actor, numbers | told)
        return [_masked(pipeline, hidden) for pipeline in found] if hidden else found

    async def _restarts(self, request: web.Request) -> dict[str, ItemRow]:
        """The rows of what is in a queue and was restarted, with why."""
        rows = await self._parts.db.read(history.find_items, departed=False, limit=500)
        return {row.item: row for row in await self.veiled(request, [row for row in rows if row.resets])}

    async def veiled(self, request: web.Request, rows: Sequence[ItemRow]) -> list[ItemRow]:
        """The same rows without the numbers of changes that the reader may not see."""
        told = changes_named(*(row.reason for row in rows))
        hidden = await self._parts.sight.hidden(self._site.actor(request), told) if told else frozenset[int]()
        return [replace(row, reason=veil(row.reason, hidden)) if row.reason else row for row in rows]

    async def seen(self, request: web.Request, rows: Sequence[Row]) -> list[Row]:
        """The rows that the reader may see."""
        numbers = {row.change for row in rows if row.change is not None}
        hidden = await self._parts.sight.hidden(self._site.actor(request), numbers)
        return [row for row in rows if row.change not in hidden]


def _masked(pipeline: PipelineView, hidden: frozenset[int]) -> PipelineView:
    """Private changes without what they are; their place stays."""

    def item(view: ItemView) -> ItemView:
        if not any(change.number in hidden for change in view.changes):
            onto = tuple(number for number in view.onto if number not in hidden)
            jobs = tuple(replace(job, why=veil(job.why, hidden) if job.why else None) for job in view.jobs)
            return replace(view, onto=onto, jobs=jobs, why=veil(view.why, hidden))
        return replace(view, changes=(), onto=(), jobs=(), why=reason("pipeline.private"))

    def queue(view: QueueView) -> QueueView:
        return replace(view, items=tuple(item(one) for one in view.items))

    return replace(pipeline, queues=tuple(queue(one) for one in pipeline.queues))


def _only(pipeline: PipelineView, project: str, change: str) -> PipelineView:
    """The items of a project or a change; with a change, the queue that it is in is shown whole."""

    def fits(view: ItemView) -> bool:
        projects = [one.project for one in view.changes] + ([view.ref.project] if view.ref else [])
        return not project or project in projects

    queues = [replace(queue, items=tuple(item for item in queue.items if fits(item))) for queue in pipeline.queues]
    if change:
        queues = [q for q in queues if any(str(one.number) == change for item in q.items for one in item.changes)]
    return replace(pipeline, queues=tuple(queue for queue in queues if queue.items))


def _fits(row: ItemRow, asked: Mapping[str, str]) -> bool:
    said = {"pipeline": row.pipeline, "project": row.project, "change": str(row.change or "")}
    return all(not value or said[name] == value for name, value in asked.items())


def _usual_wait(rows: Iterable[ItemRow]) -> float | None:
    """How long merged changes were in their queue, the median of the last ones."""
    spent = sorted(
        (row.left - row.enqueued).total_seconds()
        for row in rows
        if row.outcome == Outcome.MERGED.value and row.left is not None
    )
    return spent[len(spent) // 2] if spent else None


def _number(text: str) -> int:
    return int(text) if text.isdecimal() and len(text) < 10 else 0
