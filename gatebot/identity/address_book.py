# SPDX-License-Identifier: Apache-2.0
"""The addresses of accounts, for callers in the event loop.

One of them is preferred: it is part of the account, and mail goes there. The others are as good for commits. Whose an
address is, is proved before it comes here (`confirming.py`), or known to an administrator.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from ..clock import Clock
from ..db import Database, Session
from ..errors import Conflict, GatebotError, Invalid, NotFound
from ..reasons import Reason, reason
from ..words import say
from . import addresses, store

MOST = 50  # of one account


class Addresses:
    """What accounts are reached by, and what they may write into commits."""

    def __init__(self, db: Database, clock: Clock) -> None:
        self._db = db
        self._clock = clock

    async def further_emails(self, ids: Iterable[int]) -> dict[int, tuple[str, ...]]:
        """The confirmed addresses of accounts beside the preferred ones; who has none is left out."""
        return await self._db.read(addresses.of_each, tuple(ids))

    async def check_email(self, id: int, email: str) -> None:
        """Refuse an address that this account cannot be given."""
        await self._db.read(_check, id, email)

    async def add_email(self, id: int, email: str) -> None:
        """Give an account one more address."""
        await self._db.run_silent(_add, id, email, self._clock.now())

    async def prefer_email(self, id: int, email: str) -> bool:
        """Let mail go to one of the account's addresses from now on; False when it goes there already."""
        return await self._db.run_silent(_prefer, id, email, self._clock.now())

    async def remove_email(self, id: int, email: str) -> None:
        """Take an address from an account; the preferred one stays."""
        await self._db.run_silent(_remove, id, email)


def _check(session: Session, id: int, email: str) -> None:
    if not store.is_email(email):
        raise _refuse(Invalid, reason("hall.email-invalid", email=email))
    owner = store.email_in(session, email)
    if owner is not None:
        kind = "hall.email-yours" if owner.id == id else "hall.email-taken"
        raise _refuse(Conflict, reason(kind, email=email))
    if len(addresses.of_each(session, [id]).get(id, ())) >= MOST:
        raise _refuse(Conflict, reason("hall.emails-many", limit=MOST))


def _add(session: Session, id: int, email: str, at: datetime) -> None:
    _check(session, id, email)
    addresses.put(session, id, email, at)


def _prefer(session: Session, id: int, email: str, at: datetime) -> bool:
    account = store.account_in(session, id)
    if account is not None and account.email.lower() == email.lower():
        return False
    spelled = _own(session, id, email)
    addresses.drop(session, id, email)
    if account is not None:
        addresses.put(session, id, account.email, at)
    store.set_email(session, id, spelled)
    return True


def _remove(session: Session, id: int, email: str) -> None:
    account = store.account_in(session, id)
    if account is not None and account.email.lower() == email.lower():
        raise _refuse(Conflict, reason("hall.email-preferred", email=account.email))
    _own(session, id, email)
    addresses.drop(session, id, email)


def _own(session: Session, id: int, email: str) -> str:
    """A further address of an account as it was given."""
    found = next((one for one in addresses.of_each(session, [id]).get(id, ()) if one.lower() == email.lower()), None)
    if found is None:
        raise _refuse(NotFound, reason("hall.email-not-yours", email=email))
    return found


def _refuse(kind: type[GatebotError], why: Reason) -> GatebotError:
    return kind(say(why), reason=why)
