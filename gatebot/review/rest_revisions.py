# SPDX-License-Identifier: Apache-2.0
"""Gerrit's REST calls on a revision: review, commit, relations, comments. Its files are in `files/rest.py`.

Thin, as `rest_changes.py`. A revision is named by its number, a commit or `current`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from aiohttp import web

from .answers import Handler, body_of, json_answer
from .attention.model import Moves
from .drafts import Object, draft_from, reviewers_from, texts, turns_from
from .gerrit_json import DETAIL, read_options, related_info
from .mail import wishes
from .rest_reviewers import added_info, invited
from .shaper import Calls
from .whole import ChangeView


class RestRevisions(Calls):
    """`/changes/{id}/revisions/{revision}`."""

    def table(self) -> Iterable[tuple[str, str, Handler]]:
        """Method, path, handler."""
        revision = "/changes/{id}/revisions/{revision}"
        return (
            ("GET", f"{revision}/review", self._get_review),
            ("POST", f"{revision}/review", self._review),
            ("GET", f"{revision}/commit", self._commit),
            ("GET", f"{revision}/related", self._related),
        )

    async def _get_review(self, request: web.Request) -> web.StreamResponse:
        return await self._shaper.answer(request, DETAIL | {"CURRENT_REVISION"})

    async def _review(self, request: web.Request) -> web.StreamResponse:
        view, patch_set = await self._shaper.revision(request)
        body = await body_of(request)
        asked = [
            (name, state, await invited(self._shaper, request, view.change, name, confirmed=confirmed))
            for name, state, confirmed in reviewers_from(body)
        ]
        turns = Moves(
            *[await self._turns(request, body, f"{what}_attention_set") for what in ("add_to", "remove_from")]
        )
        reviewers = tuple((account.id, state) for _, state, found in asked for account in found)
        wish = await wishes.asked(self._shaper, request)
        draft = replace(draft_from(body), reviewers=reviewers, turns=turns, wish=wish)
        if body.get("strict_labels") is False:  # Zuul and Gertty vote on what a project may not have
            draft = replace(draft, votes=tuple(vote for vote in draft.votes if _known(view, *vote)))
        await self._room.revisions.require_files(view.change.project, patch_set, (c.file for c in draft.comments))
        await self._room.review.post(self._asker.actor(request), view.change.number, patch_set.number, draft)
        answer: dict[str, object] = {}
        if "labels" in body:
            answer["labels"] = dict(draft.votes)
        if asked:
            answer["reviewers"] = {name: added_info(name, state, found) for name, state, found in asked}
        if draft.work_in_progress is False:
            answer["ready"] = True
        options = read_options(texts(body.get("response_format_options"), "response_format_options"))
        answer["change_info"] = await self._shaper.info_of(request, view.change.number, options)
        return json_answer(request, answer)

    async def _turns(self, request: web.Request, body: Object, name: str) -> tuple[tuple[int, str], ...]:
        named = [(await self._shaper.account_in_body(request, who), why) for who, why in turns_from(body, name)]
        return tuple((account.id, why) for account, why in named)

    async def _commit(self, request: web.Request) -> web.StreamResponse:
        view, patch_set = await self._shaper.revision(request)
        return json_answer(request, await self._shaper.commit(view.change.project, patch_set.commit))

    async def _related(self, request: web.Request) -> web.StreamResponse:
        view, patch_set = await self._shaper.revision(request)
        found = await self._room.reading.related(self._asker.actor(request), view.change, patch_set)
        return json_answer(request, related_info(found))


def _known(view: ChangeView, label: str, value: int) -> bool:
    """Whether the project has such a vote."""
    found = view.rules.label(label)
    return found is not None and found.lowest <= value <= found.highest
