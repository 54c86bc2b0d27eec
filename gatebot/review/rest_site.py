# SPDX-License-Identifier: Apache-2.0
"""Gerrit's REST calls on projects and the server, and the verdict that Gerrit does not have.

Thin, as `rest_changes.py`. Accounts are in `people/rest.py`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import replace

from aiohttp import web

from .. import words
from ..assignment import Json
from ..errors import Invalid, NotFound
from ..reasons import Reason, reason
from . import sentences
from .answers import body_of, everywhere, json_answer, text_or, whole_number
from .drafts import Object, flag, text_of, texts
from .gerrit_json import VERSION, project_info
from .model import Project, SubmitType
from .rules import PRESETS
from .shaper import Shaper
from .verdict import Requirement


class RestSite:
    """`/projects/`, `/config/server/` and `/api/change/{id}/verdict`."""

    def __init__(self, shaper: Shaper) -> None:
        self._shaper = shaper
        self._room = shaper.room
        self._asker = shaper.asker

    def routes(self) -> Iterable[web.RouteDef]:
        """What is served. `/projects` without the slash is a page."""
        project = "/projects/{project}"
        table = (
            ("GET", project, self._project),
            ("PUT", project, self._create_project),
            ("GET", f"{project}/HEAD", self._head),
            ("GET", f"{project}/description", self._description),
            ("PUT", f"{project}/description", self._set_description),
            ("GET", f"{project}/branches", self._branches),
            ("GET", f"{project}/branches/{{branch}}", self._branch),
            ("GET", "/config/server/version", self._version),
            ("GET", "/config/server/info", self._info),
        )
        lists = (("/projects/", self._projects),)
        return [
            *(web.get(f"{prefix}{path}", handler) for prefix in ("", "/a") for path, handler in lists),
            *(route for method, path, handler in table for route in everywhere(method, path, handler)),
            web.get("/api/change/{id}/verdict", self._verdict),
        ]

    # -- projects --------------------------------------------------------------------------------------

    async def _projects(self, request: web.Request) -> web.StreamResponse:
        """A map by name; `p` and `m` are a prefix and a part of the name."""
        found = await self._room.reading.projects(self._asker.actor(request))
        begin, part = request.query.get("p", ""), request.query.get("m", "").lower()
        shown = [p for p in found if p.name.startswith(begin) and part in p.name.lower()]
        start = whole_number(request, "S", "start", default=0)
        limit = whole_number(request, "n", "limit", default=len(shown))
        answer: dict[str, Json] = {}
        for project in sorted(shown, key=lambda p: p.name)[start : start + limit]:
            answer[project.name] = {name: value for name, value in project_info(project).items() if name != "name"}
        return json_answer(request, answer)

    async def _project(self, request: web.Request) -> web.StreamResponse:
        return json_answer(request, project_info(await self._named(request)))

    async def _create_project(self, request: web.Request) -> web.StreamResponse:
        body = await body_of(request)
        wanted = _project_from(request.match_info["project"], body)
        made = await self._room.projects.create(
            self._asker.actor(request),
            wanted,
            source=text_of(body.get("import"), "import"),
            empty_commit=flag(body.get("create_empty_commit"), "create_empty_commit") is True,
        )
        return json_answer(request, project_info(made), 201)

    async def _head(self, request: web.Request) -> web.StreamResponse:
        return json_answer(request, f"refs/heads/{(await self._named(request)).default_branch}")

    async def _description(self, request: web.Request) -> web.StreamResponse:
        return json_answer(request, (await self._named(request)).description)

    async def _set_description(self, request: web.Request) -> web.StreamResponse:
        project = replace(await self._named(request), description=await text_or(request, "description"))
        changed = await self._room.projects.change(self._asker.actor(request), project)
        return json_answer(request, changed.description)

    async def _branches(self, request: web.Request) -> web.StreamResponse:
        project = await self._named(request)
        branches = await asyncio.to_thread(self._room.repositories.branches, project.name)
        found = [{"ref": "HEAD", "revision": project.default_branch}]
        found += [{"ref": f"refs/heads/{name}", "revision": tip} for name, tip in sorted(branches.items())]
        part = request.query.get("m", "")
        return json_answer(request, [entry for entry in found if part in entry["ref"]])

    async def _branch(self, request: web.Request) -> web.StreamResponse:
        project = await self._named(request)
        name = request.match_info["branch"].removeprefix("refs/heads/")
        tip = (await asyncio.to_thread(self._room.repositories.branches, project.name)).get(name)
        if tip is None:
            raise NotFound(reason=reason("review.branch-gone", project=project.name, branch=name))
        return json_answer(request, {"ref": f"refs/heads/{name}", "revision": tip})

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
            "auth": {"auth_type": "HTTP", "editable_account_fields": [], "git_basic_auth_policy": "HTTP"},
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
        verdict = await self._room.reading.verdict(change.number)
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


def _project_from(name: str, body: Object) -> Project:
    """A project as it is asked for; choices that do not exist are refused with those that do."""
    branches = texts(body.get("branches"), "branches")
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
        default_branch=(branches[0] if branches else "main").removeprefix("refs/heads/"),
    )
