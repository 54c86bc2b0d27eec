# SPDX-License-Identifier: Apache-2.0
"""Sessions: what the cookie of a signed-in browser stands for.

A session is a random name in the cookie and the hash of it in a row, so it can be ended from this
side. It lasts thirty days and is prolonged while it is used, at most once a day.
"""

from __future__ import annotations

import secrets
from datetime import timedelta

from ..clock import Clock
from ..db import Database
from . import store
from .credentials import hash_token
from .store import Account

LASTS = timedelta(days=30)
_PROLONG_AFTER = timedelta(days=1)


class Sessions:
    """Browsers that are signed in."""

    def __init__(self, db: Database, clock: Clock) -> None:
        self._db = db
        self._clock = clock

    async def open_session(self, id: int) -> str:
        """A new session of an account: what to put into the cookie."""
        token = secrets.token_urlsafe(32)
        now = self._clock.now()
        await self._db.run_silent(store.add_session, id, hash_token(token), now, now + LASTS)
        return token

    async def session(self, token: str) -> Account | None:
        """Who is signed in with this cookie; None: nobody, not any more, or not active."""
        now = self._clock.now()
        hashed = hash_token(token)
        found = await self._db.read(store.session_owner, hashed, now)
        if found is None or not found[0].active:
            return None
        account, expires = found
        if expires - now < LASTS - _PROLONG_AFTER:
            await self._db.run_silent(store.prolong_session, hashed, now + LASTS)
        return account

    async def close_session(self, token: str) -> None:
        """Sign out."""
        await self._db.run_silent(store.end_session, hash_token(token))
