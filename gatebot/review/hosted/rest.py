# SPDX-License-Identifier: Apache-2.0
"""Gerrit's REST calls on what a project has: branches, tags, HEAD, commits, the projects below it.

Thin: `branching.py` moves references. What configures a project is in `rest_config.py`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping

from aiohttp import web

from ...access import Target, Verb, may
from ...assignment import Json
from ...errors import Invalid, NotFound
from ...expressions import compiled
from ...reasons import reason
from ...repo.texts import Texts
from ..answers import Handler, body_of, json_answer, must_be_new, text_or, whole_number
from ..drafts import text_of, texts
from ..files.rest import base64_answer
from ..gerrit_json import project_info
from ..gerrit_labels import timestamp
from ..model import Project
from ..permission import require_account
from ..rest_standing import mergeable_info
from ..shaper import Calls

_HEADS, _TAGS = "refs/heads/", "refs/tags/"


class RestHosted(Calls):
    """Below `/projects/{project}`."""

    def table(self) -> Iterable[tuple[str, str, Handler]]:
        """Method, path, handler."""
        project = "/projects/{project}"
        branch, tag = f"{project}/branches/{{branch}}", f"{project}/tags/{{tag}}"
        commit = f"{project}/commits/{{commit}}"
        return (
            ("GET", f"{project}/HEAD", self._head),
            ("PUT", f"{project}/HEAD", self._set_head),
            ("GET", f"{project}/branches", self._branches),
            ("GET", branch, self._branch),
            ("PUT", branch, self._create_branch),
            ("DELETE", branch, self._delete_branch),
            ("POST", f"{branch}/delete", self._delete_branch),
            ("POST", f"{project}/branches:delete", self._delete_branches),
            ("GET", f"{branch}/mergeable", self._mergeable),
            ("GET", f"{branch}/files/{{file}}/content", self._content),
            ("GET", f"{project}/tags", self._tags),
            ("GET", tag, self._tag),
            ("PUT", tag, self._create_tag),
            ("DELETE", tag, self._delete_tag),
            ("POST", f"{tag}/delete", self._delete_tag),
            ("POST", f"{project}/tags:delete", self._delete_tags),
            ("GET", commit, self._commit),
            ("GET", f"{commit}/in", self._in),
            ("GET", f"{commit}/files/{{file}}/content", self._content),
            ("GET", f"{project}/children", self._children),
        )

    # -- branches --------------------------------------------------------------------------------------

    async def _head(self, request: web.Request) -> web.StreamResponse:
        return json_answer(request, f"{_HEADS}{(await self._project(request)).default_branch}")

    async def _set_head(self, request: web.Request) -> web.StreamResponse:
        require_account(self._asker.actor(request))
        project, ref = await self._project(request), (await text_or(request, "ref")).strip()
        if not ref:
            raise Invalid(reason=reason("review.field-needed", field="ref"))
        branch = ref.removeprefix(_HEADS)
        changed = await self._room.projects.set_head(self._asker.actor(request), project, branch)
        return json_answer(request, f"{_HEADS}{changed.default_branch}")

    async def _branches(self, request: web.Request) -> web.StreamResponse:
        project, actor = await self._project(request), self._asker.actor(request)
        refs = await self._refs(request, project, _HEADS)
        found: list[Json] = []
        if f"{_HEADS}{project.default_branch}" in refs or not refs:
            found.append({"ref": "HEAD", "revision": project.default_branch})
        for ref, at in refs.items():
            info: dict[str, Json] = {"ref": ref, "revision": at}
            if ref != f"{_HEADS}{project.default_branch}" and may(
                actor, Verb.DELETE, Target(project.name, ref), self._room.rules
            ):
                info["can_delete"] = True
            found.append(info)
        return json_answer(request, _part(request, found))

    async def _branch(self, request: web.Request) -> web.StreamResponse:
        project, name = await self._project(request), request.match_info["branch"]
        if name == "HEAD":
            return json_answer(request, {"ref": "HEAD", "revision": project.default_branch})
        ref = _HEADS + name.removeprefix(_HEADS)
        at = (await self._refs(request, project, _HEADS)).get(ref)
        if at is None:
            gone = {"project": project.name, "branch": name.removeprefix(_HEADS)[:100]}
            raise NotFound(reason=reason("review.branch-gone", **gone))
        return json_answer(request, {"ref": ref, "revision": at})

    async def _create_branch(self, request: web.Request) -> web.StreamResponse:
        require_account(self._asker.actor(request))
        project, body = await self._project(request), await body_of(request)
        name = request.match_info["branch"].removeprefix(_HEADS)
        _same(name, text_of(body.get("ref"), "ref").removeprefix(_HEADS), "ref")
        must_be_new(request, f"{_HEADS}{name}" in await self._refs(request, project, _HEADS))
        revision = text_of(body.get("revision"), "revision").strip() or "HEAD"
        at = await self._room.branching.create(self._asker.actor(request), project.name, name, revision)
        return json_answer(request, {"ref": f"{_HEADS}{name}", "revision": at}, 201)

    async def _delete_branch(self, request: web.Request) -> web.StreamResponse:
        return await self._delete(request, [_HEADS + request.match_info["branch"].removeprefix(_HEADS)])

    async def _delete_branches(self, request: web.Request) -> web.StreamResponse:
        names = texts((await body_of(request)).get("branches"), "branches")
        return await self._delete(request, [_HEADS + name.removeprefix(_HEADS) for name in names])

    async def _mergeable(self, request: web.Request) -> web.StreamResponse:
        """Whether `source`, a branch or a commit, goes onto the branch."""
        project, source = await self._project(request), request.query.get("source", "")
        branch = request.match_info["branch"].removeprefix(_HEADS)
        if not source:
            raise Invalid(reason=reason("review.field-needed", field="source"))
        if f"{_HEADS}{branch}" not in await self._refs(request, project, _HEADS):
            raise NotFound(reason=reason("review.branch-gone", project=project.name, branch=branch[:100]))
        commit = await self._find(request, project, source)
        kind = project.submit_type
        found = await asyncio.to_thread(self._room.standing.mergeable, project.name, commit, branch, kind)
        return json_answer(request, {"submit_type": kind.value, **mergeable_info(found)})

    # -- tags ------------------------------------------------------------------------------------------

    async def _tags(self, request: web.Request) -> web.StreamResponse:
        project = await self._project(request)
        refs = await self._refs(request, project, _TAGS)
        asked = _part(request, [{"ref": ref, "revision": at} for ref, at in refs.items()])
        return json_answer(request, await asyncio.to_thread(self._tag_infos, project.name, asked))

    async def _tag(self, request: web.Request) -> web.StreamResponse:
        project, ref = await self._project(request), _TAGS + request.match_info["tag"].removeprefix(_TAGS)
        at = (await self._refs(request, project, _TAGS)).get(ref)
        if at is None:
            raise NotFound(reason=reason("review.no-such-revision", project=project.name, revision=ref[:100]))
        return json_answer(request, await asyncio.to_thread(self._tag_info, project.name, ref, at))

    async def _create_tag(self, request: web.Request) -> web.StreamResponse:
        require_account(self._asker.actor(request))
        project, body = await self._project(request), await body_of(request)
        name = request.match_info["tag"].removeprefix(_TAGS)
        _same(name, text_of(body.get("ref"), "ref").removeprefix(_TAGS), "ref")
        must_be_new(request, f"{_TAGS}{name}" in await self._refs(request, project, _TAGS))
        said = text_of(body.get("revision"), "revision").strip() or "HEAD", text_of(body.get("message"), "message")
        at = await self._room.branching.create_tag(self._asker.actor(request), project.name, name, *said)
        return json_answer(request, await asyncio.to_thread(self._tag_info, project.name, f"{_TAGS}{name}", at), 201)

    async def _delete_tag(self, request: web.Request) -> web.StreamResponse:
        return await self._delete(request, [_TAGS + request.match_info["tag"].removeprefix(_TAGS)])

    async def _delete_tags(self, request: web.Request) -> web.StreamResponse:
        names = texts((await body_of(request)).get("tags"), "tags")
        return await self._delete(request, [_TAGS + name.removeprefix(_TAGS) for name in names])

    async def _delete(self, request: web.Request, refs: list[str]) -> web.StreamResponse:
        require_account(self._asker.actor(request))
        project = await self._project(request)
        if not refs or any(ref in (_HEADS, _TAGS) for ref in refs):
            raise Invalid(reason=reason("review.field-needed", field="branches"))
        await self._room.branching.delete(self._asker.actor(request), project.name, refs)
        return web.Response(status=204)

    def _tag_infos(self, project: str, tags: Iterable[Json]) -> list[Json]:
        """Only what is asked for is read: a project may have thousands of tags."""
        return [self._tag_info(project, str(one["ref"]), str(one["revision"])) for one in tags if isinstance(one, dict)]

    def _tag_info(self, project: str, ref: str, at: str) -> dict[str, Json]:
        """Gerrit's TagInfo."""
        tag = Texts(self._room.repositories.store_path(project)).tag(at)
        if tag is None:
            return {"ref": ref, "revision": at}
        info: dict[str, Json] = {"ref": ref, "revision": at, "object": tag.target, "message": tag.message.rstrip("\n")}
        if (who := tag.tagger) is not None:
            info["tagger"] = {"name": who.name, "email": who.email, "date": timestamp(who.when), "tz": who.offset}
            info["created"] = timestamp(who.when)
        return info

    # -- commits and what is below ---------------------------------------------------------------------

    async def _commit(self, request: web.Request) -> web.StreamResponse:
        project = await self._project(request)
        commit = await self._find(request, project, request.match_info["commit"])
        return json_answer(request, await self._shaper.commit(project.name, commit))

    async def _in(self, request: web.Request) -> web.StreamResponse:
        project, actor = await self._project(request), self._asker.actor(request)
        commit = await self._find(request, project, request.match_info["commit"])
        names = await asyncio.to_thread(self._room.standing.included_in, project.name, commit)
        seen = [one for one in names if may(actor, Verb.READ, Target(project.name, one), self._room.rules)]
        told: dict[str, Json] = {
            kind: [*sorted(one.removeprefix(prefix) for one in seen if one.startswith(prefix))]
            for kind, prefix in (("branches", _HEADS), ("tags", _TAGS))
        }
        return json_answer(request, told)

    async def _content(self, request: web.Request) -> web.StreamResponse:
        project, info = await self._project(request), request.match_info
        commit = await self._find(request, project, info["commit"] if "commit" in info else info["branch"])
        found = await self._room.files.content(project.name, commit, info["file"])
        return base64_answer(found.data, found.type)

    async def _children(self, request: web.Request) -> web.StreamResponse:
        """The projects that inherit from this one; with `recursive` those that inherit from them, too."""
        project, configs = await self._project(request), self._room.configs
        known = await self._room.reading.projects(self._asker.actor(request))
        parents = await asyncio.to_thread(lambda: {one.name: configs.parent(one.name) for one in known})
        wanted = {project.name}
        if "recursive" in request.query:
            while more := {name for name, parent in parents.items() if parent in wanted} - wanted:
                wanted |= more
        found = [one for one in known if parents[one.name] in wanted and one.name != project.name]
        return json_answer(request, [project_info(one, parents[one.name]) for one in found])

    # -- shared ----------------------------------------------------------------------------------------

    async def _project(self, request: web.Request) -> Project:
        name = request.match_info["project"].removesuffix(".git")
        return await self._room.reading.project(self._asker.actor(request), name)

    async def _refs(self, request: web.Request, project: Project, prefix: str) -> Mapping[str, str]:
        """The references that the asker reads, by name."""
        found = await asyncio.to_thread(self._room.repositories.references, project.name, prefix)
        actor, rules = self._asker.actor(request), self._room.rules
        return {ref: found[ref] for ref in sorted(found) if may(actor, Verb.READ, Target(project.name, ref), rules)}

    async def _find(self, request: web.Request, project: Project, revision: str) -> str:
        find = self._room.branching.find_commit
        return await asyncio.to_thread(find, self._asker.actor(request), project.name, revision)


def _part(request: web.Request, found: list[Json]) -> list[Json]:
    """What `m` is a part of and `r` an expression for, from `s`, at most `n`."""
    part, regex = request.query.get("m", "").lower(), request.query.get("r", "")
    try:
        wanted = compiled(regex) if regex else None
    except ValueError as error:
        raise Invalid(reason=reason("review.bad-field", field="r", why=str(error))) from None
    kept: list[Json] = []
    for one in found:
        ref = str(one["ref"]) if isinstance(one, dict) else ""
        short = ref.removeprefix(_HEADS).removeprefix(_TAGS)
        if part in short.lower() and (wanted is None or wanted.fullmatch(short) is not None):
            kept.append(one)
    start = whole_number(request, "s", "S", "start", default=0)
    return kept[start : start + whole_number(request, "n", "limit", default=len(kept))]


def _same(path: str, body: str, field: str) -> None:
    if body and body != path:
        raise Invalid(reason=reason("review.bad-field", field=field, why="it must be that of the address"))
