# SPDX-License-Identifier: Apache-2.0
"""Gerrit's REST calls on projects and the server, and the verdict that Gerrit does not have.

Thin, as `rest_changes.py`. Accounts are in `people/rest.py`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import replace

from aiohttp import web

from .. import words
from ..access import Actor, Target, Verb, may
from ..assignment import Json
from ..errors import Invalid, NotFound, Unprocessable
from ..reasons import Reason, reason
from . import sentences
from .answers import body_of, everywhere, json_answer, only, text_or, whole_number
from .config.model import ALL_PROJECTS
from .drafts import Object, bad, flag, text_of, texts
from .gerrit_json import VERSION, project_info
from .hosted.finding import Listed, narrowed
from .hosted.rest_config import state_of
from .hosted.service import inheriting
from .model import Project, SubmitType
from .permission import require
from .rules import PRESETS
from .shaper import Shaper
from .verdict import Requirement

_NARROWED = ("description", "parent", "state")
_ASKED = "query q query2 p m r b t tree d description all type state n limit S start no-limit has-acl-for format"


class RestSite:
    """`/projects/`, `/config/server/` and `/api/change/{id}/verdict`."""

    def __init__(self, shaper: Shaper, agreements: Callable[[], Awaitable[dict[str, Json]]]) -> None:
        self._shaper = shaper
        self._agreements = agreements
        self._room = shaper.room
        self._asker = shaper.asker

    def routes(self) -> Iterable[web.RouteDef]:
        """What is served. `/projects` without the slash is a page."""
        project = "/projects/{project}"
        table = (
            ("GET", project, self._project),
            ("PUT", project, self._create_project),
            ("GET", f"{project}/description", self._description),
            ("PUT", f"{project}/description", self._set_description),
            ("DELETE", f"{project}/description", self._set_description),
            ("GET", "/config/server/version", self._version),
            ("GET", "/config/server/info", self._info),
        )
        lists = (("/projects/", self._projects), ("/plugins/", self._plugins))
        return [
            *(web.get(f"{prefix}{path}", handler) for prefix in ("", "/a") for path, handler in lists),
            *(route for method, path, handler in table for route in everywhere(method, path, handler)),
            web.get("/api/change/{id}/verdict", self._verdict),
        ]

    async def _plugins(self, request: web.Request) -> web.StreamResponse:
        """There are none: what Gerrit's plugins do is built in, or is not there."""
        return json_answer(request, {})

    # -- projects --------------------------------------------------------------------------------------

    async def _projects(self, request: web.Request) -> web.StreamResponse:
        """A map by name, a list for `query`; with `b` those that have one of these branches, and where it is."""
        only(request, _ASKED)
        told = {one.name: self._told(one) for one in await self._room.reading.projects(self._asker.actor(request))}
        listed = [Listed(name, *(str(info.get(key, "")) for key in _NARROWED)) for name, info in told.items()]
        shown = sorted(one.name for one in narrowed(listed, request.query))
        if wanted := request.query.getall("b", []):
            tips = await asyncio.to_thread(self._tips, self._asker.actor(request), shown, wanted)
            shown = [name for name in shown if tips[name]]
            told = {name: {**told[name], "branches": tips[name]} for name in shown}
        start = whole_number(request, "S", "start", default=0)
        limit = whole_number(request, "n", "limit", default=len(shown))
        infos = [told[name] for name in shown[start : start + limit]]
        if infos and len(shown) > start + limit:
            infos[-1] = {**infos[-1], "_more_projects": True}
        if "query" in request.query:
            return json_answer(request, infos)
        return json_answer(
            request, {str(info["name"]): {k: v for k, v in info.items() if k != "name"} for info in infos}
        )

    def _tips(self, actor: Actor, projects: Iterable[str], branches: Sequence[str]) -> dict[str, dict[str, Json]]:
        """Where those of these branches are that a project has and the asker reads."""
        refs = {branch: f"refs/heads/{branch.removeprefix('refs/heads/')}" for branch in branches}
        seen = {
            name: {one: ref for one, ref in refs.items() if may(actor, Verb.READ, Target(name, ref), self._room.rules)}
            for name in projects
        }
        resolve = self._room.repositories.resolve
        return {
            name: {one: tip for one, ref in mine.items() if (tip := resolve(name, ref)) is not None}
            for name, mine in seen.items()
        }

    async def _project(self, request: web.Request) -> web.StreamResponse:
        return json_answer(request, self._told(await self._named(request)))

    def _told(self, project: Project) -> dict[str, Json]:
        configs = self._room.configs
        parent = configs.parent(project.name) or ("" if project.name == ALL_PROJECTS else ALL_PROJECTS)
        return project_info(project, parent, state_of(configs.files(project.name)))

    async def _create_project(self, request: web.Request) -> web.StreamResponse:
        body, actor = await body_of(request), self._asker.actor(request)
        wanted = _project_from(request.match_info["project"], body, self._room.projects.default_branch)
        parent = await self._parent_for(actor, wanted.name, text_of(body.get("parent"), "parent").strip())
        made = await self._room.projects.create(
            self._asker.actor(request),
            wanted,
            source=text_of(body.get("import"), "import"),
            empty_commit=flag(body.get("create_empty_commit"), "create_empty_commit") is True,
        )
        if parent:
            inherit = f"Inherit from {parent}"
            await self._room.config_editing.edit(actor, made.name, inherit, inheriting(parent))
        for branch in texts(body.get("branches"), "branches")[1:]:
            name = branch.removeprefix("refs/heads/")
            if await asyncio.to_thread(self._room.repositories.resolve, made.name, f"refs/heads/{made.default_branch}"):
                await self._room.branching.create(self._asker.actor(request), made.name, name, made.default_branch)
        return json_answer(request, self._told(made), 201)

    async def _parent_for(self, actor: Actor, name: str, parent: str) -> str:
        """The project that a new one is to inherit from; empty: from All-Projects, as it does anyway."""
        if not parent or parent == ALL_PROJECTS:
            return ""
        require(actor, Verb.OWN, Target(name), self._room.rules)
        try:
            return (await self._room.reading.project(actor, parent)).name
        except NotFound as error:
            raise Unprocessable(reason=error.reason) from None

    async def _description(self, request: web.Request) -> web.StreamResponse:
        return json_answer(request, (await self._named(request)).description)

    async def _set_description(self, request: web.Request) -> web.StreamResponse:
        text = "" if request.method == "DELETE" else await text_or(request, "description")
        project = replace(await self._named(request), description=text)
        changed = await self._room.projects.change(self._asker.actor(request), project)
        return json_answer(request, changed.description) if changed.description else web.Response(status=204)

    async def _named(self, request: web.Request) -> Project:
        name = request.match_info["project"].removesuffix(".git")
        return await self._room.reading.project(self._asker.actor(request), name)

    # -- the server ------------------------------------------------------------------------------------

    async def _version(self, request: web.Request) -> web.StreamResponse:
        return json_answer(request, VERSION)

    async def _info(self, request: web.Request) -> web.StreamResponse:
        root, whole = self._room.judge.site.rstrip("/"), self._room.submission.whole_topic
        schemes: dict[str, Json] = {
            name: {"url": f"{root}{prefix}/${{project}}", "is_auth_required": bool(prefix), "is_auth_supported": True}
            for name, prefix in (("anonymous http", ""), ("http", "/a"))
        }
        if ssh := self._shaper.ssh(request):
            schemes["ssh"] = {"url": f"{ssh}/${{project}}", "is_auth_required": True, "is_auth_supported": True}
        info: dict[str, Json] = {
            "accounts": {"visibility": "ALL", "default_display_name": "FULL_NAME"},
            "auth": {
                "auth_type": "HTTP",
                "editable_account_fields": [],
                "git_basic_auth_policy": "HTTP",
                **await self._agreements(),
            },
            "change": {"allow_blame": False, "update_delay": 300, "submit_whole_topic": whole},
            "download": {"schemes": schemes, "archives": []},
            "gerrit": {"all_projects": "All-Projects", "all_users": "All-Users", "doc_search": False},
            "plugin": {"js_resource_paths": []},
            **({"sshd": {}} if self._room.site.ssh is not None else {}),
            "suggest": {"from": 0},
            "user": {"anonymous_coward_name": "Anonymous"},
        }
        return json_answer(request, info)

    async def _verdict(self, request: web.Request) -> web.StreamResponse:
        """The whole tree, each reason with its sentence; plain JSON."""
        change = await self._shaper.change(request)
        language = self._asker.language(request)
        verdict = await self._room.reading.verdict(self._asker.actor(request), change.number)
        position = self._room.judge.gates.position(change.number)
        told = sentences.lines(verdict, language)
        answer = {
            "change": change.number,
            "submittable": verdict.submittable,
            "rules": verdict.rules,
            "headline": sentences.headline(verdict, language),
            "position": words.say(position, language) if position else "",
            "lines": [f"{line.name}: {line.text} {line.next}".rstrip() for line in told],
            "requirements": [_tree(requirement, language) for requirement in verdict.requirements],
        }
        return web.json_response(answer)


def _tree(requirement: Requirement, language: str) -> dict[str, object]:
    entry: dict[str, object] = {"name": requirement.name, "outcome": requirement.outcome.value}
    for name, why in (("says", requirement.says), ("who", requirement.who), ("takes", requirement.takes)):
        if why is not None:
            entry[name] = _reason(why, language)
    if requirement.parts:
        entry["parts"] = [_tree(part, language) for part in requirement.parts]
    return entry


def _reason(why: Reason, language: str) -> dict[str, object]:
    return {"kind": why.kind, "params": dict(why.params), "sentence": words.say(why, language)}


def _project_from(name: str, body: Object, default_branch: str) -> Project:
    """A project as it is asked for; choices that do not exist are refused with those that do."""
    branches = texts(body.get("branches"), "branches")
    if text_of(body.get("name"), "name") not in ("", name):
        raise bad("name", "it must be that of the address")
    submit_type = text_of(body.get("submit_type"), "submit_type") or SubmitType.MERGE_IF_NECESSARY.value
    rules = text_of(body.get("rules"), "rules") or "default"
    if submit_type not in [*SubmitType, "INHERIT"]:
        raise Invalid(reason=reason("review.bad-submit-type", value=submit_type, known=", ".join(SubmitType)))
    if rules not in PRESETS:
        raise Invalid(reason=reason("review.bad-rules", value=rules, known=", ".join(PRESETS)))
    return Project(
        name=name.removesuffix(".git"),
        description=text_of(body.get("description"), "description"),
        submit_type=SubmitType.MERGE_IF_NECESSARY if submit_type == "INHERIT" else SubmitType(submit_type),
        rules=rules,
        default_branch=(branches[0] if branches else default_branch).removeprefix("refs/heads/"),
    )
