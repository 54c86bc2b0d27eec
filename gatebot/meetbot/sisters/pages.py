# SPDX-License-Identifier: Apache-2.0
"""`/settings/irc`: who one is on IRC, and a code that proves one more.

Thin: what a code proves is decided by the rows in `links.py`.
"""

from __future__ import annotations

import base64
import secrets
from collections.abc import Callable, Sequence

from aiohttp import web

from ...clock import Clock
from ...db import Database
from ...reasons import reason
from ...site import Site
from . import links


class LinkPages:
    """The page; `nicks` are the bot's, by network; on `trusting` networks a nick is a proof, and `tells` knows of each
    whether it tells who is logged in (None: that is not known now)."""

    def __init__(
        self, site: Site, db: Database, clock: Clock, nicks: Sequence[tuple[str, str]],
        trusting: frozenset[str] = frozenset(), tells: Callable[[str], bool | None] = lambda _: None,
    ) -> None:  # fmt: skip
        self._site = site
        self._db = db
        self._clock = clock
        self._nicks = tuple(nicks)
        self._trusting = trusting
        self._tells = tells

    def routes(self) -> list[web.RouteDef]:
        """All routes."""
        return [web.get("/settings/irc", self._page), web.post("/settings/irc", self._change)]

    async def _page(self, request: web.Request, code: str = "") -> web.StreamResponse:
        account = self._site.require(request)
        known = await self._db.read(links.of_account, account.id)
        blind = [name for name, _ in self._nicks if name not in self._trusting and self._tells(name) is False]
        return self._site.render(
            request,
            "meetbot/links.html",
            live=f"irc-link/{account.id}",
            known=known,
            nicks=[(name, nick) for name, nick in self._nicks if name not in blind],
            blind=blind,
            trusting=self._trusting,
            code=code,
        )

    async def _change(self, request: web.Request) -> web.StreamResponse:
        account, form = self._site.require(request), await request.post()
        if form.get("do") == "delete":
            network, name = str(form.get("network", "")), str(form.get("name", ""))
            await self._db.run_silent(links.unlink, account.id, network, name)
            return self._site.redirect(request, "/settings/irc", reason("meetbot.link-is-gone"))
        code = base64.b32encode(secrets.token_bytes(10)).decode()
        await self._db.run_silent(links.keep_code, account.id, code, self._clock.now())
        return await self._page(request, code)
