# SPDX-License-Identifier: Apache-2.0
"""Zuul's REST below `/api/tenant/NAME/`, as `zuul-client` and dashboards ask it; what only looks.

A refusal is `{"error", "description"}`, because Zuul's clients show those two. Every answer leaves out what the asker
may not see. Asking for something to be done is in `operating/rest.py`.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence

from aiohttp import web

from ... import __version__, words
from ...errors import Conflict, GatebotError, NotFound, http_status
from ...keys import boxes, oaep
from ...reasons import Reason, reason
from ...site import Site
from .. import history
from ..config.model import FrozenGraph
from ..pages import Pages, Parts
from ..rest import number
from ..rows import BuildRow, BuildsetRow
from . import builds_json, config_json, status_json
from .service import Overview

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
_MOST = 500
_HEX = "[0-9a-f]{32}"
_CAPABILITIES: Mapping[str, object] = {
    "job_history": True,
    "auth": {"realms": {}, "default_realm": None, "read_protected": False},
}
_TRUTH = {"true": True, "1": True, "false": False, "0": False}
_BRANCH = "/api/tenant/{tenant}/pipeline/{pipeline}/project/{project:.+?}/branch/{branch:.+}"


def routes(site: Site, parts: Parts, tenants: Overview, labels: Sequence[str]) -> list[web.RouteDef]:
    """All routes; `labels` are those of nodes."""
    known, past = Known(site, tenants, labels), Past(site, parts, tenants)
    at = "/api/tenant/{tenant}"
    found: list[tuple[str, Handler]] = [
        ("/api/info", known.info),
        ("/api/tenants", known.tenants),
        (f"{at}/info", known.info),
        (f"{at}/authorizations", known.authorizations),
        (f"{at}/pipelines", known.pipelines),
        (f"{at}/projects", known.projects),
        (f"{at}/project/{{project:.+}}", known.project),
        (f"{at}/jobs", known.jobs),
        (f"{at}/job/{{job}}", known.jobs),
        (f"{at}/config-errors", known.config_errors),
        (f"{at}/semaphores", past.semaphores),
        (f"{at}/labels", known.labels),
        (f"{at}/key/{{project:.+}}.pub", known.key),
        (f"{at}/sealing-key/{{project:.+}}.pub", known.key),
        (f"{_BRANCH}/freeze-jobs", known.freeze),
        (f"{_BRANCH}/freeze-job/{{job}}", known.freeze),
        (f"{at}/status", past.status),
        (f"{at}/status/change/{{number:\\d{{1,9}}}},{{patch_set:\\d{{1,9}}}}", past.change),
        (f"{at}/status/change/{{number:\\d{{1,9}}}}", past.change),
        (f"{at}/builds", past.builds),
        (f"{at}/build-times", past.build_times),
        (f"{at}/build/{{build:{_HEX}}}", past.build),
        (f"{at}/buildsets", past.buildsets),
        (f"{at}/buildset/{{buildset:{_HEX}}}", past.buildset),
        (f"{at}/badge", past.badge),
        (f"{at}/nodes", past.nodes),
    ]
    return [web.get(path, told(site, handler)) for path, handler in found]


def told(site: Site, handler: Handler) -> Handler:
    """A handler whose refusals are JSON, as Zuul's clients show them."""

    async def answer(request: web.Request) -> web.StreamResponse:
        try:
            return await handler(request)
        except GatebotError as error:
            status = http_status(error)
            told = {"error": f"{status} {type(error).__name__}", "description": site.sentence(request, error)}
            return web.json_response(told, status=status)

    return answer


class Known:
    """What stands in the configuration."""

    def __init__(self, site: Site, tenants: Overview, labels: Sequence[str]) -> None:
        self._site = site
        self._tenants = tenants
        self._labels = labels

    async def info(self, request: web.Request) -> web.StreamResponse:
        """What this API can do."""
        if (tenant := request.match_info.get("tenant")) is not None:
            self._tenants.layout(self._site.actor(request), tenant)
        told: dict[str, object] = {"capabilities": _CAPABILITIES, "version": __version__, "websocket_url": None}
        return web.json_response({"info": {**told, "tenant": tenant} if tenant else told})

    async def tenants(self, request: web.Request) -> web.StreamResponse:
        """The names of all tenants."""
        return web.json_response([{"name": name} for name in self._tenants.names(self._site.actor(request))])

    async def authorizations(self, request: web.Request) -> web.StreamResponse:
        """What the asker may do by his groups: enqueue, dequeue and promote in any project."""
        actor, tenant = self._site.actor(request), request.match_info["tenant"]
        admin = self._tenants.operates(actor, tenant)
        return web.json_response({"zuul": {"admin": admin, "scope": [tenant] if admin else []}})

    async def pipelines(self, request: web.Request) -> web.StreamResponse:
        """The pipelines and what triggers them."""
        layout = self._tenants.layout(self._site.actor(request), request.match_info["tenant"])
        found = [
            {
                "name": name,
                "manager": one.manager.value,
                "triggers": [
                    {"name": connection, "driver": connection}
                    for connection in dict.fromkeys(
                        [*(filter.connection for filter in one.triggers), *("timer" for _ in one.timers)]
                    )
                ],
            }
            for name, one in layout.pipelines.items()
        ]
        return web.json_response(found)

    async def projects(self, request: web.Request) -> web.StreamResponse:
        """The projects."""
        actor = self._site.actor(request)
        layout = self._tenants.layout(actor, request.match_info["tenant"])
        found = sorted(self._tenants.projects(actor, layout), key=lambda one: one.name)
        return web.json_response([config_json.listed(one) for one in found])

    async def project(self, request: web.Request) -> web.StreamResponse:
        """One project with its stanzas."""
        actor = self._site.actor(request)
        layout = self._tenants.layout(actor, request.match_info["tenant"])
        known = self._tenants.project(actor, layout, request.match_info["project"])
        return web.json_response(config_json.project(layout, known, layout.stanzas.get(known.name, ())))

    async def jobs(self, request: web.Request) -> web.StreamResponse:
        """All jobs, or the definitions of one."""
        layout = self._tenants.layout(self._site.actor(request), request.match_info["tenant"])
        name = request.match_info.get("job")
        if name is None:
            return web.json_response(config_json.jobs(layout))
        if name not in layout.jobs:
            raise NotFound(reason=reason("pipeline.no-such-job", job=name, tenant=layout.tenant.name))
        return web.json_response([config_json.variant(layout, job) for job in layout.jobs[name]])

    async def config_errors(self, request: web.Request) -> web.StreamResponse:
        """What is wrong in the configuration; filters as Zuul has them."""
        found = await self._tenants.errors(self._site.actor(request), request.match_info["tenant"])
        ask, say = request.query, self._site.language(request)
        wanted = [
            error
            for error in found
            if ask.get("project", error.at.project) == error.at.project
            and ask.get("branch", error.at.branch) == error.at.branch
            and ask.get("name", error.reason.kind) == error.reason.kind
            and ask.get("severity", "error") == "error"
        ]
        skip, limit = number(request, "skip", 0), number(request, "limit", 50)
        shown = wanted[skip : skip + limit]
        return web.json_response([config_json.error(error, words.say(error.reason, say)) for error in shown])

    async def labels(self, request: web.Request) -> web.StreamResponse:
        """The labels of nodes."""
        self._tenants.layout(self._site.actor(request), request.match_info["tenant"])
        return web.json_response([{"name": name} for name in self._labels])

    async def key(self, request: web.Request) -> web.StreamResponse:
        """The key to encrypt secrets of a project for: Zuul's (PEM), or the one for sealed boxes (base64)."""
        kind = boxes.KIND if "/sealing-key/" in request.path else oaep.KIND
        tenant, project = request.match_info["tenant"], request.match_info["project"]
        public = await self._tenants.public_key(self._site.actor(request), tenant, project, kind)
        return web.Response(text=public if public.endswith("\n") else public + "\n", content_type="text/plain")

    async def freeze(self, request: web.Request) -> web.StreamResponse:
        """What would run on a branch: the jobs, or one in full. With `file` (several): what a change of these would."""
        asked = [request.match_info[name] for name in ("tenant", "pipeline", "project", "branch")]
        files = request.query.getall("file", None)
        graph = await self._tenants.freeze(self._site.actor(request), *asked, files=files)
        language = self._site.language(request)
        if "why" in request.query:
            return web.json_response(_explained(graph, language))
        if graph.errors:
            sentences = [words.say(error.reason, language) for error in graph.errors]
            raise Conflict("\n".join(sentences))
        name = request.match_info.get("job")
        if name is None:
            return web.json_response(config_json.graph(graph))
        found = next((job for job in graph.jobs if job.name == name), None)
        if found is None:
            why = next((one.reason for one in graph.skipped if one.job == name), None)
            raise NotFound(reason=why or reason("pipeline.does-not-run", job=name))
        return web.json_response(config_json.frozen_job(found, *asked))


def _explained(graph: FrozenGraph, language: str) -> dict[str, object]:
    """A graph with why each job runs or does not, and what is wrong."""
    return {
        "jobs": [
            {
                "name": job.name,
                "voting": job.voting,
                "dependencies": config_json.dependencies(job),
                "parents": list(job.parents),
                "nodes": [node.label for node in job.nodes],
                "timeout": job.timeout,
                "required_projects": [one.project for one in job.required_projects],
                "playbooks": [book.path for book in (*job.pre_run, *job.run, *job.post_run)],
            }
            for job in graph.jobs
        ],
        "skipped": [{"name": one.job, "sentence": words.say(one.reason, language)} for one in graph.skipped],
        "errors": [config_json.error(error, words.say(error.reason, language)) for error in graph.errors],
        "configured": graph.configured,
    }


class Past:
    """What is in the queues, and what was."""

    def __init__(self, site: Site, parts: Parts, tenants: Overview) -> None:
        self._site = site
        self._parts = parts
        self._tenants = tenants
        self._pages = Pages(site, parts)

    async def status(self, request: web.Request) -> web.StreamResponse:
        """All pipelines with their queues."""
        tenant = self._tenant(request)
        found = [one for one in await self._pages.pipelines(request) if one.tenant == tenant]
        at = int(self._parts.clock.now().timestamp() * 1000)
        return web.json_response(status_json.status(found, __version__, self._url, at))

    async def change(self, request: web.Request) -> web.StreamResponse:
        """The items of a change."""
        tenant, place = self._tenant(request), request.match_info
        change, patch_set = int(place["number"]), int(place["patch_set"]) if "patch_set" in place else None
        if await self._parts.sight.hidden(self._site.actor(request), (change,)):
            raise NotFound(reason=reason("review.no-such-change", change=change))
        found = [one for one in await self._pages.pipelines(request) if one.tenant == tenant]
        return web.json_response(status_json.stays(found, change, patch_set, self._url))

    async def semaphores(self, request: web.Request) -> web.StreamResponse:
        """The semaphores: their size, who holds them, who waits."""
        found = self._tenants.semaphores(self._site.actor(request), request.match_info["tenant"])
        return web.json_response(
            [
                {
                    "name": one.name,
                    "global": one.shared,
                    "max": one.max,
                    "holders": {
                        "count": one.held,
                        "this_tenant": [
                            {"buildset_uuid": holder.buildset, "job_name": holder.job} for holder in one.holders
                        ],
                        "other_tenants": one.elsewhere,
                    },
                    "waiting": [{"buildset_uuid": waits.buildset, "job_name": waits.job} for waits in one.waiting],
                }
                for one in found
            ]
        )

    async def builds(self, request: web.Request) -> web.StreamResponse:
        """Builds that fit, newest first; the filters are Zuul's."""
        rows = await self._found(request)
        return web.json_response([builds_json.build(row, self._url, self._why(request, row.reason)) for row in rows])

    async def build_times(self, request: web.Request) -> web.StreamResponse:
        """How long ended builds took."""
        names = ("uuid", "job_name", "result", "start_time", "end_time", "duration", "final", "ref")
        rows = [row for row in await self._found(request) if row.started and row.ended]
        told = (builds_json.build(row, self._url) for row in rows)
        return web.json_response([{name: one[name] for name in names} for one in told])

    async def build(self, request: web.Request) -> web.StreamResponse:
        """One build."""
        tenant, uuid = self._tenant(request), request.match_info["build"]
        rows = await self._parts.db.read(history.find_builds, tenant=tenant, uuid=uuid)
        for row in await self._pages.seen(request, rows):
            return web.json_response(builds_json.build(row, self._url, self._why(request, row.reason)))
        raise NotFound(reason=reason("executor.no-such-build", build=uuid))

    async def buildsets(self, request: web.Request) -> web.StreamResponse:
        """Attempts of items that fit, newest first."""
        found = await self._pages.seen(request, await self._attempts(request))
        return web.json_response([self._buildset(request, row) for row in found])

    async def buildset(self, request: web.Request) -> web.StreamResponse:
        """One attempt with its builds."""
        uuid = request.match_info["buildset"]
        found = await self._parts.db.read(history.find_buildsets, tenant=self._tenant(request), buildset=uuid)
        rows = await self._parts.db.read(history.find_builds, buildset=uuid, limit=_MOST)
        for one in await self._pages.seen(request, found):
            return web.json_response(self._buildset(request, one, rows))
        raise NotFound(reason=reason("pipeline.no-such-buildset", buildset=uuid))

    async def badge(self, request: web.Request) -> web.StreamResponse:
        """A picture of how the last decided buildset ended."""
        found = [one for one in await self._pages.seen(request, await self._attempts(request)) if one.outcome]
        if not found:
            raise NotFound("No buildset has ended there yet.")
        word, colour = ("passing", "#2a7d2e") if builds_json.result(found[0]) == "SUCCESS" else ("failing", "#b3261e")
        headers = {"Cache-Control": "no-cache"}
        return web.Response(text=_BADGE % (word, colour, word), content_type="image/svg+xml", headers=headers)

    async def nodes(self, request: web.Request) -> web.StreamResponse:
        """The nodes in use: each belongs to a running build."""
        tenant = self._tenant(request)
        started = await self._parts.db.read(history.running_since)
        rows = await self._parts.db.read(history.find_builds, tenant=tenant, running=True, limit=_MOST)
        found = [
            {
                "id": row.build,
                "uuid": row.build,
                "type": [row.node],
                "connection_type": "ssh",
                "provider": row.nodes[0].provider if row.nodes else "",
                "state": "in-use",
                "state_time": started[row.build].timestamp(),
                "comment": row.job,
            }
            for row in await self._pages.seen(request, rows)
            if row.build in started
        ]
        return web.json_response(found)

    # -- parts ------------------------------------------------------------------------------------------

    @property
    def _url(self) -> str:
        return self._site.settings.url

    def _tenant(self, request: web.Request) -> str:
        return self._tenants.layout(self._site.actor(request), request.match_info["tenant"]).tenant.name

    def _why(self, request: web.Request, why: Reason | None) -> str:
        return words.say(why, self._site.language(request)) if why is not None else ""

    def _buildset(
        self, request: web.Request, row: BuildsetRow, builds: Sequence[BuildRow] | None = None
    ) -> dict[str, object]:
        return builds_json.buildset(row, self._url, self._why(request, row.reason), builds)

    async def _found(self, request: web.Request) -> list[BuildRow]:
        ask = request.query
        rows = await self._parts.db.read(
            history.find_builds,
            tenant=self._tenant(request),
            project=ask.get("project", ""),
            pipeline=ask.get("pipeline", ""),
            branch=ask.get("branch", ""),
            job=ask.get("job_name", ""),
            result=ask.get("result", ""),
            uuid=ask.get("uuid", ""),
            buildset=ask.get("buildset", ""),
            change=number(request, "change", 0) or None,
            patch_set=number(request, "patchset", 0) or None,
            voting=_TRUTH.get(ask.get("voting", "").lower()),
            limit=min(number(request, "limit", 50), _MOST),
            skip=number(request, "skip", 0),
        )
        return await self._pages.seen(request, rows)

    async def _attempts(self, request: web.Request) -> tuple[BuildsetRow, ...]:
        ask = request.query
        return await self._parts.db.read(
            history.find_buildsets,
            tenant=self._tenant(request),
            buildset=ask.get("uuid", ""),
            project=ask.get("project", ""),
            pipeline=ask.get("pipeline", ""),
            branch=ask.get("branch", ""),
            change=number(request, "change", 0) or None,
            limit=min(number(request, "limit", 50), _MOST),
            skip=number(request, "skip", 0),
        )


_BADGE = """<svg xmlns="http://www.w3.org/2000/svg" width="100" height="20" role="img" aria-label="gate: %s">
<rect width="38" height="20" rx="3" fill="#444"/><rect x="34" width="66" height="20" rx="3" fill="%s"/>
<g fill="#fff" font-family="Verdana,sans-serif" font-size="11">
<text x="7" y="14">gate</text><text x="45" y="14">%s</text></g></svg>
"""
