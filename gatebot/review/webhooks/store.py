# SPDX-License-Identifier: Apache-2.0
"""The rows of webhooks: how far each is, so that a restart neither loses an event nor skips one.

Transaction functions. A webhook that is new begins with what happens from then on; one that is no longer in the
settings is forgotten.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import asdict

from sqlalchemy import BigInteger, Column, Integer, String, Table, Text, delete, insert, select, update

from ...db import Session, metadata, utc
from .model import Progress

webhooks = Table(
    "review_webhooks",
    metadata,
    Column("name", String(255), primary_key=True),
    Column("upto", BigInteger, nullable=False),
    Column("event", BigInteger, nullable=False),
    Column("tries", Integer, nullable=False),
    Column("since", utc),
    Column("due", utc),
    Column("problem", Text, nullable=False),
    Column("delivered", utc),
    Column("left_count", Integer, nullable=False),
    Column("left_name", Text, nullable=False),
    Column("left_at", utc),
)


def settle(session: Session, names: Collection[str], last: int) -> dict[str, Progress]:
    """Forget webhooks that are gone, begin new ones behind the entry `last`; how far each is."""
    session.execute(delete(webhooks).where(webhooks.c.name.not_in(names)))
    found = {row.name: _progress(row) for row in session.execute(select(webhooks))}
    for name in names:
        if name not in found:
            found[name] = Progress(last)
            session.execute(insert(webhooks).values(name=name, **asdict(found[name])))
    return found


def save(session: Session, name: str, progress: Progress) -> None:
    """Remember how far a webhook is."""
    session.execute(update(webhooks).where(webhooks.c.name == name).values(asdict(progress)))


def _progress(row: object) -> Progress:
    return Progress(**{name: getattr(row, name) for name in Progress.__dataclass_fields__})
