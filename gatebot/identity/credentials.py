# SPDX-License-Identifier: Apache-2.0
"""Passwords and tokens: how git, REST and the login page learn who is asking.

A password is for people and slow to check; a token is 256 random bits, stored as SHA-256, and fast.
A checked password is remembered for a minute, because one `git push` asks three times.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from datetime import datetime, timedelta

from ..clock import Clock
from ..db import Database, Session
from . import store
from .passwords import Attempts, hash_password, matches
from .store import Account, Token

TOKEN_PREFIX = "gbt_"  # noqa: S105
_REMEMBERED = timedelta(seconds=60)
_MOST_REMEMBERED = 1000


class Credentials:
    """What proves an account. Inactive accounts are never proved."""

    def __init__(self, db: Database, clock: Clock) -> None:
        self._db = db
        self._clock = clock
        self._attempts = Attempts()
        self._key = secrets.token_bytes(32)
        self._remembered: dict[bytes, datetime] = {}

    async def authenticate(self, username: str, secret: str, address: str = "") -> Account | None:
        """Who this is, by token or else by password; None: nobody. Raises `TooManyAttempts` after guessing."""
        token = hash_token(secret) if secret.startswith(TOKEN_PREFIX) else None
        by_token, by_password = await self._db.read(_candidates, username, token)
        if by_token is not None:
            return by_token
        return await self._prove(username, by_password, secret, address)

    async def check_password(self, username: str, password: str, address: str = "") -> Account | None:
        """Who this is, by password only."""
        _, by_password = await self._db.read(_candidates, username, None)
        return await self._prove(username, by_password, password, address)

    async def set_password(self, id: int, password: str) -> None:
        """Give an account another password; its sessions end."""
        await self._db.run_silent(store.set_password, id, await hash_password(password))

    async def create_token(self, id: int, name: str) -> str:
        """A new token; this is the only time that it can be read."""
        token = TOKEN_PREFIX + secrets.token_urlsafe(32)
        await self._db.run_silent(store.add_token, id, name, hash_token(token), self._clock.now())
        return token

    async def check_token(self, username: str | None, token: str) -> Account | None:
        """Whose token this is; with a username, only if it is that account's."""
        return await self._db.read(_token_owner, username, hash_token(token))

    async def tokens(self, id: int) -> tuple[Token, ...]:
        """The names of an account's tokens and when they were made."""
        return await self._db.read(store.tokens_of, id)

    async def delete_token(self, id: int, name: str) -> bool:
        """Make a token useless; False when there is none of that name."""
        return await self._db.run_silent(store.drop_token, id, name)

    async def _prove(
        self, username: str, found: tuple[Account, str | None] | None, password: str, address: str
    ) -> Account | None:
        now = self._clock.now()
        account, hashed = found if found is not None else (None, None)
        # The key holds the stored hash: a changed password is not remembered.
        memory = hmac.digest(self._key, f"{account and account.id}\0{hashed}\0{password}".encode(), "sha256")
        if account is not None and account.active and self._remembered.get(memory, now) > now:
            return account
        self._attempts.take(username, address, now)
        # Usernames are public, so an unknown one may be answered faster than a wrong password.
        if account is None or hashed is None or not account.active or not await matches(hashed, password):
            return None
        self._attempts.give_back(username, address)
        self._remember(memory, now)
        return account

    def _remember(self, memory: bytes, now: datetime) -> None:
        if len(self._remembered) >= _MOST_REMEMBERED:
            self._remembered = {key: until for key, until in self._remembered.items() if until > now}
        if len(self._remembered) < _MOST_REMEMBERED:
            self._remembered[memory] = now + _REMEMBERED


def hash_token(token: str) -> str:
    """The form in which tokens of 256 random bits are stored: nothing slow is needed for those."""
    return hashlib.sha256(token.encode()).hexdigest()


def _candidates(
    session: Session, username: str, token: str | None
) -> tuple[Account | None, tuple[Account, str | None] | None]:
    by_token = None if token is None else _token_owner(session, username, token)
    return by_token, None if by_token is not None else store.password_in(session, username)


def _token_owner(session: Session, username: str | None, token: str) -> Account | None:
    account = store.token_owner(session, token)
    if account is None or not account.active:
        return None
    return account if username is None or username.lower() == account.username.lower() else None
