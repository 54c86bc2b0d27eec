# SPDX-License-Identifier: Apache-2.0
"""Proves that an address belongs to an account: by a mail to it, whose link its owner follows while signed in.

What the link holds is sealed by the site's key, so nothing is kept until it comes back: the account, the address,
whether mail shall go there, and when it was asked for.
"""

from __future__ import annotations

import base64
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import TypeAlias

import msgspec

from . import words
from .clock import Clock
from .errors import GatebotError, NotFound, NotPermitted
from .identity import Account, Identity
from .identity.passwords import Attempts
from .keys import SiteKey
from .reasons import reason

Post: TypeAlias = Callable[[str, str, str], Awaitable[None]]
"""Mails a text: address, subject, text."""
LASTS = timedelta(hours=24)
_ABOUT = "account.email"


class Confirming:
    """Asks for proof and takes it. Without `post` the site sends no mail, and nobody can prove anything."""

    def __init__(self, identity: Identity, key: SiteKey, clock: Clock, site: str, url: str, post: Post | None) -> None:
        self._identity = identity
        self._key = key
        self._clock = clock
        self._site = site
        self._url = url
        self._post = post
        self._attempts = Attempts()

    async def ask(self, account: Account, email: str, language: str, *, preferred: bool = False) -> None:
        """Mail the link that gives this account one more address."""
        if self._post is None:
            raise NotPermitted(reason=reason("hall.email-no-mail"))
        await self._identity.check_email(account.id, email)
        for what in (account.username, email):  # neither one account nor one mailbox is a way to flood
            self._attempts.take(f"address {what}", "", self._clock.now())
        sealed = self._key.seal(msgspec.json.encode((account.id, email, preferred, self._clock.now())), _ABOUT)
        token = base64.urlsafe_b64encode(sealed.encode()).decode().rstrip("=")
        told = {"site": self._site, "name": account.name, "username": account.username, "email": email}
        text = words.say(reason("hall.email-mail", **told, url=f"{self._url}/settings/emails/{token}"), language)
        await self._post(email, words.say(reason("hall.email-subject", site=self._site), language), text)

    def asked(self, account: Account, token: str) -> tuple[str, bool]:
        """The address that a link is about, and whether mail shall go there."""
        try:
            sealed = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)).decode()
            raw = self._key.open(sealed, _ABOUT)
            id, email, preferred, at = msgspec.json.decode(raw, type=tuple[int, str, bool, datetime])
        except (GatebotError, ValueError, msgspec.MsgspecError):
            raise NotFound(reason=reason("hall.email-link-gone")) from None
        if self._clock.now() - at > LASTS:
            raise NotFound(reason=reason("hall.email-link-gone"))
        if id != account.id:
            raise NotPermitted(reason=reason("hall.email-link-other", username=account.username))
        return email, preferred

    async def confirm(self, account: Account, token: str) -> str:
        """Give the account the address."""
        email, preferred = self.asked(account, token)
        await self._identity.add_email(account.id, email)
        if preferred:
            await self._identity.prefer_email(account.id, email)
        return email
