# SPDX-License-Identifier: Apache-2.0
"""Gerrit's REST calls on what runs on the server and what it remembers, and on the stores of projects.

For those who hold the capabilities: what runs names what other people do.
"""

from __future__ import annotations

import asyncio
import base64
import logging
from collections.abc import AsyncIterator, Iterable

from aiohttp import web

from ...access import SITE, Target, Verb, may
from ...assignment import Json
from ...errors import Conflict, GatebotError, Invalid, NotFound, Unprocessable
from ...lacking import lacking
from ...reasons import reason
from ..answers import Handler, body_of, json_answer, text_answer
from ..drafts import bad, flag, text_of, texts
from ..gerrit_labels import timestamp
from ..permission import require, require_account
from ..shaper import Calls, Shaper
from .banning import MOST_COMMITS, Banning
from .caches import Cache, Caches
from .collecting import Collecting
from .tasks import Task, Tasks

log = logging.getLogger(__name__)


class RestOperating(Calls):
    """`/config/server/caches`, `/config/server/tasks`, `/projects/{project}/gc`, `statistics.git`, `ban`, `index`."""

    def __init__(self, shaper: Shaper, tasks: Tasks, caches: Caches, collecting: Collecting) -> None:
        super().__init__(shaper)
        self._tasks, self._caches, self._collecting = tasks, caches, collecting
        self._going: set[asyncio.Task[None]] = set()

    def table(self) -> Iterable[tuple[str, str, Handler]]:
        """Method, path, handler."""
        caches, tasks, project = "/config/server/caches", "/config/server/tasks", "/projects/{project}"
        return (
            ("GET", caches, self._list_caches),
            ("POST", caches, self._flush_several),
            ("GET", f"{caches}/{{cache}}", self._cache),
            ("POST", f"{caches}/{{cache}}/flush", self._flush),
            ("GET", tasks, self._list_tasks),
            ("GET", f"{tasks}/{{task}}", self._task),
            ("DELETE", f"{tasks}/{{task}}", self._stop),
            ("POST", f"{project}/gc", self._collect),
            ("GET", f"{project}/statistics.git", self._statistics),
            ("PUT", f"{project}/ban", self._ban),
            ("POST", f"{project}/index", self._index),
            ("POST", f"{project}/index.changes", self._index),
        )

    # -- caches ------------------------------------------------------------------------------------------

    async def _list_caches(self, request: web.Request) -> web.StreamResponse:
        """A map by name; with `format` the names alone, as a list or as lines in base64."""
        self._require(request, Verb.VIEW_CACHES)
        found, format = self._caches.all(), request.query.get("format", "").upper()
        match format:
            case "":
                return json_answer(request, {one.name: _cache_info(one) for one in found})
            case "LIST":
                return json_answer(request, [one.name for one in found])
            case "TEXT_LIST":
                return text_answer(base64.b64encode("\n".join(one.name for one in found).encode()).decode(), 200)
            case _:
                raise bad("format", "it is LIST or TEXT_LIST")

    async def _cache(self, request: web.Request) -> web.StreamResponse:
        self._require(request, Verb.VIEW_CACHES)
        found = self._named(request.match_info["cache"])
        return json_answer(request, {"name": found.name, **_cache_info(found)})

    async def _flush_several(self, request: web.Request) -> web.StreamResponse:
        """`{"operation": "FLUSH_ALL"}`, or FLUSH with the names of `caches`."""
        self._require(request, Verb.FLUSH_CACHES)
        body = await body_of(request)
        operation, names = text_of(body.get("operation"), "operation").upper(), texts(body.get("caches"), "caches")
        if operation not in ("FLUSH", "FLUSH_ALL"):
            raise bad("operation", "it is FLUSH or FLUSH_ALL")
        if operation == "FLUSH" and not names:
            raise Invalid(reason=reason("review.field-needed", field="caches"))
        try:
            wanted = [self._named(one).name for one in names] if operation == "FLUSH" else []
        except NotFound as error:
            raise Unprocessable(reason=error.reason) from None
        self._caches.flush(wanted or [one.name for one in self._caches.all()])
        return json_answer(request, "")

    async def _flush(self, request: web.Request) -> web.StreamResponse:
        self._require(request, Verb.FLUSH_CACHES)
        self._caches.flush([self._named(request.match_info["cache"]).name])
        return json_answer(request, "")

    def _named(self, name: str) -> Cache:
        found = self._caches.find(name)
        if found is None:
            raise NotFound(reason=reason("review.no-such-cache", cache=name[:80]))
        return found

    # -- tasks -------------------------------------------------------------------------------------------

    async def _list_tasks(self, request: web.Request) -> web.StreamResponse:
        """One's own; for those who maintain the server all."""
        require_account(self._asker.actor(request))
        return json_answer(request, [_task_info(one) for one in self._seen(request)])

    async def _task(self, request: web.Request) -> web.StreamResponse:
        return json_answer(request, _task_info(self._found(request)))

    async def _stop(self, request: web.Request) -> web.StreamResponse:
        task, actor = self._found(request), self._asker.actor(request)
        if task.account != actor.account and not may(actor, Verb.KILL_TASK, SITE, self._room.rules):
            raise lacking(Verb.KILL_TASK, SITE)
        if task.stop is None:
            raise Conflict(reason=reason("review.task-of-the-server", task=task.command))
        task.stop()
        return web.Response(status=204)

    def _found(self, request: web.Request) -> Task:
        require_account(self._asker.actor(request))
        id = request.match_info["task"]
        found = next((one for one in self._seen(request) if one.id == id), None)
        if found is None:
            raise NotFound(reason=reason("review.no-such-task", task=id[:80]))
        return found

    def _seen(self, request: web.Request) -> list[Task]:
        actor = self._asker.actor(request)
        everything = may(actor, Verb.MAINTAIN_SERVER, SITE, self._room.rules)
        return [one for one in self._tasks.all() if everything or one.account == actor.account]

    # -- stores ------------------------------------------------------------------------------------------

    async def _collect(self, request: web.Request) -> web.StreamResponse:
        """Pack the store again, and say so line by line; with `async` later, and nothing is said."""
        actor, body = self._asker.actor(request), await body_of(request)
        account = require(actor, Verb.RUN_GC, SITE, self._room.rules)
        project = (await self._room.reading.project(actor, request.match_info["project"].removesuffix(".git"))).name
        flags = {name: flag(body.get(name), name) is True for name in ("show_progress", "aggressive", "async")}
        steps = self._collecting.collect(project, account, aggressive=flags["aggressive"])
        if flags["async"]:
            if not self._collecting.is_busy(project):
                going = asyncio.create_task(_drained(steps, project), name=f"gc {project}")
                self._going.add(going)
                going.add_done_callback(self._going.discard)
            return web.Response(status=202)
        answer = web.StreamResponse(headers={"X-Content-Type-Options": "nosniff", "Cache-Control": "no-store"})
        answer.content_type, answer.charset = "text/plain", "utf-8"
        busy = self._collecting.is_busy(project)
        await answer.prepare(request)
        if busy:
            await answer.write(f'Error: garbage collection for project "{project}" was already scheduled.\n'.encode())
            return answer
        try:
            if flags["show_progress"]:
                await answer.write(f'collecting garbage for "{project}":\n'.encode())
            async for step in steps:
                if flags["show_progress"]:
                    await answer.write(f"{step}: done\n".encode())
            await answer.write(b"Garbage collection completed successfully.\n")
        except GatebotError as error:
            log.exception("the store of %s could not be packed", project)
            await answer.write(f'Error: garbage collection for project "{project}" failed: {error}\n'.encode())
        return answer

    async def _statistics(self, request: web.Request) -> web.StreamResponse:
        actor = self._asker.actor(request)
        require(actor, Verb.RUN_GC, SITE, self._room.rules)
        project = await self._room.reading.project(actor, request.match_info["project"].removesuffix(".git"))
        return json_answer(request, await asyncio.to_thread(self._collecting.statistics, project.name))

    async def _ban(self, request: web.Request) -> web.StreamResponse:
        """BanInput in, BanResultInfo out: no push brings these commits any more."""
        actor, body = self._asker.actor(request), await body_of(request)
        require_account(actor)
        project = (await self._room.reading.project(actor, request.match_info["project"].removesuffix(".git"))).name
        id = require(actor, Verb.OWN, Target(project), self._room.rules)
        asked, why = dict.fromkeys(texts(body.get("commits"), "commits")), text_of(body.get("reason"), "reason")
        if len(asked) > MOST_COMMITS:
            raise bad("commits", f"at most {MOST_COMMITS} commits can be banned at a time")
        found = [await asyncio.to_thread(self._commit, project, one) for one in asked]
        account = await self._room.identity.by_id(id)
        ban = Banning(self._room.repositories).ban
        banned, before = await asyncio.to_thread(ban, project, list(dict.fromkeys(found)), why, account)
        told = {"newly_banned": banned, "already_banned": before}
        return json_answer(request, {name: several for name, several in told.items() if several})

    async def _index(self, request: web.Request) -> web.StreamResponse:
        """Projects and changes are found as they are; no index is kept of them that could be made anew."""
        actor = self._asker.actor(request)
        require(actor, Verb.MAINTAIN_SERVER, SITE, self._room.rules)
        await self._room.reading.project(actor, request.match_info["project"].removesuffix(".git"))
        return web.Response(status=202)

    def _commit(self, project: str, word: str) -> str:
        try:
            return self._room.repositories.commit(project, word).id
        except GatebotError:
            why = reason("review.no-such-revision", project=project, revision=word[:100])
            raise Unprocessable(reason=why) from None

    def _require(self, request: web.Request, verb: Verb) -> None:
        """A capability, or the one that has it in itself."""
        actor = self._asker.actor(request)
        require_account(actor)
        if not any(may(actor, one, SITE, self._room.rules) for one in (verb, Verb.MAINTAIN_SERVER)):
            raise lacking(verb, SITE)


async def _drained(steps: AsyncIterator[str], project: str) -> None:
    try:
        async for _ in steps:
            pass
    except GatebotError:
        log.exception("the store of %s could not be packed", project)


def _cache_info(one: Cache) -> dict[str, Json]:
    """Gerrit's CacheInfo."""
    entries: dict[str, Json] = {"mem": one.entries} if one.entries else {}
    return {"type": "MEM", "entries": entries, "hit_ratio": {} if one.hits is None else {"mem": one.hits}}


def _task_info(one: Task) -> dict[str, Json]:
    """Gerrit's TaskInfo."""
    info: dict[str, Json] = {"id": one.id, "state": "RUNNING", "delay": 0, "command": one.command}
    if one.since is not None:
        info["start_time"] = timestamp(one.since)
    if one.project:
        info["project_name"] = one.project
    return {**info, "queue_name": one.queue}
