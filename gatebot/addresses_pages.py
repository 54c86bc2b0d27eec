# SPDX-License-Identifier: Apache-2.0
"""The pages on which people add, prefer and take away addresses of their account, and where links of mails lead.

Thin: `confirming.py` proves, `identity/address_book.py` decides whose an address may be.
"""

from __future__ import annotations

from aiohttp import web

from .confirming import Confirming
from .errors import GatebotError
from .reasons import reason
from .site import Site


class AddressPages:
    """Forms of `/settings`, and `/settings/emails/LINK`."""

    def __init__(self, site: Site, confirming: Confirming) -> None:
        self._site = site
        self._confirming = confirming

    def routes(self) -> list[web.RouteDef]:
        """All routes."""
        return [
            web.post("/settings/emails", self._change),
            web.get("/settings/emails/{link}", self._page),
            web.post("/settings/emails/{link}", self._confirm),
        ]

    async def _change(self, request: web.Request) -> web.StreamResponse:
        account, form = self._site.require(request), await request.post()
        email = str(form.get("email", "")).strip()[:200]
        try:
            match form.get("do"):
                case "prefer":
                    await self._site.identity.prefer_email(account.id, email)
                    told = reason("hall.email-is-preferred", email=email)
                case "delete":
                    await self._site.identity.remove_email(account.id, email)
                    told = reason("hall.email-is-gone", email=email)
                case _:
                    await self._confirming.ask(account, email, self._site.language(request))
                    told = reason("hall.email-asked", email=email)
        except GatebotError as error:
            if error.reason is None:
                raise
            return self._site.redirect(request, "/settings", error.reason, refused=True)
        return self._site.redirect(request, "/settings", told)

    async def _page(self, request: web.Request) -> web.StreamResponse:
        account = self._site.require(request)
        email, _ = self._confirming.asked(account, request.match_info["link"])
        return self._site.render(request, "email_confirm.html", email=email)

    async def _confirm(self, request: web.Request) -> web.StreamResponse:
        account = self._site.require(request)
        try:
            told = reason("hall.email-added", email=await self._confirming.confirm(account, request.match_info["link"]))
        except GatebotError as error:
            if error.reason is None:
                raise
            return self._site.redirect(request, "/settings", error.reason, refused=True)
        return self._site.redirect(request, "/settings", told)
