# SPDX-License-Identifier: Apache-2.0
"""Gerrit's REST calls on a revision: review, commit, relations, comments. Its files are in `files/rest.py`.

Thin, as `rest_changes.py`. A revision is named by its number, a commit or `current`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from aiohttp import web

from .answers import body_of, everywhere, json_answer
from .attention.model import Moves
from .drafts import Object, draft_from, reviewers_from, texts, turns_from
from .gerrit_json import DETAIL, commit_info, read_options, related_info
from .gerrit_labels import account_info
from .shaper import Shaper


class RestRevisions:
    """`/changes/{id}/revisions/{revision}`."""

    def __init__(self, shaper: Shaper) -> None:
        self._shaper = shaper
        self._room = shaper.room
        self._asker = shaper.asker

    def routes(self) -> Iterable[web.RouteDef]:
        """What is served."""
        one = "/changes/{id}"
        revision = f"{one}/revisions/{{revision}}"
        table = (
            ("GET", f"{revision}/review", self._get_review),
            ("POST", f"{revision}/review", self._review),
            ("GET", f"{revision}/commit", self._commit),
            ("GET", f"{revision}/related", self._related),
        )
        return [route for method, path, handler in table for route in everywhere(method, path, handler)]

    async def _get_review(self, request: web.Request) -> web.StreamResponse:
        return await self._shaper.answer(request, DETAIL | {"CURRENT_REVISION"})

    async def _review(self, request: web.Request) -> web.StreamResponse:
        view, patch_set = await self._shaper.revision(request)
        body = await body_of(request)
        named = [(await self._shaper.account_in_body(request, name), state) for name, state in reviewers_from(body)]
        turns = Moves(
            *[await self._turns(request, body, f"{what}_attention_set") for what in ("add_to", "remove_from")]
        )
        reviewers = tuple((account.id, state) for account, state in named)
        draft = replace(draft_from(body), reviewers=reviewers, turns=turns)
        await self._room.revisions.require_files(view.change.project, patch_set, (c.file for c in draft.comments))
        await self._room.review.post(self._asker.actor(request), view.change.number, patch_set.number, draft)
        answer: dict[str, object] = {}
        if "labels" in body:
            answer["labels"] = dict(draft.votes)
        if named:
            answer["reviewers"] = {
                account.username: {"input": account.username, state.value.lower() + "s": [account_info(account)]}
                for account, state in named
            }
        if draft.work_in_progress is False:
            answer["ready"] = True
        options = read_options(texts(body.get("response_format_options"), "response_format_options"))
        now = await self._room.reading.view(self._asker.actor(request), view.change.number)
        answer["change_info"] = await self._shaper.info(now, options)
        return json_answer(request, answer)

    async def _turns(self, request: web.Request, body: Object, name: str) -> tuple[tuple[int, str], ...]:
        named = [(await self._shaper.account_in_body(request, who), why) for who, why in turns_from(body, name)]
        return tuple((account.id, why or "by a reply") for account, why in named)

    async def _commit(self, request: web.Request) -> web.StreamResponse:
        _, patch_set = await self._shaper.revision(request)
        return json_answer(request, commit_info(patch_set))

    async def _related(self, request: web.Request) -> web.StreamResponse:
        view, patch_set = await self._shaper.revision(request)
        found = await self._room.reading.related(self._asker.actor(request), view.change, patch_set)
        return json_answer(request, related_info(found))
