# SPDX-License-Identifier: Apache-2.0
"""Gerrit's REST calls on what single commits touch and which references contain several.

Thin. A commit that no reference contains which the asker reads is not there.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

from aiohttp import web

from ...access import Target, Verb, may
from ...assignment import Json
from ...errors import Invalid, NotFound
from ...reasons import reason
from ..answers import Handler, json_answer, number_or_none
from ..files.service import Looked, against
from ..gerrit_json import files_info, pseudo_file_info
from ..model import Kind, PatchSet
from ..shaper import Calls
from ..store import upload_of

_MOST = 100
_MESSAGE = "/COMMIT_MSG"


class RestCommits(Calls):
    """`/projects/{project}/commits/{commit}/files` and `commits:in`."""

    def table(self) -> Iterable[tuple[str, str, Handler]]:
        """Method, path, handler."""
        project = "/projects/{project}"
        return (
            ("GET", f"{project}/commits/{{commit}}/files", self._files),
            ("GET", f"{project}/commits:in", self._in),
        )

    async def _files(self, request: web.Request) -> web.StreamResponse:
        """Gerrit's map of FileInfo, against the first parent or the one that `parent` counts."""
        project = await self._project(request)
        commit = await self._find(request, project, request.match_info["commit"])
        whole = await asyncio.to_thread(self._as_patch_set, project, commit)
        base, files = against(whole, (whole,), None, number_or_none(request, "parent")), self._room.files
        message = pseudo_file_info(await files.diff(project, whole, _MESSAGE, base, Looked()))
        changed = await files.changed(project, whole, base)
        return json_answer(request, {_MESSAGE: message, **files_info(changed, with_message=False)})

    async def _in(self, request: web.Request) -> web.StreamResponse:
        """Which of the references `ref` contain each `commit`; a commit in none of them is not told."""
        project, query = await self._project(request), request.query
        commits, refs = query.getall("commit", query.getall("c", [])), query.getall("ref", query.getall("r", []))
        for field, asked in (("commit", commits), ("ref", refs)):
            if not asked or len(asked) > _MOST:
                raise Invalid(reason=reason("review.field-needed", field=field))
        actor, rules = self._asker.actor(request), self._room.rules
        seen = {one for one in refs if may(actor, Verb.READ, Target(project, one), rules)}
        told: dict[str, Json] = {}
        for word in dict.fromkeys(commits):
            try:
                commit = await self._find(request, project, word)
            except NotFound:
                continue
            found = await asyncio.to_thread(self._room.standing.included_in, project, commit)
            if within := sorted(seen & set(found)):
                told[commit] = [*within]
        return json_answer(request, told)

    def _as_patch_set(self, project: str, commit: str) -> PatchSet:
        """A commit as what files are told of; no change has it."""
        made = upload_of(self._room.repositories.commit(project, commit), 0)
        return PatchSet(
            0, 1, made.commit, made.parents, 0, Kind.REWORK, made.committer.when, made.subject, made.message,
            made.author, made.committer,
        )  # fmt: skip

    async def _project(self, request: web.Request) -> str:
        name = request.match_info["project"].removesuffix(".git")
        return (await self._room.reading.project(self._asker.actor(request), name)).name

    async def _find(self, request: web.Request, project: str, revision: str) -> str:
        find = self._room.branching.find_commit
        return await asyncio.to_thread(find, self._asker.actor(request), project, revision)
