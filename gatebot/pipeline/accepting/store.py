# SPDX-License-Identifier: Apache-2.0
"""Rows of accepted errors, one for an error of a tenant; and their facts in the journal.

What is over stays until it is withdrawn or accepted anew, so that people see who had accepted it.
"""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime

import sqlalchemy as sa

from ... import journal
from ...db import Session, metadata, utc
from ...events import ConfigErrorAccepted, ConfigErrorUnaccepted
from .model import Accepted

rows = sa.Table(
    "pipeline_accepted_errors",
    metadata,
    sa.Column("tenant", sa.Text, primary_key=True),
    sa.Column("key", sa.String(16), primary_key=True),
    sa.Column("project", sa.Text, nullable=False),
    sa.Column("owner", sa.Text, nullable=False),
    sa.Column("why", sa.Text, nullable=False),
    sa.Column("account", sa.Integer, nullable=False),
    sa.Column("at", utc, nullable=False),
    sa.Column("until", utc, nullable=False),
)


def accept(session: Session, new: Accepted) -> None:
    """Accept an error, or accept it anew."""
    session.execute(sa.delete(rows).where(rows.c.tenant == new.tenant, rows.c.key == new.key))
    session.execute(rows.insert(), asdict(new))
    event = ConfigErrorAccepted(
        new.tenant, new.key, new.project, new.owner, new.why, new.until.isoformat(), new.account
    )
    journal.append(session, event, new.at)


def withdraw(session: Session, tenant: str, key: str, account: int, at: datetime) -> bool:
    """Accept it no more; False: it was not accepted."""
    gone = session.execute(sa.delete(rows).where(rows.c.tenant == tenant, rows.c.key == key))
    if gone.rowcount:
        journal.append(session, ConfigErrorUnaccepted(tenant, key, account), at)
    return bool(gone.rowcount)


def every(session: Session, tenant: str) -> dict[str, Accepted]:
    """All that were accepted, by key, also those whose time is over."""
    found = session.execute(sa.select(rows).where(rows.c.tenant == tenant)).mappings()
    return {row["key"]: Accepted(**row) for row in found}


def valid(session: Session, tenant: str, now: datetime) -> dict[str, Accepted]:
    """Those whose time is not over."""
    return {key: one for key, one in every(session, tenant).items() if one.until > now}
