# SPDX-License-Identifier: Apache-2.0
"""How accounts come to be without an administrator: asked for by mail, or known to an OpenID Connect provider.

Who asks by mail proves the address first: until then there is no account, only the hash of what the mail holds.
A provider's word binds its (issuer, subject) to an account once; an address counts only where it has verified it.
"""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa

from ..clock import Clock
from ..db import Database, Session, metadata, utc
from ..errors import Conflict, NotFound, NotPermitted
from ..reasons import reason
from ..words import say
from . import store
from .credentials import hash_token
from .passwords import hash_password
from .store import Account, NewAccount

LASTS = timedelta(hours=24)
_UNFIT = re.compile(r"[^A-Za-z0-9_.-]+")

_pending = sa.Table(
    "account_pending",
    metadata,
    sa.Column("hash", sa.Text, primary_key=True),
    sa.Column("username", sa.Text, nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("email", sa.Text, nullable=False),
    sa.Column("expires", utc, nullable=False),
)
_external = sa.Table(
    "account_external",
    metadata,
    sa.Column("issuer", sa.Text, primary_key=True),
    sa.Column("subject", sa.Text, primary_key=True),
    sa.Column("account", sa.Integer, sa.ForeignKey("account.id"), nullable=False, index=True),
)


@dataclass(frozen=True, slots=True)
class Wanted:
    """An account that somebody asks for."""

    username: str
    name: str
    email: str


@dataclass(frozen=True, slots=True)
class Claims:
    """What a provider says of who signed in there."""

    issuer: str
    subject: str
    username: str = ""
    name: str = ""
    email: str = ""
    email_verified: bool = False


class Joining:
    """Makes accounts of those who ask, or whom a provider knows."""

    def __init__(self, db: Database, clock: Clock) -> None:
        self._db = db
        self._clock = clock

    async def ask(self, wanted: Wanted) -> str | None:
        """Remember who asks; the token that his mail carries, or None where his address has an account already."""
        token = secrets.token_urlsafe(32)
        known = await self._db.run_silent(_ask, wanted, hash_token(token), self._clock.now())
        return None if known else token

    async def asked(self, token: str) -> Wanted:
        """What was asked for with this token; `NotFound` when it is used, too old or none."""
        return await self._db.read(_asked, hash_token(token), self._clock.now())

    async def confirm(self, token: str, password: str) -> Account:
        """Make the account: its address is proved."""
        hashed = await hash_password(password)
        return await self._db.run(_confirm, hash_token(token), hashed, self._clock.now())

    async def of_claims(self, claims: Claims, *, create: bool) -> Account:
        """The account of who signed in at a provider; made, with `create`, when it is his first time."""
        return await self._db.run(_of_claims, claims, create, self._clock.now())


def _ask(session: Session, wanted: Wanted, hash: str, now: datetime) -> bool:
    session.execute(_pending.delete().where(_pending.c.expires <= now))
    new = NewAccount(wanted.username, wanted.name, wanted.email, None, ())
    known = store.email_in(session, wanted.email) is not None
    # Who has an account learns so by mail only: the page must not tell strangers whose address is known here.
    store.check_new(session, new, but_email=known)
    if not known:
        row = {"username": wanted.username, "name": wanted.name, "email": wanted.email, "expires": now + LASTS}
        session.execute(_pending.insert().values(hash=hash, **row))
    return known


def _asked(session: Session, hash: str, now: datetime) -> Wanted:
    row = session.execute(sa.select(_pending).where(_pending.c.hash == hash, _pending.c.expires > now)).one_or_none()
    if row is None:
        why = reason("hall.sign-up-gone")
        raise NotFound(say(why), reason=why)
    return Wanted(row.username, row.name, row.email)


def _confirm(session: Session, hash: str, password: str, now: datetime) -> Account:
    wanted = _asked(session, hash, now)
    made = store.create(session, NewAccount(wanted.username, wanted.name, wanted.email, password, ()), now)
    session.execute(_pending.delete().where(_pending.c.hash == hash))
    return made


def _of_claims(session: Session, claims: Claims, create: bool, now: datetime) -> Account:
    here = (_external.c.issuer == claims.issuer, _external.c.subject == claims.subject)
    known = session.execute(sa.select(_external.c.account).where(*here)).scalar()
    account = None if known is None else store.account_in(session, known)
    if account is None:
        account = _of_address(session, claims) or _made(session, claims, create, now)
        session.execute(_external.insert().values(issuer=claims.issuer, subject=claims.subject, account=account.id))
    if not account.active:
        why = reason("hall.account-off", username=account.username)
        raise NotPermitted(say(why), reason=why)
    return account


def _of_address(session: Session, claims: Claims) -> Account | None:
    found = store.email_in(session, claims.email) if claims.email else None
    if found is not None and not claims.email_verified:
        why = reason("hall.address-not-verified", email=claims.email)
        raise Conflict(say(why), reason=why)
    return found


def _made(session: Session, claims: Claims, create: bool, now: datetime) -> Account:
    if not create:
        why = reason("hall.no-account-yet", name=claims.username or claims.email or claims.subject)
        raise NotPermitted(say(why), reason=why)
    username = _free(session, claims.username or claims.email.partition("@")[0] or "user")
    email = claims.email if claims.email_verified and claims.email else f"{username}@localhost"
    return store.create(session, NewAccount(username, claims.name or username, email, None, ()), now)


def _free(session: Session, wanted: str) -> str:
    """The user name that a provider proposes, made fit and unlike all others."""
    base = _UNFIT.sub("-", wanted).strip("-.")[:50] or "user"
    name, number = base, 1
    while store.username_in(session, name) is not None:
        number += 1
        name = f"{base}-{number}"
    return name
