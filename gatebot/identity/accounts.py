# SPDX-License-Identifier: Apache-2.0
"""Accounts and their groups, for callers in the event loop.

Creating, finding, switching off, and membership. How an account proves itself lives in
`credentials.py` and `sessions.py`.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from ..clock import Clock
from ..db import Database
from . import store
from .passwords import hash_password
from .store import Account, NewAccount


class Accounts:
    """The people and programs of the site."""

    def __init__(self, db: Database, clock: Clock) -> None:
        self._db = db
        self._clock = clock

    async def create(
        self, username: str, *, name: str, email: str, password: str | None = None, groups: Iterable[str] = ()
    ) -> Account:
        """A new account. Without a password only tokens open it."""
        hashed = None if password is None else await hash_password(password)
        new = NewAccount(username, name, email, hashed, tuple(dict.fromkeys(groups)))
        return await self._db.run(store.create, new, self._clock.now())

    async def by_id(self, id: int) -> Account | None:
        """The account of this id."""
        return await self._db.read(store.account_in, id)

    async def by_ids(self, ids: Iterable[int]) -> dict[int, Account]:
        """Several accounts in one read; unknown ids are left out."""
        return await self._db.read(store.accounts_in, tuple(ids))

    async def by_username(self, username: str) -> Account | None:
        """The account of this username, in any case of letters."""
        return await self._db.read(store.username_in, username)

    async def by_email(self, email: str) -> Account | None:
        """The account of this address, in any case of letters."""
        return await self._db.read(store.email_in, email)

    async def all(self) -> tuple[Account, ...]:
        """Every account, oldest first."""
        return tuple((await self._db.read(store.accounts_in)).values())

    async def created(self, id: int) -> datetime:
        """When an account was made."""
        return await self._db.read(store.created_at, id)

    async def set_said(
        self, id: int, *, name: str | None = None, display_name: str | None = None, status: str | None = None
    ) -> Account:
        """What an account says of itself: its name, how it wants to be called, whether it is away."""
        return await self._db.run_silent(store.set_said, id, name=name, display_name=display_name, status=status)

    async def set_active(self, id: int, active: bool) -> Account:
        """Let an account act, or no longer; its open sessions and tokens stop at once."""
        return await self._db.run(store.set_active, id, active)

    async def add_to_group(self, id: int, group: str) -> Account:
        """Make an account a member of a group."""
        return await self._db.run(store.join, id, group)

    async def remove_from_group(self, id: int, group: str) -> Account:
        """End a membership."""
        return await self._db.run(store.leave, id, group)

    async def groups(self) -> tuple[str, ...]:
        """The names of all groups."""
        return await self._db.read(store.group_names)
