# SPDX-License-Identifier: Apache-2.0
"""The rows of who on IRC is whose account, and of the codes that prove it.

Transaction functions. A code is kept as its hash, works once, and for ten minutes. `name` is how a network knows
somebody: the account of its services, or a nick where settings trust nicks.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa

from ... import db, journal
from ...db import Session
from ...events import IrcLinked

LASTS = timedelta(minutes=10)

link_table = sa.Table(
    "irc_link",
    db.metadata,
    sa.Column("network", sa.Text, primary_key=True),
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("account", sa.Integer, nullable=False),
    sa.Column("at", db.utc, nullable=False),
)
code_table = sa.Table(
    "irc_link_code",
    db.metadata,
    sa.Column("account", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("code", sa.Text, nullable=False),
    sa.Column("until", db.utc, nullable=False),
)


@dataclass(frozen=True, slots=True)
class Link:
    """Somebody on a network who is this account."""

    network: str
    name: str
    at: datetime


def keep_code(session: Session, account: int, code: str, now: datetime) -> None:
    """A new code of an account, instead of an older one."""
    session.execute(sa.delete(code_table).where(code_table.c.account == account))
    row = {"account": account, "code": _hash(code), "until": now + LASTS}
    session.execute(sa.insert(code_table).values(row))


def confirm(session: Session, code: str, network: str, name: str, now: datetime) -> int | None:
    """Somebody said a code: whose account he is from now on; None: it is none, or too old."""
    mine = (code_table.c.code == _hash(code), code_table.c.until > now)
    account = session.execute(sa.select(code_table.c.account).where(*mine)).scalar()
    if account is None:
        return None
    session.execute(sa.delete(code_table).where(code_table.c.account == account))
    session.execute(sa.delete(link_table).where(link_table.c.network == network, link_table.c.name == name))
    row = {"network": network, "name": name, "account": account, "at": now}
    session.execute(sa.insert(link_table).values(row))
    journal.append(session, IrcLinked(account), now)
    return account


def account_of(session: Session, network: str, name: str) -> int | None:
    """Whose account somebody on a network is."""
    mine = (link_table.c.network == network, link_table.c.name == name)
    return session.execute(sa.select(link_table.c.account).where(*mine)).scalar()


def of_account(session: Session, account: int) -> tuple[Link, ...]:
    """Who an account is on IRC."""
    rows = session.execute(sa.select(link_table).where(link_table.c.account == account).order_by(link_table.c.at))
    return tuple(Link(row.network, row.name, row.at) for row in rows)


def unlink(session: Session, account: int, network: str, name: str) -> None:
    """This is not the account any more."""
    mine = (link_table.c.account == account, link_table.c.network == network, link_table.c.name == name)
    session.execute(sa.delete(link_table).where(*mine))


def _hash(code: str) -> str:
    return hashlib.sha256(code.strip().upper().encode()).hexdigest()
