# SPDX-License-Identifier: Apache-2.0
"""The rows of key pairs: one of each kind for a project.

The private part is sealed by the site's key before it comes here; who reads the database alone has only public keys.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert

from ..db import Session, metadata, utc

pairs = sa.Table(
    "project_keys",
    metadata,
    sa.Column("project", sa.Text, primary_key=True),
    sa.Column("kind", sa.String(20), primary_key=True),
    sa.Column("public", sa.Text, nullable=False),
    sa.Column("private", sa.Text, nullable=False),
    sa.Column("created", utc, nullable=False),
)


@dataclass(frozen=True, slots=True)
class Pair:
    """A key pair; `private` is sealed."""

    project: str
    kind: str
    public: str
    private: str
    created: datetime


def find(session: Session, project: str, kind: str) -> Pair | None:
    """A project's key pair of a kind."""
    row = session.execute(sa.select(pairs).where(pairs.c.project == project, pairs.c.kind == kind)).first()
    return None if row is None else Pair(**row._mapping)  # pyright: ignore[reportPrivateUsage]


def every(session: Session) -> tuple[Pair, ...]:
    """All key pairs, by project."""
    rows = session.execute(sa.select(pairs).order_by(pairs.c.project, pairs.c.kind))
    return tuple(Pair(**row._mapping) for row in rows)  # pyright: ignore[reportPrivateUsage]


def any_there(session: Session) -> bool:
    """Whether any private key is kept."""
    return session.execute(sa.select(pairs.c.project).limit(1)).first() is not None


def add(session: Session, pair: Pair) -> Pair:
    """Keep a new pair, unless there is one; the pair that is kept."""
    insert = sqlite_insert if session.dialect.name == "sqlite" else postgresql_insert
    row = {"project": pair.project, "kind": pair.kind, "public": pair.public, "private": pair.private}
    session.execute(
        insert(pairs).on_conflict_do_nothing(index_elements=["project", "kind"]), {**row, "created": pair.created}
    )
    return find(session, pair.project, pair.kind) or pair


def put(session: Session, pair: Pair) -> None:
    """Keep a pair in place of the one that is there."""
    session.execute(sa.delete(pairs).where(pairs.c.project == pair.project, pairs.c.kind == pair.kind))
    add(session, pair)
