# SPDX-License-Identifier: Apache-2.0
"""Gerrit's REST calls on the attention set of a change: who is in it, adding, taking out.

Thin; anybody who may comment may move people, with a reason.
"""

from __future__ import annotations

from collections.abc import Iterable

from aiohttp import web

from ...assignment import Json
from ...errors import Invalid
from ...reasons import reason
from ..answers import body_of, everywhere, json_answer
from ..drafts import text_of
from ..gerrit_labels import account_info
from ..permission import require_account
from ..shaper import Shaper
from .infos import entry_info
from .model import Moves


class RestAttention:
    """`/changes/{id}/attention`."""

    def __init__(self, shaper: Shaper) -> None:
        self._shaper = shaper

    def routes(self) -> Iterable[web.RouteDef]:
        """What is served."""
        one = "/changes/{id}/attention"
        table = (
            ("GET", one, self._list),
            ("POST", one, self._add),
            ("DELETE", f"{one}/{{account}}", self._remove),
            ("POST", f"{one}/{{account}}/delete", self._remove),
        )
        return [route for method, path, handler in table for route in everywhere(method, path, handler)]

    async def _list(self, request: web.Request) -> web.StreamResponse:
        view = await self._shaper.view(request)
        shown: list[Json] = [entry_info(one, view.people) for one in view.attention if one.active]
        return json_answer(request, shown)

    async def _add(self, request: web.Request) -> web.StreamResponse:
        require_account(self._shaper.asker.actor(request))
        change, body = await self._shaper.change(request), await body_of(request)
        why = _reason(text_of(body.get("reason"), "reason"))
        account = await self._shaper.account_in_body(request, text_of(body.get("user"), "user"))
        await self._move(request, change.number, Moves(add=((account.id, why),)))
        return json_answer(request, account_info(account))

    async def _remove(self, request: web.Request) -> web.StreamResponse:
        require_account(self._shaper.asker.actor(request))
        change, body = await self._shaper.change(request), await body_of(request)
        account = await self._shaper.account(request, request.match_info["account"])
        why = _reason(text_of(body.get("reason"), "reason") or request.query.get("reason", ""))
        await self._move(request, change.number, Moves(remove=((account.id, why),)))
        return web.Response(status=204)

    async def _move(self, request: web.Request, change: int, moves: Moves) -> None:
        await self._shaper.room.review.move_attention(self._shaper.asker.actor(request), change, moves)


def _reason(text: str) -> str:
    if not text.strip() or len(text) > 1000:
        raise Invalid(reason=reason("review.bad-field", field="reason", why="say why in 1 to 1000 characters"))
    return text.strip()
