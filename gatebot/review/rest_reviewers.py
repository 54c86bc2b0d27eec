# SPDX-License-Identifier: Apache-2.0
"""Gerrit's REST calls on the reviewers of a change: who they are, adding, taking away, their votes, suggestions.

Thin, as `rest_changes.py`.
"""

from __future__ import annotations

from collections.abc import Iterable

from aiohttp import web

from ..assignment import Json
from ..errors import Invalid, NotFound
from ..identity import Account
from ..reasons import reason
from .answers import body_of, everywhere, json_answer, start_and_limit
from .drafts import flag, state_from, text_of
from .gerrit_labels import account_info
from .mail import wishes
from .model import Change, ReviewerState
from .people.finding import account_query, fits, ranked
from .permission import require_account
from .shaper import Shaper
from .verdict import signed
from .whole import ChangeView

_SUGGESTED = 10


class RestReviewers:
    """`/changes/{id}/reviewers` and `suggest_reviewers`."""

    def __init__(self, shaper: Shaper) -> None:
        self._shaper = shaper
        self._room = shaper.room
        self._asker = shaper.asker

    def routes(self) -> Iterable[web.RouteDef]:
        """What is served, on the change and below its current revision."""
        one = "/changes/{id}"
        table = [("GET", f"{one}/suggest_reviewers", self._suggest)]
        for place in (one, f"{one}/revisions/{{revision}}"):
            reviewer = f"{place}/reviewers/{{account}}"
            table += [
                ("GET", f"{place}/reviewers", self._reviewers),
                ("GET", reviewer, self._reviewer),
                ("GET", f"{reviewer}/votes", self._votes),
                ("DELETE", f"{reviewer}/votes/{{label}}", self._delete_vote),
                ("POST", f"{reviewer}/votes/{{label}}/delete", self._delete_vote),
            ]
        reviewer = f"{one}/reviewers/{{account}}"
        table += [
            ("POST", f"{one}/reviewers", self._add_reviewer),
            ("DELETE", reviewer, self._remove_reviewer),
            ("POST", f"{reviewer}/delete", self._remove_reviewer),
        ]
        return [route for method, path, handler in table for route in everywhere(method, path, handler)]

    async def _suggest(self, request: web.Request) -> web.StreamResponse:
        """Active accounts that the words fit but owner and reviewers; who reviewed here lately comes first."""
        require_account(self._asker.actor(request))
        view = await self._shaper.view(request)
        _, limit = start_and_limit(request, _SUGGESTED)
        terms = account_query(request.query.get("q", ""), active_only=True)
        taken = {view.change.owner, *(one.account for one in view.reviewers)}
        found = [one for one in await self._room.identity.all() if one.id not in taken and fits(one, terms)]
        recent = await self._room.reading.reviewers_of(view.change.project)
        shown: list[Json] = [{"account": account_info(one), "count": 1} for one in ranked(found, recent)[:limit]]
        return json_answer(request, shown)

    async def _reviewers(self, request: web.Request) -> web.StreamResponse:
        view = await self._shaper.view(request)
        return json_answer(request, [_reviewer_info(view, reviewer.account) for reviewer in view.reviewers])

    async def _reviewer(self, request: web.Request) -> web.StreamResponse:
        view = await self._shaper.view(request)
        account = await self._shaper.account(request, request.match_info["account"])
        if account.id not in {reviewer.account for reviewer in view.reviewers}:
            raise NotFound(
                reason=reason("review.no-such-reviewer", account=account.username, change=view.change.number)
            )
        return json_answer(request, [_reviewer_info(view, account.id)])

    async def _add_reviewer(self, request: web.Request) -> web.StreamResponse:
        require_account(self._asker.actor(request))
        change, body = await self._shaper.change(request), await body_of(request)
        name, confirmed = text_of(body.get("reviewer"), "reviewer"), flag(body.get("confirmed"), "confirmed") is True
        if not name.strip():
            raise Invalid(reason=reason("review.field-needed", field="reviewer"))
        found = await invited(self._shaper, request, change, name, confirmed=confirmed)
        state = state_from(body)
        wish = await wishes.asked(self._shaper, request)
        for account in found:
            await self._room.review.add_reviewer(self._asker.actor(request), change.number, account.id, state, wish)
        return json_answer(request, added_info(name, state, found))

    async def _remove_reviewer(self, request: web.Request) -> web.StreamResponse:
        change = await self._shaper.change(request)
        account = await self._shaper.account(request, request.match_info["account"])
        wish = await wishes.asked(self._shaper, request)
        await self._room.review.remove_reviewer(self._asker.actor(request), change.number, account.id, wish)
        return web.Response(status=204)

    async def _votes(self, request: web.Request) -> web.StreamResponse:
        view = await self._shaper.view(request)
        account = await self._shaper.account(request, request.match_info["account"])
        return json_answer(request, {v.label: v.value for v in view.votes if v.account == account.id})

    async def _delete_vote(self, request: web.Request) -> web.StreamResponse:
        change = await self._shaper.change(request)
        account = await self._shaper.account(request, request.match_info["account"])
        label = request.match_info["label"]
        wish = await wishes.asked(self._shaper, request)
        await self._room.review.delete_vote(self._asker.actor(request), change.number, account.id, label, wish)
        return web.Response(status=204)


async def invited(
    shaper: Shaper, request: web.Request, change: Change, name: str, *, confirmed: bool
) -> tuple[Account, ...]:
    """The account that a body wants as reviewer, or the members of the group that it names."""
    try:
        return (await shaper.account(request, name),)
    except NotFound:
        return await shaper.room.inviting.group(shaper.asker.actor(request), change, name, confirmed=confirmed)


def added_info(name: str, state: ReviewerState, added: Iterable[Account]) -> dict[str, Json]:
    """Gerrit's AddReviewerResult."""
    return {"input": name, f"{state.value.lower()}s": [account_info(one) for one in added]}


def _reviewer_info(view: ChangeView, account: int) -> dict[str, object]:
    votes = {v.label: v.value for v in view.votes if v.account == account}
    approvals = {label.name: signed(votes.get(label.name, 0)).rjust(2) for label in view.rules.labels}
    known = view.people.get(account)
    return {**(account_info(known) if known else {"_account_id": account}), "approvals": approvals}
