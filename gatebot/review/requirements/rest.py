# SPDX-License-Identifier: Apache-2.0
"""Gerrit's REST calls on the submit requirements of a project.

Thin: they are sections of `project.config`, written by the same rules as all of it. Who reads the configuration lists
them, as in Gerrit; how a change stands with them is told with the change, to everybody who sees it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

from aiohttp import web

from ...access import Actor, Target, Verb, may
from ...assignment import Json
from ...errors import Invalid, NotFound, Unauthenticated
from ...lacking import lacking
from ...reasons import reason
from ..answers import Handler, body_of, json_answer, must_be_new
from ..config import editing
from ..config.model import ALL_PROJECTS, CONFIG_REF, ConfigFile
from ..drafts import Object, bad, flag, object_of, text_of, texts
from ..hosted.service import Files
from ..labels.configured import overlaid, read_requirement
from ..labels.model import SubmitRequirement
from ..labels.requirements import problem
from ..model import Project
from ..permission import require_account
from ..rules import rules_of
from ..shaper import Calls
from .model import NAME, SECTION, Said

Own = Sequence[tuple[str, SubmitRequirement]]


class RestRequirements(Calls):
    """`/projects/{project}/submit_requirements`."""

    def table(self) -> Iterable[tuple[str, str, Handler]]:
        """Method, path, handler."""
        several = "/projects/{project}/submit_requirements"
        one = f"{several}/{{requirement}}"
        return (
            ("GET", several, self._list),
            ("POST", several, self._change_several),
            ("POST", f"{several}:review", self._propose),
            ("GET", one, self._one),
            ("PUT", one, self._put),
            ("DELETE", one, self._delete),
        )

    async def _list(self, request: web.Request) -> web.StreamResponse:
        """The project's own; with `inherited` before them those of its parents, also replaced ones."""
        project, actor = await self._project(request), self._asker.actor(request)
        found = self._own(project)
        if "inherited" in request.query:
            found = [one for above in self._above(actor, project) for one in above] + [*found]
        return json_answer(request, [_info(one, where) for where, one in found])

    async def _one(self, request: web.Request) -> web.StreamResponse:
        project, name = await self._project(request), request.match_info["requirement"]
        found = next((one for _, one in self._own(project) if one.name == name), None)
        if found is None:
            raise _none(project, name)
        return json_answer(request, _info(found, project.name))

    async def _put(self, request: web.Request) -> web.StreamResponse:
        """A requirement as a whole; 201 also where there was one, as in Gerrit."""
        require_account(self._asker.actor(request))
        project, name, body = await self._project(request), request.match_info["requirement"], await body_of(request)
        must_be_new(request, any(one.name == name for _, one in self._own(project)))
        if text_of(body.get("name"), "name").strip() not in ("", name):
            raise bad("name", "it must be that of the address")
        said = _said(body, name)
        message = text_of(body.get("commit_message"), "commit_message") or f"Define the submit requirement {name}"
        await self._room.config_editing.edit(self._asker.actor(request), project.name, message, _written([said], []))
        made = next((one for _, one in self._own(project) if one.name == name), None)
        if made is None:
            raise _none(project, name)
        return json_answer(request, _info(made, project.name), 201)

    async def _delete(self, request: web.Request) -> web.StreamResponse:
        require_account(self._asker.actor(request))
        project, name = await self._project(request), request.match_info["requirement"]
        self._must_have(project, [name])
        message = f"Delete the submit requirement {name}"
        await self._room.config_editing.edit(self._asker.actor(request), project.name, message, _written([], [name]))
        return web.Response(status=204)

    async def _change_several(self, request: web.Request) -> web.StreamResponse:
        """BatchSubmitRequirementInput: `create`, `update`, `delete` in one commit."""
        project, message, change = await self._several(request)
        await self._room.config_editing.edit(self._asker.actor(request), project.name, message, change)
        return json_answer(request, "")

    async def _propose(self, request: web.Request) -> web.StreamResponse:
        """The same as a change of `refs/meta/config`, to be reviewed as any other."""
        project, message, change = await self._several(request)
        made = await self._room.config_editing.propose(self._asker.actor(request), project.name, message, change)
        return json_answer(request, await self._shaper.info_of(request, made.number), 201)

    async def _several(self, request: web.Request) -> tuple[Project, str, Callable[[Files], Files]]:
        require_account(self._asker.actor(request))
        project, body = await self._project(request), await body_of(request)
        created = [_said(one, text_of(one.get("name"), "name").strip()) for one in _objects(body, "create")]
        updated = [
            _said(object_of(one, "update"), name) for name, one in object_of(body.get("update"), "update").items()
        ]
        deleted = texts(body.get("delete"), "delete")
        self._must_have(project, [*(one.name for one in updated), *deleted])
        message = text_of(body.get("commit_message"), "commit_message") or "Change submit requirements"
        return project, message, _written([*created, *updated], deleted)

    # -- what there is -----------------------------------------------------------------------------------

    async def _project(self, request: web.Request) -> Project:
        """The project, for somebody who reads its configuration."""
        name, actor = request.match_info["project"].removesuffix(".git"), self._asker.actor(request)
        project = await self._room.reading.project(actor, name)
        self._reads(actor, project.name)
        return project

    def _reads(self, actor: Actor, project: str) -> None:
        where = Target(project, CONFIG_REF)
        if not may(actor, Verb.READ, where, self._room.rules):
            if actor.account is None:
                raise Unauthenticated(reason=reason("review.sign-in"))
            raise lacking(Verb.READ, where)

    def _own(self, project: Project) -> Own:
        """Those of the project's file; All-Projects has those with which the site begins, too."""
        files = self._room.configs.files(project.name)[:1]
        if project.name == ALL_PROJECTS:
            return _at_the_root(project, files)
        found = [read_requirement(file, name) for file in files for name in file.subsections(SECTION)]
        return [(project.name, one) for one in found if one is not None]

    def _above(self, actor: Actor, project: Project) -> list[Own]:
        """Those of its parents, the farthest first; each is for those who read its configuration."""
        if project.name == ALL_PROJECTS:
            return []
        files = self._room.configs.files(project.name)
        found: list[Own] = [_at_the_root(project, files[-1:])]
        parent = self._room.configs.parent(project.name)
        for file in files[1:-1]:
            self._reads(actor, parent)
            own = [read_requirement(file, name) for name in file.subsections(SECTION)]
            found.insert(1, [(parent, one) for one in own if one is not None])
            parent = self._room.configs.parent(parent)
        self._reads(actor, ALL_PROJECTS)
        return found

    def _must_have(self, project: Project, names: Iterable[str]) -> None:
        files = self._room.configs.files(project.name)[:1]
        own = {name for file in files for name in file.subsections(SECTION)}
        for name in names:
            if name not in own:
                raise _none(project, name)


def _at_the_root(project: Project, root: Sequence[ConfigFile]) -> Own:
    _, found = overlaid((), rules_of(project.rules).requirements, root)
    return [(ALL_PROJECTS, one) for one in found if not one.legacy]


def _objects(body: Object, name: str) -> list[Object]:
    given = body.get(name)
    if given is None:
        return []
    if not isinstance(given, list):
        raise bad(name, "a list is expected")
    return [object_of(one, name) for one in given]


def _said(body: Object, name: str) -> Said:
    """A SubmitRequirementInput, whose expressions can be read."""
    if not NAME.fullmatch(name):
        raise bad("name", "a submit requirement's name is letters, digits and '-', and begins with a letter")

    def line(field: str) -> str:
        return " ".join(text_of(body.get(field), field).split())

    said = Said(
        name, line("submittability_expression"), line("applicability_expression"), line("override_expression"),
        line("description"),
        flag(body.get("allow_override_in_child_projects"), "allow_override_in_child_projects") is True,
    )  # fmt: skip
    if not said.submittable:
        raise Invalid(reason=reason("review.field-needed", field="submittability_expression"))
    for key, text in said.expressions.items():
        if why := problem(text):
            raise Invalid(reason=reason("review.requirement-broken", key=key, name=name, why=why))
    return said


def _written(wanted: Iterable[Said], unwanted: Iterable[str]) -> Callable[[Files], Files]:
    """The files with these requirements and without those; comments stay."""

    def change(files: Files) -> Files:
        text = files.config
        for name in unwanted:
            text = editing.without_section(text, SECTION, name)
        for one in wanted:
            for key, values in one.lines.items():
                text = editing.with_values(text, SECTION, one.name, key, values)
        return replace(files, config=text)

    return change


def _info(one: SubmitRequirement, project: str) -> dict[str, Json]:
    """Gerrit's SubmitRequirementInfo."""
    info: dict[str, Json] = {
        "name": one.name, "description": one.description, "project_name": project,
        "applicability_expression": one.applicable_if, "submittability_expression": one.submittable_if,
        "override_expression": one.override_if,
    }  # fmt: skip
    told = {name: value for name, value in info.items() if value != ""}
    return {**told, "allow_override_in_child_projects": one.can_override_in_children}


def _none(project: Project, name: str) -> NotFound:
    return NotFound(reason=reason("review.no-own-requirement", requirement=name[:80], project=project.name))
