# SPDX-License-Identifier: Apache-2.0
"""Gerrit's REST calls on suggestions: writing one into the asker's change edit; and taking a comment's text away.

Thin, as `rest_changes.py`. The edit becomes a patch set by `edit:publish`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence

from aiohttp import web

from ...assignment import Json
from ...errors import Conflict, NotFound
from ...reasons import reason
from ..answers import Handler, body_of, json_answer
from ..drafts import replacements_from, text_of
from ..fixes.model import Replacement, from_text
from ..fixes.previewing import preview
from ..fixes.suggestion import fix_of
from ..gerrit_comments import comment_info
from ..model import PatchSet
from ..permission import require_account
from ..shaper import Calls, Shaper
from ..whole import ChangeView
from .service import Edits


class RestFixes(Calls):
    """Below `/changes/{id}/revisions/{revision}`."""

    def __init__(self, shaper: Shaper, edits: Edits) -> None:
        super().__init__(shaper)
        self._edits = edits

    def table(self) -> Iterable[tuple[str, str, Handler]]:
        """Method, path, handler."""
        revision = "/changes/{id}/revisions/{revision}"
        return (
            ("POST", f"{revision}/fixes/{{fix}}/apply", self._apply),
            ("POST", f"{revision}/fix:apply", self._apply_given),
            ("POST", f"{revision}/fix:preview", self._preview_given),
            ("GET", f"{revision}/fixes/{{fix}}/preview", self._preview),
            ("POST", f"{revision}/comments/{{comment}}/delete", self._blank),
            ("DELETE", f"{revision}/comments/{{comment}}", self._blank),
        )

    async def _apply(self, request: web.Request) -> web.StreamResponse:
        """A suggestion by its name, or that of a comment with a block of suggested text by the comment's."""
        require_account(self._asker.actor(request))
        view, patch_set = await self._shaper.revision(request)
        return await self._written(request, view, patch_set, _named(request, view, patch_set))

    async def _preview(self, request: web.Request) -> web.StreamResponse:
        """What a suggestion would change: Gerrit's DiffInfo by file."""
        view, patch_set = await self._shaper.revision(request)
        return await self._previewed(request, view, patch_set, _named(request, view, patch_set))

    async def _preview_given(self, request: web.Request) -> web.StreamResponse:
        """The same for replacements that nobody has put into a comment yet."""
        require_account(self._asker.actor(request))
        view, patch_set = await self._shaper.revision(request)
        given = replacements_from((await body_of(request)).get("fix_replacement_infos"), "fix_replacement_infos")
        return await self._previewed(request, view, patch_set, given)

    async def _previewed(
        self, request: web.Request, view: ChangeView, patch_set: PatchSet, replacements: Sequence[Replacement]
    ) -> web.StreamResponse:
        given = self._room.files, view.change.project, patch_set, replacements
        told = await asyncio.to_thread(preview, *given)
        return json_answer(request, told)

    async def _apply_given(self, request: web.Request) -> web.StreamResponse:
        require_account(self._asker.actor(request))
        view, patch_set = await self._shaper.revision(request)
        given = replacements_from((await body_of(request)).get("fix_replacement_infos"), "fix_replacement_infos")
        return await self._written(request, view, patch_set, given)

    async def _written(
        self, request: web.Request, view: ChangeView, patch_set: PatchSet, replacements: Sequence[Replacement]
    ) -> web.StreamResponse:
        """EditInfo: what the asker's edit is now."""
        if patch_set is not view.current:
            raise Conflict(reason=reason("review.fix-old", patch_set=patch_set.number, current=view.change.current))
        actor = self._asker.actor(request)
        edit = await self._edits.replace(actor, view.change, replacements)
        commit = await self._shaper.commit(self._room.maker.scratch(view.change.project), edit.commit)
        told: dict[str, Json] = {
            "commit": commit,
            "base_patch_set_number": edit.base,
            "base_revision": view.commits[edit.base],
        }
        return json_answer(request, told)

    async def _blank(self, request: web.Request) -> web.StreamResponse:
        """By administrators: who took the text away, and why, stands there instead."""
        require_account(self._asker.actor(request))
        view, patch_set = await self._shaper.revision(request)
        why = text_of((await body_of(request)).get("reason"), "reason").strip()
        id, actor = request.match_info["comment"], self._asker.actor(request)
        if all(one.id != id or one.patch_set != patch_set.number for one in view.comments):
            raise NotFound(reason=reason("review.no-such-comment", id=id[:80], change=view.change.number))
        await self._room.review.blank_comment(actor, view.change.number, id, why)
        now = await self._room.reading.view(actor, view.change.number)
        (comment,) = (one for one in now.comments if one.id == id)
        return json_answer(request, {**comment_info(comment, now.people, now.commits), "path": comment.file})


def _named(request: web.Request, view: ChangeView, patch_set: PatchSet) -> Sequence[Replacement]:
    """The suggestion that the address names, by its own name or by that of the comment with the suggested text."""
    wanted = request.match_info["fix"]
    here = [one for one in view.comments if one.patch_set == patch_set.number]
    found = [fix for one in here for fix in from_text(one.fixes)]
    found += [fix for one in here if (fix := fix_of(one.id, one.file, one.text, one.line, one.range)) is not None]
    for fix in found:
        if fix.id == wanted:
            return fix.replacements
    raise NotFound(reason=reason("review.no-such-fix", id=wanted[:80], change=view.change.number))
