# SPDX-License-Identifier: Apache-2.0
"""Gerrit's REST calls on changes: list, look, vote and comment, change what they are, submit.

Thin: finds the change, calls the room, shapes the answer. Reviewers are in `rest_reviewers.py`,
revisions in `rest_revisions.py`.
"""

from __future__ import annotations

from collections.abc import Iterable

from aiohttp import web

from .answers import body_of, everywhere, json_answer, only, start_and_limit, text_or
from .drafts import texts
from .gerrit_comments import message_info
from .gerrit_json import DETAIL, read_options
from .mail import wishes
from .search import MOST
from .shaper import Shaper, infos

_ASKED = "q query n limit S start o O no-limit skip-visibility allow-incomplete-results"


class RestChanges:
    """`/changes/` and `/changes/{id}`."""

    def __init__(self, shaper: Shaper) -> None:
        self._shaper = shaper
        self._room = shaper.room
        self._asker = shaper.asker

    def routes(self) -> Iterable[web.RouteDef]:
        """What is served."""
        one = "/changes/{id}"
        table = (
            ("GET", "/changes", self._list),
            ("GET", one, self._get),
            ("GET", f"{one}/detail", self._detail),
            ("POST", f"{one}/abandon", self._abandon),
            ("POST", f"{one}/restore", self._restore),
            ("POST", f"{one}/wip", self._wip),
            ("POST", f"{one}/ready", self._ready),
            ("POST", f"{one}/private", self._private),
            ("PUT", f"{one}/private", self._private),
            ("DELETE", f"{one}/private", self._public),
            ("POST", f"{one}/private.delete", self._public),
            ("GET", f"{one}/topic", self._topic),
            ("PUT", f"{one}/topic", self._set_topic),
            ("DELETE", f"{one}/topic", self._set_topic),
            ("GET", f"{one}/hashtags", self._hashtags),
            ("POST", f"{one}/hashtags", self._set_hashtags),
            ("GET", f"{one}/messages", self._messages),
        )
        return [route for method, path, handler in table for route in everywhere(method, path, handler)]

    async def _list(self, request: web.Request) -> web.StreamResponse:
        """Several `q` are several queries, and the answer a list of lists."""
        only(request, _ASKED)
        options = read_options(request.query.getall("o", []), request.query.get("O", ""))
        start, limit = start_and_limit(request, MOST)
        lists: list[list[dict[str, object]]] = []
        asked = [text for name, text in request.query.items() if name in ("q", "query")]
        for query in asked or ["status:open"]:
            views, more = await self._room.reading.search(self._asker.actor(request), query, limit, start)
            lists.append(await infos(self._shaper, request, views, options, more=more))
        return json_answer(request, lists[0] if len(lists) == 1 else lists)

    async def _get(self, request: web.Request) -> web.StreamResponse:
        options = read_options(request.query.getall("o", []), request.query.get("O", ""))
        return await self._shaper.answer(request, options)

    async def _detail(self, request: web.Request) -> web.StreamResponse:
        """With what Zuul and git-review ask for besides, so that one call is enough."""
        asked = read_options(request.query.getall("o", []), request.query.get("O", ""))
        more = {"CURRENT_REVISION", "ALL_REVISIONS", "CURRENT_COMMIT", "SUBMIT_REQUIREMENTS"}
        return await self._shaper.answer(request, asked | DETAIL | more)

    async def _abandon(self, request: web.Request) -> web.StreamResponse:
        change, text = await self._shaper.change(request), await text_or(request, "message")
        wish = await wishes.asked(self._shaper, request)
        await self._room.states.abandon(self._asker.actor(request), change.number, text, wish)
        return await self._shaper.answer(request)

    async def _restore(self, request: web.Request) -> web.StreamResponse:
        change, text = await self._shaper.change(request), await text_or(request, "message")
        wish = await wishes.asked(self._shaper, request)
        await self._room.states.restore(self._asker.actor(request), change.number, text, wish)
        return await self._shaper.answer(request)

    async def _wip(self, request: web.Request) -> web.StreamResponse:
        return await self._set_wip(request, wanted=True)

    async def _ready(self, request: web.Request) -> web.StreamResponse:
        return await self._set_wip(request, wanted=False)

    async def _set_wip(self, request: web.Request, *, wanted: bool) -> web.StreamResponse:
        change, text = await self._shaper.change(request), await text_or(request, "message")
        wish = await wishes.asked(self._shaper, request)
        await self._room.states.set_work_in_progress(self._asker.actor(request), change.number, wanted, text, wish)
        return json_answer(request, "")

    async def _private(self, request: web.Request) -> web.StreamResponse:
        change = await self._shaper.change(request)
        await self._room.states.set_private(self._asker.actor(request), change.number, True)
        return json_answer(request, "", 200 if change.private else 201)

    async def _public(self, request: web.Request) -> web.StreamResponse:
        change = await self._shaper.change(request)
        await self._room.states.set_private(self._asker.actor(request), change.number, False)
        return web.Response(status=204)

    async def _topic(self, request: web.Request) -> web.StreamResponse:
        return json_answer(request, (await self._shaper.change(request)).topic)

    async def _set_topic(self, request: web.Request) -> web.StreamResponse:
        change = await self._shaper.change(request)
        topic = "" if request.method == "DELETE" else await text_or(request, "topic")
        changed = await self._room.states.set_topic(self._asker.actor(request), change.number, topic)
        return json_answer(request, changed.topic) if changed.topic else web.Response(status=204)

    async def _hashtags(self, request: web.Request) -> web.StreamResponse:
        return json_answer(request, (await self._shaper.change(request)).hashtags)

    async def _set_hashtags(self, request: web.Request) -> web.StreamResponse:
        change, body = await self._shaper.change(request), await body_of(request)
        add, remove = texts(body.get("add"), "add"), texts(body.get("remove"), "remove")
        changed = await self._room.states.set_hashtags(self._asker.actor(request), change.number, add, remove)
        return json_answer(request, changed.hashtags)

    async def _messages(self, request: web.Request) -> web.StreamResponse:
        view = await self._shaper.view(request)
        return json_answer(request, [message_info(message, view.people) for message in view.messages])
