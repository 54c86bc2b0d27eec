# SPDX-License-Identifier: Apache-2.0
"""Gerrit's REST calls on the addresses of accounts.

Thin: whose an address may be decides `identity/address_book.py`, the proof by mail is `confirming.py`. Administrators
may leave the proof out (`no_confirmation`).
"""

from __future__ import annotations

from collections.abc import Iterable

from aiohttp import web

from ...access import Verb
from ...assignment import Json
from ...confirming import Confirming
from ...errors import Invalid, NotFound, NotPermitted, Unprocessable
from ...identity import Account
from ...reasons import reason
from ..answers import body_of, everywhere, json_answer
from ..drafts import flag, text_of
from ..shaper import Shaper
from .whose import Asked


class RestEmails:
    """`/accounts/N/emails/` and what confirms one of them."""

    def __init__(self, shaper: Shaper, confirming: Confirming) -> None:
        self._asked = Asked(shaper)
        self._shaper = shaper
        self._identity = shaper.room.identity
        self._confirming = confirming

    def routes(self) -> Iterable[web.RouteDef]:
        """What is served."""
        several = "/accounts/{account}/emails"
        one = f"{several}/{{email}}"
        table = (
            ("GET", several, self._emails),
            ("GET", one, self._email),
            ("PUT", one, self._add),
            ("POST", one, self._add),
            ("DELETE", one, self._remove),
            ("PUT", f"{one}/preferred", self._prefer),
            ("PUT", "/config/server/email.confirm", self._confirm),
        )
        return [route for method, path, handler in table for route in everywhere(method, path, handler)]

    async def _emails(self, request: web.Request) -> web.StreamResponse:
        account = await self._asked.own(request)
        told: list[dict[str, Json]] = [{"email": one} for one in await self._further(account)]
        return json_answer(request, sorted([_preferred(account), *told], key=lambda one: str(one["email"])))

    async def _email(self, request: web.Request) -> web.StreamResponse:
        account, email = await self._asked.own(request), request.match_info["email"]
        if email.lower() in (account.email.lower(), "preferred"):
            return json_answer(request, _preferred(account))
        found = next((one for one in await self._further(account) if one.lower() == email.lower()), None)
        if found is None:
            raise NotFound(reason=reason("review.no-such-email", email=email, account=account.username))
        return json_answer(request, {"email": found})

    async def _further(self, account: Account) -> tuple[str, ...]:
        return (await self._identity.further_emails([account.id])).get(account.id, ())

    async def _add(self, request: web.Request) -> web.StreamResponse:
        account, email, body = await self._asked.own(request), request.match_info["email"], await body_of(request)
        if (text_of(body.get("email"), "email") or email) != email:
            raise Invalid(reason=reason("review.bad-field", field="email", why="it is not the one of the address"))
        preferred = flag(body.get("preferred"), "preferred") is True
        if flag(body.get("no_confirmation"), "no_confirmation") is not True:
            await self._confirming.ask(account, email, self._shaper.asker.language(request), preferred=preferred)
            return json_answer(request, {"email": email, "pending_confirmation": True}, 201)
        self._asked.require(request, Verb.ADMINISTRATE_SERVER)
        await self._identity.add_email(account.id, email)
        if preferred:
            await self._identity.prefer_email(account.id, email)
        return json_answer(request, {"email": email, **({"preferred": True} if preferred else {})}, 201)

    async def _prefer(self, request: web.Request) -> web.StreamResponse:
        account = await self._asked.own(request)
        news = await self._identity.prefer_email(account.id, request.match_info["email"])
        return json_answer(request, "", 201 if news else 200)

    async def _remove(self, request: web.Request) -> web.StreamResponse:
        account = await self._asked.own(request)
        await self._identity.remove_email(account.id, request.match_info["email"])
        return web.Response(status=204)

    async def _confirm(self, request: web.Request) -> web.StreamResponse:
        account = self._asked.signed_in(request)
        body = await body_of(request)
        try:
            await self._confirming.confirm(account, text_of(body.get("token"), "token"))
        except (NotFound, NotPermitted) as error:
            raise Unprocessable(reason=error.reason) from None
        return web.Response(status=204)


def _preferred(account: Account) -> dict[str, Json]:
    return {"email": account.email, "preferred": True}
