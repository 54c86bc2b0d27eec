# SPDX-License-Identifier: Apache-2.0
"""Gerrit's REST calls that make changes and patch sets without a clone: `POST /changes/`, `patch:apply`, `merge`.

Thin, as `rest_changes.py`.
"""

from __future__ import annotations

from collections.abc import Iterable

from aiohttp import web

from ...access import Actor
from ...assignment import Json
from ...errors import Invalid, NotFound, Unprocessable
from ...reasons import reason
from ..answers import body_of, everywhere, json_answer
from ..drafts import Object, bad, flag, object_of, text_of, texts
from ..gerrit_json import read_options
from ..permission import require_account
from ..shaper import Shaper
from .adding import Added, Applied, NewMerge
from .creating import NewChange
from .mixing import Merge, Patch

_SHOWN = frozenset({"CURRENT_REVISION"})


class RestCreating:
    """Makes, and tells the change."""

    def __init__(self, shaper: Shaper) -> None:
        self._shaper = shaper

    def routes(self) -> Iterable[web.RouteDef]:
        """What is served."""
        one = "/changes/{id}"
        table = (
            ("POST", "/changes", self._create),
            ("POST", f"{one}/patch:apply", self._apply),
            ("POST", f"{one}/merge", self._merge),
        )
        return [route for method, path, handler in table for route in everywhere(method, path, handler)]

    async def _create(self, request: web.Request) -> web.StreamResponse:
        actor, body = self._shaper.asker.actor(request), await body_of(request)
        require_account(actor)
        project, branch = (_needed(body, name) for name in ("project", "branch"))
        if text_of(body.get("status"), "status").upper() not in ("", "NEW"):
            raise bad("status", "a new change is NEW")
        merge, patch = (object_of(body.get(name), name) for name in ("merge", "patch"))
        if "merge" in body and "patch" in body:
            raise Invalid(reason=reason("review.merge-and-patch"))
        wanted = NewChange(
            project=project,
            branch=branch.removeprefix("refs/heads/"),
            subject=text_of(body.get("subject"), "subject"),
            topic=text_of(body.get("topic"), "topic").strip(),
            base=text_of(body.get("base_commit"), "base_commit").lower(),
            onto=await self._onto(actor, project, body),
            author=_author(object_of(body.get("author"), "author")),
            merge=_merged(merge) if body.get("merge") is not None else None,
            patch=_patch(patch) if body.get("patch") is not None else None,
            new_branch=flag(body.get("new_branch"), "new_branch") is True,
            private=flag(body.get("is_private"), "is_private"),
            work_in_progress=flag(body.get("work_in_progress"), "work_in_progress"),
        )
        made = await self._shaper.room.creating.create(actor, wanted)
        return await self._told(request, made, 201, frozenset())

    async def _apply(self, request: web.Request) -> web.StreamResponse:
        change, body = await self._shaper.change(request), await body_of(request)
        wanted = Applied(
            _patch(object_of(body.get("patch"), "patch")),
            text_of(body.get("commit_message"), "commit_message"),
            text_of(body.get("base"), "base").strip().lower(),
            flag(body.get("amend"), "amend") is True,
            _author(object_of(body.get("author"), "author")),
        )
        options = read_options(texts(body.get("response_format_options"), "response_format_options"), "")
        made = await self._shaper.room.creating.adding.apply(self._shaper.asker.actor(request), change, wanted)
        return await self._told(request, made, 200, options)

    async def _merge(self, request: web.Request) -> web.StreamResponse:
        change, body = await self._shaper.change(request), await body_of(request)
        actor = self._shaper.asker.actor(request)
        wanted = NewMerge(
            _merged(object_of(body.get("merge"), "merge")),
            text_of(body.get("subject"), "subject"),
            await self._onto(actor, change.project, body),
            flag(body.get("inherit_parent"), "inherit_parent") is True,
            _author(object_of(body.get("author"), "author")),
        )
        made = await self._shaper.room.creating.adding.merge(actor, change, wanted)
        return await self._told(request, made, 200, _SHOWN)

    async def _told(
        self, request: web.Request, made: Added, status: int, options: frozenset[str]
    ) -> web.StreamResponse:
        info = await self._shaper.info_of(request, made.change.number, options)
        marked: dict[str, Json] = {"contains_git_conflicts": True} if made.conflicts else {}
        return json_answer(request, {**info, **marked}, status)

    async def _onto(self, actor: Actor, project: str, body: Object) -> str:
        """The commit of the change that the new one shall stand on."""
        base = text_of(body.get("base_change"), "base_change").strip()
        if not base:
            return ""
        if body.get("base_commit"):
            raise bad("base_change", "ask for one of base_commit and base_change")
        try:
            found = await self._shaper.room.reading.find(actor, base)
        except NotFound:
            found = None
        if found is None or found.project != project:
            raise Unprocessable(reason=reason("review.rebase-no-base", base=base[:100]))
        view = await self._shaper.room.reading.view(actor, found.number)
        return view.current.commit


def _merged(said: Object) -> Merge:
    return Merge(
        text_of(said.get("source"), "source").strip(),
        text_of(said.get("source_branch"), "source_branch").strip().removeprefix("refs/heads/"),
        text_of(said.get("strategy"), "strategy").strip(),
        flag(said.get("allow_conflicts"), "allow_conflicts") is True,
    )


def _patch(said: Object) -> Patch:
    return Patch(text_of(said.get("patch"), "patch"), flag(said.get("allow_conflicts"), "allow_conflicts") is True)


def _needed(body: Object, name: str) -> str:
    value = text_of(body.get(name), name).strip()
    if not value:
        raise Invalid(reason=reason("review.field-needed", field=name))
    return value


def _author(said: Object) -> tuple[str, str] | None:
    """Name and address; None: nobody is named."""
    if not said:
        return None
    name, email = (text_of(said.get(one), one).strip() for one in ("name", "email"))
    if not name or not email:
        raise Invalid(reason=reason("review.author-whole"))
    return name, email
