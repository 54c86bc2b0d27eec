# SPDX-License-Identifier: Apache-2.0
"""The web site's frame without the web site: who asks stands in a header, errors are sentences."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from aiohttp import web

from gatebot import words
from gatebot.access import Actor
from gatebot.errors import GatebotError, http_status
from gatebot.identity import Account
from gatebot.identity.store import username_in
from tests.fakes.review_house import ReviewHouse


class FakeAsker:
    """Implements what REST calls need of `site.Site`; `X-Test-User` names the account."""

    def __init__(self, house: ReviewHouse) -> None:
        self._house = house

    def account(self, request: web.Request) -> Account | None:
        name = request.headers.get("X-Test-User", "")
        return self._house.read(username_in, name) if name else None

    def actor(self, request: web.Request) -> Actor:
        account = self.account(request)
        return Actor(account.id, account.groups) if account else Actor(None, frozenset())

    def language(self, request: web.Request) -> str:
        return words.choose(request.headers.get("Accept-Language", ""))


@web.middleware
async def errors_as_text(
    request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
) -> web.StreamResponse:
    """What the site's own middleware does for programs."""
    try:
        return await handler(request)
    except GatebotError as error:
        text = words.say(error.reason) if error.reason else str(error)
        return web.Response(text=text, status=http_status(error))
