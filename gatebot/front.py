# SPDX-License-Identifier: Apache-2.0
"""The pages that belong to no room: home, search over everything, health, metrics, own settings.

Rooms add to them through plain values (panels, hits, signs of health) that `app.py` collects, so
nothing here knows a room. Health and metrics need no sign-in and tell no secrets.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TypeAlias

from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, ProcessCollector, generate_latest
from prometheus_client.registry import Collector

from . import queries
from .errors import Conflict, Invalid, NotFound
from .reasons import Reason, reason
from .site import Site


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of a panel; `chip` is (kind, word) of the chip macro."""

    text: str
    path: str
    note: str = ""
    at: datetime | None = None
    chip: tuple[str, str] | None = None


@dataclass(frozen=True, slots=True)
class Panel:
    """One box of the home page. `empty` is what to say, and do, when nothing is there."""

    title: str
    path: str
    entries: tuple[Entry, ...]
    empty: str


@dataclass(frozen=True, slots=True)
class Hit:
    """One result of a search: `before` and `after` are lines around it, for conversations.

    `pieces` cuts a line where its links begin and end, and tells the state of what they lead to. `within` is what it is
    a part of, and where that is.
    """

    title: str
    path: str
    text: str
    at: datetime | None = None
    before: tuple[str, ...] = ()
    after: tuple[str, ...] = ()
    pieces: Callable[[str], Iterable[object]] | None = None
    within: tuple[str, str] | None = None


@dataclass(frozen=True, slots=True)
class Results:
    """What one part found: `note` says how much, `ways` are other orders (word, path), `more` is the next page.

    `rows` are changes, shown as any list of changes. `lead` is the address of the one thing that a query names.
    """

    hits: Sequence[Hit] = ()
    note: str = ""
    ways: tuple[tuple[str, str], ...] = ()
    more: str = ""
    rows: Sequence[object] = ()
    lead: str = ""


@dataclass(frozen=True, slots=True)
class _Part:
    """One part of the search page: `conditions` are the names that it reads in `name:value`."""

    title: str
    search: Search
    conditions: frozenset[str]


@dataclass(frozen=True, slots=True)
class Sign:
    """One part's health: `ok`, and in words what it saw last or what is wrong and what to do.

    The site as a whole is well without a part that is not `vital`: a lost IRC network stops no merge. `inside` is told
    only to who is signed in: names of machines and what they answered.
    """

    part: str
    ok: bool
    text: str
    vital: bool = True
    inside: str = ""


MakePanel: TypeAlias = Callable[[web.Request], Awaitable[Panel]]
Search: TypeAlias = Callable[[web.Request, str], Awaitable[Results]]
"""Finds what a query asks for; what it cannot read it refuses with `Invalid`, and the other parts are shown."""
Health: TypeAlias = Callable[[], Awaitable[Sign]]


class Front:
    """Home, search, health, metrics, settings."""

    def __init__(self, site: Site, posture: Callable[[], Reason | None]) -> None:
        self._site = site
        self._panels: list[MakePanel] = []
        self._parts: list[_Part] = []
        self._signs: list[Health] = []
        # Not the library's global one: a process may hold several sites, as tests do.
        self._registry = CollectorRegistry()
        ProcessCollector(registry=self._registry)
        site.notice(posture)

    def measure(self, collector: Collector) -> None:
        """Let `/metrics` show what a collector tells."""
        self._registry.register(collector)

    def add(
        self,
        *,
        panel: MakePanel | None = None,
        search: tuple[str, Search] | None = None,
        conditions: frozenset[str] = frozenset(),
        sign: Health | None = None,
    ) -> None:
        """Let a room add to the common pages; `search` goes with its title and the `conditions` that it reads."""
        if panel:
            self._panels.append(panel)
        if search:
            self._parts.append(_Part(*search, conditions))
        if sign:
            self._signs.append(sign)

    def routes(self) -> list[web.RouteDef]:
        """All routes."""
        return [
            web.get("/", self._home),
            web.get("/search", self._search),
            web.get("/health", self._health),
            web.get("/metrics", self._metrics),
            web.get("/settings", self._settings),
            web.post("/settings/token", self._new_token),
            web.post("/settings/password", self._new_password),
            web.post("/settings/ssh-key", self._ssh_key),
        ]

    async def _home(self, request: web.Request) -> web.StreamResponse:
        panels = await asyncio.gather(*(make(request) for make in self._panels))
        return self._site.render(request, "home.html", panels=panels, live="changes,queue,meetings")

    async def _search(self, request: web.Request) -> web.StreamResponse:
        query = request.query.get("q", "").strip()[:300]
        asked = queries.conditions(query)
        told: list[tuple[_Part, Results | str]] = []
        if query:
            results = await asyncio.gather(*(self._ask(request, part.search, query) for part in self._parts))
            told = list(zip(self._parts, results, strict=True))
        for _, one in told:
            if isinstance(one, Results) and one.lead:
                raise web.HTTPFound(one.lead)
        found = [(part.title, one) for part, one in told if isinstance(one, Results) and (one.hits or one.rows)]
        # The parts that read all conditions are those that are asked: the others need not understand them.
        readers = [(part, one) for part, one in told if asked and asked <= part.conditions]
        understood = any(isinstance(one, Results) for _, one in readers)
        problems = [(part.title, one) for part, one in readers or told if isinstance(one, str) and not understood]
        return self._site.render(
            request,
            "search.html",
            status=400 if problems and not found else 200,
            query=query,
            found=found,
            problems=problems,
            plain=queries.has_words(query),
        )

    async def _ask(self, request: web.Request, search: Search, query: str) -> Results | str:
        """What a part finds, or why it cannot look."""
        try:
            return await search(request, query)
        except Invalid as error:
            return self._site.sentence(request, error)

    async def _health(self, request: web.Request) -> web.StreamResponse:
        signs: Sequence[Sign] = await asyncio.gather(*(ask() for ask in self._signs))
        if self._site.account(request) is not None:
            signs = [replace(sign, text=f"{sign.text}, {sign.inside}") if sign.inside else sign for sign in signs]
        status = 200 if all(sign.ok or not sign.vital for sign in signs) else 503
        if "text/html" in request.headers.get("Accept", ""):
            return self._site.render(request, "health.html", status=status, signs=signs)
        told = {sign.part: {"ok": sign.ok, "text": sign.text} for sign in signs}
        return web.json_response({"ok": status == 200, "parts": told}, status=status)

    async def _metrics(self, _request: web.Request) -> web.StreamResponse:
        # Rendering thousands of series takes a tenth of a second: not on the loop.
        text = await asyncio.to_thread(generate_latest, self._registry)
        return web.Response(body=text, headers={"Content-Type": CONTENT_TYPE_LATEST})

    async def _settings(self, request: web.Request, fresh: str = "", problem: str = "") -> web.StreamResponse:
        account = self._site.require(request)
        tokens = await self._site.identity.tokens(account.id)
        keys = await self._site.identity.ssh_keys(account.id)
        further = (await self._site.identity.further_emails([account.id])).get(account.id, ())
        host, _, port = self._site.settings.ssh_address.rpartition(":")
        mails = bool(self._site.settings.mail.smtp)
        return self._site.render(
            request, "settings.html", tokens=tokens, keys=keys, further=further, fresh=fresh, problem=problem,
            mails=mails, ssh=(host, port) if host else None,
        )  # fmt: skip

    async def _new_token(self, request: web.Request) -> web.StreamResponse:
        account = self._site.require(request)
        form = await request.post()
        name = str(form.get("name", "")).strip()[:60] or "token"
        if form.get("do") == "delete":
            await self._site.identity.delete_token(account.id, name)
            raise web.HTTPSeeOther("/settings")
        return await self._settings(request, fresh=await self._site.identity.create_token(account.id, name))

    async def _new_password(self, request: web.Request) -> web.StreamResponse:
        account = self._site.require(request)
        form = await request.post()
        old, new = str(form.get("old", "")), str(form.get("new", ""))
        gettext = self._site.gettext(request)
        if await self._site.identity.check_password(account.username, old, request.remote or "") is None:
            return await self._settings(request, problem=gettext("The old password is wrong; nothing was changed."))
        if len(new) < 8:
            return await self._settings(request, problem=gettext("The new password needs at least 8 characters."))
        await self._site.identity.set_password(account.id, new)
        return self._site.redirect(request, "/settings", reason("hall.password-changed"))

    async def _ssh_key(self, request: web.Request) -> web.StreamResponse:
        """Add a key, or delete one by its number; what is wrong with it is told above the page."""
        account = self._site.require(request)
        form = await request.post()
        number = str(form.get("number", ""))
        try:
            if form.get("do") == "delete":
                await self._site.identity.delete_ssh_key(account.id, int(number) if number.isdecimal() else 0)
                told = reason("hall.ssh-key-deleted", number=number)
            else:
                before = {key.encoded for key in await self._site.identity.ssh_keys(account.id)}
                added = await self._site.identity.add_ssh_key(account.id, str(form.get("key", "")).strip())
                if added.encoded in before:
                    told = reason("hall.ssh-key-there", fingerprint=added.fingerprint, number=added.seq)
                else:
                    told = reason("hall.ssh-key-added", fingerprint=added.fingerprint)
        except (Invalid, Conflict, NotFound) as error:
            return await self._settings(request, problem=self._site.sentence(request, error))
        return self._site.redirect(request, "/settings", told)
