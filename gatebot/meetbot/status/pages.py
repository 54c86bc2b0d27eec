# SPDX-License-Identifier: Apache-2.0
"""`/status-log`, `/successes`, `/thanks`, each with its feed; `/alert.json` as statusbot writes it; and REST.

Everybody reads. Who has the capability tells the status here as in a channel. OpenDev's names of these pages lead here.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal

import msgspec
from aiohttp import web
from aiohttp.typedefs import Handler

from ...asking import Actor
from ...clock import Clock
from ...db import Database
from ...errors import Invalid, NotPermitted
from ...identity import Account
from ...reasons import reason
from ...site import Site
from .. import linkify
from ..sisters.announcing import clean
from . import store
from .deciding import CAPABILITY, LONGEST
from .feed import atom
from .model import STATUS, Entry, Kind
from .service import Statusbot

_MOST = 200
_DIGITS = 9
_PAGES = {"status-log": STATUS, "successes": (Kind.SUCCESS,), "thanks": (Kind.THANKS,)}
_TITLES = {"status-log": "Status log", "successes": "Successes", "thanks": "Thanks"}
_OLD = {
    "/wiki/Infrastructure_Status": "/status-log", "/wiki/Successes": "/successes", "/wiki/Success": "/successes",
    "/wiki/Thanks": "/thanks",
}  # fmt: skip


class Told(msgspec.Struct, forbid_unknown_fields=True):
    """The body of a request by REST."""

    kind: Literal["log", "notice", "alert", "ok", "success", "thanks"]
    text: str = ""


class StatusPages:
    """Handlers; `may` tells who may tell the status."""

    def __init__(self, site: Site, db: Database, clock: Clock, bot: Statusbot, may: Callable[[Actor], bool]) -> None:
        self._site = site
        self._db = db
        self._clock = clock
        self._bot = bot
        self._may = may

    def routes(self) -> list[web.RouteDef]:
        """All routes."""
        pages = "|".join(_PAGES)
        return [
            web.get(f"/{{page:{pages}}}", self._page),
            web.get(f"/{{page:{pages}}}.atom", self._feed),
            web.post("/status-log", self._form),
            web.get("/alert.json", self._alert),
            web.get("/api/status-log", self._entries),
            web.post("/api/status-log", self._tell),
            *(web.get(old, _moved(new)) for old, new in _OLD.items()),
        ]

    async def _page(self, request: web.Request) -> web.StreamResponse:
        page = request.match_info["page"]
        found = await self._listed(request, _PAGES[page])
        return self._site.render(
            request,
            "meetbot/status.html",
            live="status",
            page=page,
            title=self._site.gettext(request)(_TITLES[page]),
            found=found,
            older=found[-1].id if len(found) == _MOST else None,
            may_tell=page == "status-log" and self._may(self._site.actor(request)),
            pieces=linkify.pieces,
            now=self._bot.banners(),
        )

    async def _feed(self, request: web.Request) -> web.StreamResponse:
        page = request.match_info["page"]
        found = await self._db.read(store.entries, _PAGES[page], None, 50)
        title = f"{_TITLES[page]} · {self._site.settings.site.name}"
        text = atom(found, title, self._site.settings.url, f"/{page}", self._clock.now())
        return web.Response(body=text, content_type="application/atom+xml", charset="utf-8")

    async def _form(self, request: web.Request) -> web.StreamResponse:
        account, given = self._teller(request), await request.post()
        kind = str(given.get("kind", ""))
        if kind not in STATUS:
            raise Invalid(reason=reason("meetbot.status-kind", told=kind[:40], known=", ".join(STATUS)))
        await self._keep(account, kind, str(given.get("text", "")))
        return self._site.redirect(request, "/status-log", reason("meetbot.status-told"))

    async def _alert(self, request: web.Request) -> web.StreamResponse:
        answer = web.json_response({"alert": self._bot.alert()})
        answer.headers["Access-Control-Allow-Origin"] = "*"  # other sites of the project show it as well
        return answer

    async def _entries(self, request: web.Request) -> web.StreamResponse:
        asked = [word for word in request.query.get("kind", "").split(",") if word]
        if unknown := [word for word in asked if word not in list(Kind)]:
            raise Invalid(reason=reason("meetbot.status-kind", told=unknown[0][:40], known=", ".join(Kind)))
        found = await self._listed(request, [Kind(word) for word in asked] or tuple(Kind))
        return web.json_response([json_of(one) for one in found])

    async def _tell(self, request: web.Request) -> web.StreamResponse:
        account = self._site.require(request)
        try:
            told = msgspec.json.decode(await request.read(), type=Told)
        except msgspec.MsgspecError:
            raise Invalid(reason=reason("meetbot.bad-status")) from None
        if told.kind in STATUS:
            self._teller(request)
        return web.json_response({"id": await self._keep(account, told.kind, told.text)}, status=201)

    def _teller(self, request: web.Request) -> Account:
        """Who asks, if he may tell the status: everybody celebrates and thanks."""
        account = self._site.require(request)
        if not self._may(account.actor):
            raise NotPermitted(reason=reason("meetbot.needs-capability", permission=CAPABILITY))
        return account

    async def _keep(self, account: Account, kind: str, text: str) -> int:
        told = clean(text)
        if (not told and kind != Kind.OK) or len(told.encode()) > LONGEST:
            raise Invalid(reason=reason("meetbot.bad-status-text", most=LONGEST))
        return await self._bot.tell(Kind(kind), told, account.username)

    async def _listed(self, request: web.Request, kinds: Sequence[Kind]) -> list[Entry]:
        before = request.query.get("before", "")
        if before and not (before.isascii() and before.isdecimal() and len(before) <= _DIGITS):
            raise Invalid(reason=reason("meetbot.status-before", told=before[:40]))
        return await self._db.read(store.entries, kinds, int(before) if before else None, _MOST)


def _moved(new: str) -> Handler:
    async def lead(_: web.Request) -> web.StreamResponse:
        raise web.HTTPMovedPermanently(new)

    return lead


def json_of(one: Entry) -> dict[str, object]:
    """What was told, for programs."""
    told: dict[str, object] = {"id": one.id, "at": one.at.isoformat(), "kind": one.kind.value, "text": one.text}
    return told | {"nick": one.nick, "username": one.username, "channel": one.channel, "path": one.path}
