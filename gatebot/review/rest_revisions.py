# SPDX-License-Identifier: Apache-2.0
"""Gerrit's REST calls on a revision and on reviewers: review, files, commit, patch, relations, votes.

Thin, as `rest_changes.py`. A revision is named by its number, a commit or `current`.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable
from dataclasses import replace

from aiohttp import web

from ..errors import NotFound
from ..identity import Account
from ..reasons import reason
from .answers import body_of, everywhere, json_answer
from .drafts import draft_from, reviewers_from, text_of
from .gerrit_json import DETAIL, comments_info, commit_info, files_info, related_info
from .gerrit_labels import account_info
from .model import PatchSet, ReviewerState
from .permission import require_account
from .rest_changes import Shaper
from .verdict import signed
from .whole import ChangeView


class RestRevisions:
    """`/changes/{id}/revisions/{revision}` and `/changes/{id}/reviewers`."""

    def __init__(self, shaper: Shaper) -> None:
        self._shaper = shaper
        self._room = shaper.room
        self._asker = shaper.asker

    def routes(self) -> Iterable[web.RouteDef]:
        """What is served."""
        one = "/changes/{id}"
        revision = f"{one}/revisions/{{revision}}"
        reviewer = f"{one}/reviewers/{{account}}"
        table = (
            ("GET", f"{revision}/review", self._get_review),
            ("POST", f"{revision}/review", self._review),
            ("GET", f"{revision}/commit", self._commit),
            ("GET", f"{revision}/files", self._files),
            ("GET", f"{revision}/patch", self._patch),
            ("GET", f"{revision}/related", self._related),
            ("GET", f"{revision}/comments", self._comments),
            ("GET", f"{one}/reviewers", self._reviewers),
            ("POST", f"{one}/reviewers", self._add_reviewer),
            ("GET", reviewer, self._reviewer),
            ("DELETE", reviewer, self._remove_reviewer),
            ("POST", f"{reviewer}/delete", self._remove_reviewer),
            ("GET", f"{reviewer}/votes", self._votes),
            ("DELETE", f"{reviewer}/votes/{{label}}", self._delete_vote),
            ("POST", f"{reviewer}/votes/{{label}}/delete", self._delete_vote),
        )
        return [route for method, path, handler in table for route in everywhere(method, path, handler)]

    async def _get_review(self, request: web.Request) -> web.StreamResponse:
        return await self._shaper.answer(request, DETAIL | {"CURRENT_REVISION"})

    async def _review(self, request: web.Request) -> web.StreamResponse:
        view, patch_set = await self._revision(request)
        body = await body_of(request)
        named = [(await self._account(request, name), state) for name, state in reviewers_from(body)]
        draft = replace(draft_from(body), reviewers=tuple((account.id, state) for account, state in named))
        await self._room.revisions.require_files(view.change.project, patch_set, (c.file for c in draft.comments))
        await self._room.review.post(self._asker.actor(request), view.change.number, patch_set.number, draft)
        answer: dict[str, object] = {}
        if draft.votes:
            answer["labels"] = dict(draft.votes)
        if named:
            answer["reviewers"] = {
                account.username: {"input": account.username, state.value.lower() + "s": [account_info(account)]}
                for account, state in named
            }
        if draft.work_in_progress is False:
            answer["ready"] = True
        return json_answer(request, answer)

    async def _commit(self, request: web.Request) -> web.StreamResponse:
        _, patch_set = await self._revision(request)
        return json_answer(request, commit_info(patch_set))

    async def _files(self, request: web.Request) -> web.StreamResponse:
        view, patch_set = await self._revision(request)
        base = request.query.get("base", "")
        against = _named(view, base) if base else None
        files = await self._room.revisions.files(view.change.project, patch_set, against)
        return json_answer(request, files_info(files))

    async def _patch(self, request: web.Request) -> web.StreamResponse:
        view, patch_set = await self._revision(request)
        patch = await self._room.revisions.patch(view.change.project, patch_set)
        headers = {"X-FYI-Content-Encoding": "base64", "X-FYI-Content-Type": "application/mbox"}
        body = base64.b64encode(patch)
        return web.Response(body=body, headers=headers, content_type="text/plain", charset="ISO-8859-1")

    async def _related(self, request: web.Request) -> web.StreamResponse:
        view, patch_set = await self._revision(request)
        found = await self._room.reading.related(self._asker.actor(request), view.change, patch_set)
        return json_answer(request, related_info(found))

    async def _comments(self, request: web.Request) -> web.StreamResponse:
        view, patch_set = await self._revision(request)
        here = [comment for comment in view.comments if comment.patch_set == patch_set.number]
        return json_answer(request, comments_info(here, view.people))

    async def _reviewers(self, request: web.Request) -> web.StreamResponse:
        view = await self._shaper.view(request)
        return json_answer(request, [_reviewer_info(view, reviewer.account) for reviewer in view.reviewers])

    async def _reviewer(self, request: web.Request) -> web.StreamResponse:
        view = await self._shaper.view(request)
        account = await self._account(request, request.match_info["account"])
        if account.id not in {reviewer.account for reviewer in view.reviewers}:
            raise NotFound(
                reason=reason("review.no-such-reviewer", account=account.username, change=view.change.number)
            )
        return json_answer(request, [_reviewer_info(view, account.id)])

    async def _add_reviewer(self, request: web.Request) -> web.StreamResponse:
        require_account(self._asker.actor(request))
        change, body = await self._shaper.change(request), await body_of(request)
        account = await self._account(request, text_of(body.get("reviewer"), "reviewer"))
        state = ReviewerState.CC if text_of(body.get("state"), "state").upper() == "CC" else ReviewerState.REVIEWER
        await self._room.review.add_reviewer(self._asker.actor(request), change.number, account.id, state)
        entry = account_info(account)
        return json_answer(request, {"input": account.username, state.value.lower() + "s": [entry]})

    async def _remove_reviewer(self, request: web.Request) -> web.StreamResponse:
        change = await self._shaper.change(request)
        account = await self._account(request, request.match_info["account"])
        await self._room.review.remove_reviewer(self._asker.actor(request), change.number, account.id)
        return web.Response(status=204)

    async def _votes(self, request: web.Request) -> web.StreamResponse:
        view = await self._shaper.view(request)
        account = await self._account(request, request.match_info["account"])
        return json_answer(request, {v.label: v.value for v in view.votes if v.account == account.id})

    async def _delete_vote(self, request: web.Request) -> web.StreamResponse:
        change = await self._shaper.change(request)
        account = await self._account(request, request.match_info["account"])
        label = request.match_info["label"]
        await self._room.review.delete_vote(self._asker.actor(request), change.number, account.id, label)
        return web.Response(status=204)

    async def _revision(self, request: web.Request) -> tuple[ChangeView, PatchSet]:
        view = await self._shaper.view(request)
        return view, _named(view, request.match_info["revision"])

    async def _account(self, request: web.Request, name: str) -> Account:
        return await find_account(self._shaper, request, name)


async def find_account(shaper: Shaper, request: web.Request, name: str) -> Account:
    """The account of a path or body: `self`, an id, a username or an address."""
    identity, own = shaper.room.identity, shaper.asker.account(request)
    found: Account | None = own if name == "self" else None
    if name.isdecimal() and len(name) < 10:
        found = await identity.by_id(int(name))
    if found is None and name and name != "self":
        found = await identity.by_username(name) or await identity.by_email(name)
    if found is None:
        raise NotFound(reason=reason("review.no-such-account", account=name))
    return found


def _named(view: ChangeView, name: str) -> PatchSet:
    """The patch set that a path names."""
    for patch_set in view.patch_sets:
        by_commit = len(name) >= 7 and patch_set.commit.startswith(name.lower())
        if name == str(patch_set.number) or by_commit or (name == "current" and patch_set is view.current):
            return patch_set
    raise NotFound(reason=reason("review.no-such-patch-set", change=view.change.number, patch_set=name))


def _reviewer_info(view: ChangeView, account: int) -> dict[str, object]:
    votes = {v.label: v.value for v in view.votes if v.account == account}
    approvals = {label.name: signed(votes.get(label.name, 0)).rjust(2) for label in view.rules.labels}
    known = view.people.get(account)
    return {**(account_info(known) if known else {"_account_id": account}), "approvals": approvals}
