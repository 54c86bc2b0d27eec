# SPDX-License-Identifier: Apache-2.0
"""Gerrit's REST calls on how a change stands: what can be done to it, whether it merges, whether all of it is there.

Also its commit message, read and changed at once. Thin, as `rest_changes.py`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

from aiohttp import web

from ..access import Target, Verb, may
from ..assignment import Json
from ..errors import Conflict, Invalid
from ..reasons import reason
from .answers import Handler, body_of, json_answer, text_or
from .drafts import text_of
from .model import branch_ref
from .shaper import Calls
from .standing import Mergeable


class RestStanding(Calls):
    """Below `/changes/{id}`."""

    def table(self) -> Iterable[tuple[str, str, Handler]]:
        """Method, path, handler."""
        one = "/changes/{id}"
        revision = f"{one}/revisions/{{revision}}"
        return (
            ("GET", f"{revision}/actions", self._actions),
            ("GET", f"{revision}/mergeable", self._mergeable),
            ("GET", f"{revision}/description", self._description),
            ("PUT", f"{revision}/description", self._describe),
            ("DELETE", one, self._delete),
            ("GET", f"{one}/check", self._check),
            ("GET", f"{one}/in", self._in),
            ("GET", f"{one}/pure_revert", self._pure_revert),
            ("GET", f"{one}/message", self._message),
            ("PUT", f"{one}/message", self._set_message),
        )

    async def _actions(self, request: web.Request) -> web.StreamResponse:
        view, patch_set = await self._shaper.revision(request)
        return json_answer(request, (await self._shaper.actions(request, view, patch_set))[1])

    async def _mergeable(self, request: web.Request) -> web.StreamResponse:
        """Of an open change's current patch set; `other-branches` is not asked of anything."""
        view, patch_set = await self._shaper.revision(request)
        change, kind = view.change, view.project.submit_type
        if not change.is_open:
            raise Conflict(reason=reason("review.change-is", status=change.status.value.lower()))
        found = await asyncio.to_thread(
            self._room.standing.mergeable, change.project, patch_set.commit, change.branch, kind
        )
        return json_answer(request, {"submit_type": kind.value, **mergeable_info(found)})

    async def _description(self, request: web.Request) -> web.StreamResponse:
        _, patch_set = await self._shaper.revision(request)
        return json_answer(request, patch_set.description)

    async def _describe(self, request: web.Request) -> web.StreamResponse:
        view, patch_set = await self._shaper.revision(request)
        text = (await text_or(request, "description")).strip()
        await self._room.states.describe(self._asker.actor(request), view.change.number, patch_set.number, text)
        return json_answer(request, text) if text else web.Response(status=204)

    async def _delete(self, request: web.Request) -> web.StreamResponse:
        """The change with all of its patch sets and what was said of it, for good; nothing that is merged."""
        change = await self._shaper.change(request)
        await self._room.deleting.delete(self._asker.actor(request), change.number)
        return web.Response(status=204)

    async def _check(self, request: web.Request) -> web.StreamResponse:
        """The change with what is wrong with it: an empty list where nothing is."""
        view = await self._shaper.view(request)
        found = await asyncio.to_thread(self._room.standing.problems, view.change, view.patch_sets)
        info = await self._shaper.info(request, view, frozenset())
        return json_answer(request, {**info, "problems": [{"message": one} for one in found]})

    async def _in(self, request: web.Request) -> web.StreamResponse:
        view, actor = await self._shaper.view(request), self._asker.actor(request)
        project, commit = view.change.project, view.change.merged_as or view.current.commit
        names = await asyncio.to_thread(self._room.standing.included_in, project, commit)
        seen = [one for one in names if may(actor, Verb.READ, Target(project, one), self._room.rules)]
        told: dict[str, Json] = {
            kind: [*sorted(one.removeprefix(prefix) for one in seen if one.startswith(prefix))]
            for kind, prefix in (("branches", "refs/heads/"), ("tags", "refs/tags/"))
        }
        return json_answer(request, told)

    async def _pure_revert(self, request: web.Request) -> web.StreamResponse:
        """Whether it does nothing but undo the change that it is the revert of, or the change's commit `o`."""
        view, asked = await self._shaper.view(request), request.query.get("o", "").lower()
        if not asked:
            if view.change.revert_of is None:
                raise Invalid(reason=reason("review.no-revert", change=view.change.number))
            undone = await self._room.reading.view(self._asker.actor(request), view.change.revert_of)
            asked = undone.current.commit
        project = view.change.project
        tip = await asyncio.to_thread(self._room.repositories.resolve, project, branch_ref(view.change.branch))
        inside = self._room.standing.bench.is_in
        if len(asked) != 40 or tip is None or not await asyncio.to_thread(inside, project, asked, tip):
            raise Invalid(reason=reason("review.base-elsewhere", base=asked, branch=view.change.branch))
        pure = await asyncio.to_thread(self._room.standing.is_pure_revert, project, view.current.commit, asked)
        return json_answer(request, {"is_pure_revert": pure})

    async def _message(self, request: web.Request) -> web.StreamResponse:
        view = await self._shaper.view(request)
        last = view.current.message.rstrip().rpartition("\n\n")[2]
        pairs = (line.partition(": ") for line in last.splitlines() if ": " in line)
        footers: dict[str, Json] = {name: value for name, _, value in pairs if name and " " not in name}
        told: dict[str, Json] = {
            "subject": view.current.subject, "full_message": view.current.message, "footers": footers
        }  # fmt: skip
        return json_answer(request, told)

    async def _set_message(self, request: web.Request) -> web.StreamResponse:
        change, body = await self._shaper.change(request), await body_of(request)
        text = text_of(body.get("message"), "message")
        await self._room.edits.set_message(self._asker.actor(request), change, text)
        return json_answer(request, "ok")


def mergeable_info(found: Mergeable) -> dict[str, Json]:
    """Gerrit's MergeableInfo, but for the submit type."""
    info: dict[str, Json] = {"mergeable": found.possible}
    if found.merged:
        info |= {"commit_merged": True, "content_merged": True}
    return {**info, "conflicts": list(found.conflicts)} if found.conflicts else info
