# SPDX-License-Identifier: Apache-2.0
"""The addresses by which a reader ends mail without signing in: sealed, so that nobody makes one for another.

The seal is the site key's; an address holds an account and a project and nothing else, and lives as long as the key.
"""

from __future__ import annotations

import base64
import binascii

import msgspec

from ...errors import GatebotError, NotFound
from ...keys import SiteKey
from ...reasons import reason

_ABOUT = "mail.unsubscribe"


class Passes:
    """Makes and reads them."""

    def __init__(self, key: SiteKey, site: str) -> None:
        self._key = key
        self._site = site.rstrip("/")

    def url(self, account: int, project: str) -> str:
        """Where mails about a project are ended for an account."""
        sealed = base64.b64decode(self._key.seal(msgspec.json.encode([account, project]), _ABOUT))
        return f"{self._site}/mail/-/{base64.urlsafe_b64encode(sealed).decode().rstrip('=')}"

    def read(self, token: str) -> tuple[int, str]:
        """Account and project of an address; `NotFound` for one that was not made here."""
        try:
            raw = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))
            return msgspec.json.decode(self._key.open(base64.b64encode(raw).decode(), _ABOUT), type=tuple[int, str])
        except (GatebotError, ValueError, binascii.Error, msgspec.MsgspecError):
            raise NotFound(reason=reason("review.no-such-mail-pass")) from None
