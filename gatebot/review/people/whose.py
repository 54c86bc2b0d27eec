# SPDX-License-Identifier: Apache-2.0
"""Whose account a request is about, and whether the asker may see or change it.

Only one's own account, but for administrators; what everybody may read is asked with `seen`.
"""

from __future__ import annotations

from aiohttp import web

from ...access import SITE, Verb, may
from ...errors import Unauthenticated
from ...identity import Account
from ...lacking import lacking
from ...reasons import reason
from ..shaper import Shaper


class Asked:
    """Whose account a path names, and whether the asker may do things to it."""

    def __init__(self, shaper: Shaper) -> None:
        self.shaper = shaper

    async def seen(self, request: web.Request) -> Account:
        """The account; oneself only when signed in."""
        name = request.match_info["account"]
        if name in ("self", "me") and self.shaper.asker.account(request) is None:
            raise Unauthenticated(reason=reason("review.sign-in"))
        return await self.shaper.account(request, name)

    async def own(self, request: web.Request) -> Account:
        """One's own account, or any for administrators."""
        found = await self.seen(request)
        if self.shaper.asker.actor(request).account != found.id:
            self.require(request, Verb.ADMINISTRATE_SERVER)
        return found

    def signed_in(self, request: web.Request) -> Account:
        """Who asks; refuses strangers."""
        account = self.shaper.asker.account(request)
        if account is None:
            raise Unauthenticated(reason=reason("review.sign-in"))
        return account

    def is_own(self, request: web.Request, account: Account) -> bool:
        """Whether somebody asks about himself, or is an administrator."""
        actor = self.shaper.asker.actor(request)
        return actor.account == account.id or may(actor, Verb.ADMINISTRATE_SERVER, SITE, self.shaper.room.rules)

    def require(self, request: web.Request, verb: Verb) -> None:
        """Refuse who lacks a capability."""
        actor = self.shaper.asker.actor(request)
        if actor.account is None:
            raise Unauthenticated(reason=reason("review.sign-in"))
        if not may(actor, verb, SITE, self.shaper.room.rules):
            raise lacking(verb, SITE)
