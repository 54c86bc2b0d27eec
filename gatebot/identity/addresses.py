# SPDX-License-Identifier: Apache-2.0
"""Further confirmed addresses of accounts, beside the preferred one that is part of each account.

Transaction functions. An address belongs to one account, in any case of letters.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

import sqlalchemy as sa

from ..db import Session, metadata, utc

further = sa.Table(
    "account_email",
    metadata,
    sa.Column("folded", sa.Text, primary_key=True),
    sa.Column("email", sa.Text, nullable=False),
    sa.Column("account", sa.Integer, sa.ForeignKey("account.id"), nullable=False, index=True),
    sa.Column("since", utc, nullable=False),
)


def put(session: Session, account: int, email: str, at: datetime) -> None:
    """Keep an address of an account that nobody has."""
    row = {"folded": email.lower(), "email": email, "account": account, "since": at}
    session.execute(sa.insert(further).values(row))


def drop(session: Session, account: int, email: str) -> bool:
    """Forget an address; False when the account has it not among its further ones."""
    here = (further.c.folded == email.lower(), further.c.account == account)
    return session.execute(sa.delete(further).where(*here)).rowcount > 0


def owner(session: Session, email: str) -> int | None:
    """Whose further address this is."""
    return session.execute(sa.select(further.c.account).where(further.c.folded == email.lower())).scalar()


def of_each(session: Session, accounts: Iterable[int]) -> dict[int, tuple[str, ...]]:
    """The further addresses of accounts, oldest first."""
    wanted = sa.select(further).where(further.c.account.in_(sorted(set(accounts))))
    found: dict[int, list[str]] = {}
    for row in session.execute(wanted.order_by(further.c.since, further.c.folded)):
        found.setdefault(row.account, []).append(row.email)
    return {account: tuple(several) for account, several in found.items()}
