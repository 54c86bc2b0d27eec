# SPDX-License-Identifier: Apache-2.0
"""Gerrit's REST calls on accounts: who they are, how they sign in, whether they act.

Thin. Only administrators make accounts and change those of others; passwords are told once, when
they are made. What accounts keep for themselves is in `rest_own.py`, their addresses in `rest_emails.py`.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable

from aiohttp import web

from ...access import Verb, capabilities_of, limit_of
from ...assignment import Json
from ...errors import Conflict, Invalid, NotFound, Unauthenticated
from ...identity import Account
from ...identity.ssh_keys import read_key
from ...reasons import reason
from ..answers import body_of, everywhere, json_answer, must_be_new, only, start_and_limit, text_or
from ..drafts import text_of, texts
from ..gerrit_labels import account_info, timestamp
from ..shaper import Shaper
from .finding import account_query, fits
from .whose import Asked

MOST = 500
_ASKED = "q query n limit S start o O suggest no-limit skip-visibility"


class RestAccounts:
    """`/accounts/` and what is told of one account."""

    def __init__(self, shaper: Shaper) -> None:
        self._asked = Asked(shaper)
        self._shaper = shaper
        self._identity = shaper.room.identity

    def routes(self) -> Iterable[web.RouteDef]:
        """What is served; `/accounts` without the slash is not Gerrit's either."""
        one = "/accounts/{account}"
        table = (
            ("GET", one, self._account),
            ("PUT", one, self._create),
            ("GET", f"{one}/detail", self._detail),
            ("GET", f"{one}/name", self._name),
            ("PUT", f"{one}/name", self._set_name),
            ("DELETE", f"{one}/name", self._set_name),
            ("GET", f"{one}/username", self._username),
            ("GET", f"{one}/active", self._active),
            ("DELETE", f"{one}/active", self._set_active),
            ("PUT", f"{one}/active", self._set_active),
            ("PUT", f"{one}/password.http", self._set_password),
            ("GET", f"{one}/tokens", self._tokens),
            ("PUT", f"{one}/tokens/{{token}}", self._add_token),
            ("DELETE", f"{one}/tokens/{{token}}", self._drop_token),
            ("GET", f"{one}/external.ids", self._external_ids),
            ("GET", f"{one}/capabilities", self._capabilities),
            ("GET", f"{one}/capabilities/{{capability}}", self._capability),
        )
        return [
            *(web.get(f"{prefix}/accounts/", self._list) for prefix in ("", "/a")),
            *(route for method, path, handler in table for route in everywhere(method, path, handler)),
        ]

    async def _account(self, request: web.Request) -> web.StreamResponse:
        return json_answer(request, account_info(await self._asked.seen(request)))

    async def _detail(self, request: web.Request) -> web.StreamResponse:
        account = await self._asked.seen(request)
        info = account_info(account)
        created = await self._identity.created(account.id)
        if self._asked.is_own(request, account) and (further := await self._further(account)):
            info["secondary_emails"] = list(further)
        return json_answer(request, {**info, "registered_on": timestamp(created)})

    async def _list(self, request: web.Request) -> web.StreamResponse:
        """Words that name, user name or address begin with, and `name:`, `email:`, `username:`, `is:active` ..."""
        only(request, _ASKED)
        if self._shaper.asker.account(request) is None:
            raise Unauthenticated(reason=reason("review.sign-in"))
        suggest = "suggest" in request.query
        if not suggest and not request.query.get("q", request.query.get("query", "")).strip():
            raise Invalid(reason=reason("review.field-needed", field="q"))
        terms = account_query(request.query.get("q", request.query.get("query", "")), active_only=suggest)
        start, limit = start_and_limit(request, 10 if suggest else MOST)
        found = [account for account in await self._identity.all() if fits(account, terms)]
        shown = found[start : start + limit]
        asked = {option for given in request.query.getall("o", []) for option in given.upper().split(",")}
        detailed = suggest or bool(asked & {"DETAILS", "ALL_EMAILS"}) or request.query.get("O", "").strip("0") != ""
        told = [account_info(one) if detailed else {"_account_id": one.id} for one in shown]
        if told and len(found) > start + len(shown):
            told[-1] = {**told[-1], "_more_accounts": True}
        return json_answer(request, told)

    async def _create(self, request: web.Request) -> web.StreamResponse:
        username, body = request.match_info["account"], await body_of(request)
        self._asked.require(request, Verb.ADMINISTRATE_SERVER)
        there = await self._identity.by_username(username) is not None
        must_be_new(request, there)
        if there:
            raise Conflict(reason=reason("review.account-exists", username=username))
        key = text_of(body.get("ssh_key"), "ssh_key")
        if key:
            read_key(key)  # refused before there is an account without it
        account = await self._identity.create(
            username,
            name=text_of(body.get("name"), "name") or username,
            email=text_of(body.get("email"), "email") or f"{username}@localhost",
            password=text_of(body.get("http_password"), "http_password") or None,
            groups=texts(body.get("groups"), "groups"),
        )
        if key:
            await self._identity.add_ssh_key(account.id, key)
        return json_answer(request, account_info(account), 201)

    async def _name(self, request: web.Request) -> web.StreamResponse:
        return json_answer(request, (await self._asked.seen(request)).name)

    async def _set_name(self, request: web.Request) -> web.StreamResponse:
        account = await self._asked.own(request)
        name = "" if request.method == "DELETE" else await text_or(request, "name")
        changed = await self._identity.set_said(account.id, name=name.strip()[:255] or account.username)
        return web.Response(status=204) if request.method == "DELETE" else json_answer(request, changed.name)

    async def _username(self, request: web.Request) -> web.StreamResponse:
        return json_answer(request, (await self._asked.seen(request)).username)

    async def _active(self, request: web.Request) -> web.StreamResponse:
        account = await self._asked.seen(request)
        return json_answer(request, "ok") if account.active else web.Response(status=204)

    async def _set_active(self, request: web.Request) -> web.StreamResponse:
        self._asked.require(request, Verb.ADMINISTRATE_SERVER)
        account, wanted = await self._asked.seen(request), request.method == "PUT"
        if not wanted and account.id == self._shaper.asker.actor(request).account:
            raise Conflict(reason=reason("review.deactivate-oneself"))
        if not wanted and not account.active:
            raise Conflict(reason=reason("review.not-active", account=account.username))
        await self._identity.set_active(account.id, wanted)
        if not wanted:
            return web.Response(status=204)
        return json_answer(request, "", 200 if account.active else 201)

    async def _set_password(self, request: web.Request) -> web.StreamResponse:
        """Gerrit's way to a new password: `{"generate": true}` answers one, once; administrators choose it too."""
        body = await body_of(request)
        account = await self._asked.own(request)
        given = text_of(body.get("http_password"), "http_password")
        if given:
            self._asked.require(request, Verb.ADMINISTRATE_SERVER)
        password = given or secrets.token_urlsafe(12)
        await self._identity.set_password(account.id, password)
        return json_answer(request, password)

    async def _tokens(self, request: web.Request) -> web.StreamResponse:
        account = await self._asked.own(request)
        return json_answer(request, [{"id": token.name} for token in await self._identity.tokens(account.id)])

    async def _add_token(self, request: web.Request) -> web.StreamResponse:
        account, name = await self._asked.own(request), request.match_info["token"]
        token = await self._identity.create_token(account.id, name)
        return json_answer(request, {"id": name, "token": token}, 201)

    async def _drop_token(self, request: web.Request) -> web.StreamResponse:
        account, name = await self._asked.own(request), request.match_info["token"]
        if not await self._identity.delete_token(account.id, name):
            raise NotFound(reason=reason("review.no-such-token", token=name))
        return web.Response(status=204)

    async def _external_ids(self, request: web.Request) -> web.StreamResponse:
        account = await self._asked.own(request)
        named = [("mailto", one, one) for one in (account.email, *await self._further(account))]
        named.append(("username", account.username, account.email))
        ids: list[Json] = [
            {"identity": f"{scheme}:{name}", "email_address": email, "trusted": True} for scheme, name, email in named
        ]
        return json_answer(request, ids)

    async def _further(self, account: Account) -> tuple[str, ...]:
        return (await self._identity.further_emails([account.id])).get(account.id, ())

    async def _capabilities(self, request: web.Request) -> web.StreamResponse:
        """Everything that is held, or what `q` names of it."""
        held, asked = self._held(await self._asked.own(request)), request.query.getall("q", [])
        wanted = {name.lower() for given in asked for name in given.split(",")}
        return json_answer(request, {name: held[name] for name in held if not wanted or name.lower() in wanted})

    async def _capability(self, request: web.Request) -> web.StreamResponse:
        name = request.match_info["capability"]
        if name not in self._held(await self._asked.own(request)):
            raise NotFound(reason=reason("review.no-such-capability", capability=name))
        return json_answer(request, "ok")

    def _held(self, account: Account) -> dict[str, Json]:
        actor, rules = account.actor, self._shaper.room.rules
        held: dict[str, Json] = {"queryLimit": {"min": 0, "max": limit_of(actor, "queryLimit", rules, MOST)}}
        if (batch := limit_of(actor, "batchChangesLimit", rules, 0)) > 0:
            held["batchChangesLimit"] = {"min": 0, "max": batch}
        return held | dict.fromkeys(sorted(verb.value for verb in capabilities_of(actor, rules)), True)
