# SPDX-License-Identifier: Apache-2.0
"""Gerrit's REST calls on comments: published ones, drafts, and those carried to a later patch set.

Thin, as `rest_changes.py`.
"""

from __future__ import annotations

from collections.abc import Iterable

from aiohttp import web

from ...assignment import Json
from ...errors import Invalid, NotFound
from ...reasons import reason
from ..answers import body_of, everywhere, json_answer
from ..drafts import Object, comment_from, text_of
from ..fixes.model import from_text, info
from ..gerrit_comments import comment_info, comments_info
from ..model import DraftedComment, InlineComment, PatchSet
from ..permission import require_account
from ..shaper import Shaper
from ..whole import ChangeView
from .model import StoredDraft
from .service import Threads


class RestThreads:
    """`comments`, `drafts`, `ported_comments`, `ported_drafts` and the empty list of robots' comments."""

    def __init__(self, shaper: Shaper, threads: Threads) -> None:
        self._shaper = shaper
        self._threads = threads

    def routes(self) -> Iterable[web.RouteDef]:
        """What is served."""
        change = "/changes/{id}"
        revision = f"{change}/revisions/{{revision}}"
        draft = f"{revision}/drafts/{{draft}}"
        table = (
            ("GET", f"{change}/comments", self._of_change),
            ("GET", f"{change}/drafts", self._drafts),
            ("GET", f"{revision}/comments", self._of_revision),
            ("GET", f"{revision}/comments/{{comment}}", self._comment),
            ("GET", f"{revision}/ported_comments", self._ported),
            ("GET", f"{revision}/ported_drafts", self._ported_drafts),
            ("GET", f"{revision}/drafts", self._drafts),
            ("PUT", f"{revision}/drafts", self._keep),
            ("GET", draft, self._draft),
            ("PUT", draft, self._keep),
            ("DELETE", draft, self._drop),
            ("POST", f"{draft}/delete", self._drop),
            ("GET", f"{change}/robotcomments", self._none),
            ("GET", f"{revision}/robotcomments", self._none),
        )
        return [route for method, path, handler in table for route in everywhere(method, path, handler)]

    async def _of_change(self, request: web.Request) -> web.StreamResponse:
        view = await self._shaper.view(request)
        return json_answer(request, comments_info(view.comments, view.people, view.commits))

    async def _of_revision(self, request: web.Request) -> web.StreamResponse:
        view, patch_set = await self._shaper.revision(request)
        here = [comment for comment in view.comments if comment.patch_set == patch_set.number]
        return json_answer(request, comments_info(here, view.people, view.commits))

    async def _comment(self, request: web.Request) -> web.StreamResponse:
        view, patch_set = await self._shaper.revision(request)
        id = request.match_info["comment"]
        for comment in view.comments:
            if comment.id == id and comment.patch_set == patch_set.number:
                info = comment_info(comment, view.people, view.commits)
                return json_answer(request, {**info, "path": comment.file})
        raise NotFound(reason=reason("review.no-such-comment", id=id, change=view.change.number))

    async def _ported(self, request: web.Request) -> web.StreamResponse:
        """Threads that are not resolved, as Gerrit carries them."""
        view, patch_set = await self._shaper.revision(request)
        open_threads = unresolved_threads(view.comments)
        found = await self._threads.ported(view.change.project, open_threads, view.patch_sets, patch_set)
        return json_answer(request, comments_info(found, view.people, view.commits))

    async def _ported_drafts(self, request: web.Request) -> web.StreamResponse:
        view, patch_set = await self._shaper.revision(request)
        mine = await self._threads.drafts(self._shaper.asker.actor(request), view.change.number)
        written = [draft.as_comment() for draft in mine]
        found = await self._threads.ported(view.change.project, written, view.patch_sets, patch_set)
        return json_answer(request, _drafts_info(found, view))

    async def _drafts(self, request: web.Request) -> web.StreamResponse:
        if "revision" in request.match_info:
            view, patch_set = await self._shaper.revision(request)
            only: int | None = patch_set.number
        else:
            view, only = await self._shaper.view(request), None
        mine = await self._threads.drafts(self._shaper.asker.actor(request), view.change.number, only)
        return json_answer(request, _drafts_info([draft.as_comment() for draft in mine], view))

    async def _draft(self, request: web.Request) -> web.StreamResponse:
        view, _ = await self._shaper.revision(request)
        found = await self._threads.draft(
            self._shaper.asker.actor(request), view.change.number, request.match_info["draft"]
        )
        return json_answer(request, _draft_info(found, view))

    async def _keep(self, request: web.Request) -> web.StreamResponse:
        """A new draft, or another text for one; what is not said again stays."""
        view, patch_set = await self._shaper.revision(request)
        actor, body = self._shaper.asker.actor(request), await body_of(request)
        require_account(actor)
        id = request.match_info.get("draft", "")
        if id:
            before = await self._threads.draft(actor, view.change.number, id)
            body = {**_said(before), **body}
        path = text_of(body.get("path"), "path").strip()
        if not path:
            raise Invalid(reason=reason("review.field-needed", field="path"))
        comment = comment_from(path, body)
        await self._require_file(view, patch_set, comment)
        kept = await self._threads.keep(actor, patch_set, comment, id)
        return json_answer(request, _draft_info(kept, view), 200 if id else 201)

    async def _require_file(self, view: ChangeView, patch_set: PatchSet, comment: DraftedComment) -> None:
        await self._shaper.room.revisions.require_files(view.change.project, patch_set, [comment.file])

    async def _drop(self, request: web.Request) -> web.StreamResponse:
        view, _ = await self._shaper.revision(request)
        actor = self._shaper.asker.actor(request)
        await self._threads.drop(actor, view.change.number, request.match_info["draft"])
        return web.Response(status=204)

    async def _none(self, request: web.Request) -> web.StreamResponse:
        """Robots' comments are comments since Gerrit 3.13."""
        await self._shaper.change(request)
        return json_answer(request, {})


def unresolved_threads(comments: Iterable[InlineComment]) -> list[InlineComment]:
    """The comments of the threads whose last comment is not resolved."""
    first: dict[str, str] = {}
    last: dict[str, InlineComment] = {}
    several = list(comments)
    for comment in several:
        first[comment.id] = first.get(comment.in_reply_to, comment.id)
        last[first[comment.id]] = comment
    return [comment for comment in several if last[first[comment.id]].unresolved]


def _draft_info(draft: StoredDraft, view: ChangeView) -> dict[str, Json]:
    info = comment_info(draft.as_comment(), {}, view.commits)
    return {name: value for name, value in info.items() if name not in ("author", "change_message_id")} | {
        "path": draft.comment.file
    }


def _drafts_info(drafts: Iterable[InlineComment], view: ChangeView) -> dict[str, Json]:
    found: dict[str, list[Json]] = {}
    for draft in drafts:
        info = comment_info(draft, {}, view.commits)
        kept: dict[str, Json] = {
            name: value for name, value in info.items() if name not in ("author", "change_message_id")
        }
        found.setdefault(draft.file, []).append(kept)
    return {path: found[path] for path in sorted(found)}


def _said(draft: StoredDraft) -> Object:
    one = draft.comment
    said: dict[str, Json] = {"path": one.file, "line": one.line, "side": one.side.value, "message": one.text}
    if one.range is not None:
        names = ("start_line", "start_character", "end_line", "end_character")
        said["range"] = {name: getattr(one.range, name) for name in names}
    if one.fixes:
        said["fix_suggestions"] = [info(fix) for fix in from_text(one.fixes)]
    return said | {"in_reply_to": one.in_reply_to, "unresolved": one.unresolved}
