# SPDX-License-Identifier: Apache-2.0
"""The rows of what accounts keep for themselves: stars, watched projects, preferences.

Transaction functions; nobody else sees any of it.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import cast

import msgspec
from sqlalchemy import Column, ForeignKey, Index, Integer, String, Table, Text, delete, insert, select

from ...assignment import Json
from ...db import Session, metadata

stars = Table(
    "review_stars",
    metadata,
    Column("account", Integer, primary_key=True),
    Column("change", Integer, ForeignKey("review_changes.number"), primary_key=True),
    Index("ix_review_stars_change", "change"),
)
watches = Table(
    "review_watches",
    metadata,
    Column("account", Integer, primary_key=True),
    Column("project", String(255), primary_key=True),
    # The query that narrows it, empty: all changes. `kinds` are the words of `NOTIFY`, with blanks between.
    Column("filter", String(500), primary_key=True),
    Column("kinds", Text, nullable=False),
)
preferences = Table(
    "review_preferences",
    metadata,
    Column("account", Integer, primary_key=True),
    Column("kind", String(20), primary_key=True),
    Column("chosen", Text, nullable=False),
)


@dataclass(frozen=True, slots=True)
class Watch:
    """A project whose changes an account wants to hear of, and which news of them."""

    project: str
    filter: str = ""
    kinds: tuple[str, ...] = ()


def set_star(session: Session, account: int, change: int, *, wanted: bool) -> None:
    """Star a change or not."""
    session.execute(delete(stars).where(stars.c.account == account, stars.c.change == change))
    if wanted:
        session.execute(insert(stars).values(account=account, change=change))


def starred(session: Session, account: int, among: Collection[int] | None = None) -> frozenset[int]:
    """The changes that an account has starred, all or those among some."""
    wanted = select(stars.c.change).where(stars.c.account == account)
    if among is not None:
        wanted = wanted.where(stars.c.change.in_(among))
    return frozenset(session.execute(wanted).scalars())


def list_watches(session: Session, account: int) -> tuple[Watch, ...]:
    """What an account watches, by project."""
    rows = session.execute(
        select(watches).where(watches.c.account == account).order_by(watches.c.project, watches.c.filter)
    )
    return tuple(Watch(row.project, row.filter, tuple(row.kinds.split())) for row in rows)


def set_watches(session: Session, account: int, wanted: Sequence[Watch]) -> tuple[Watch, ...]:
    """Add to what an account watches, each in place of the one for the same project and filter."""
    drop_watches(session, account, wanted)
    for one in dict.fromkeys(wanted):
        row = {"account": account, "project": one.project, "filter": one.filter, "kinds": " ".join(one.kinds)}
        session.execute(insert(watches).values(row))
    return list_watches(session, account)


def drop_watches(session: Session, account: int, unwanted: Sequence[Watch]) -> None:
    """Watch these no longer."""
    for one in unwanted:
        where = (watches.c.account == account, watches.c.project == one.project, watches.c.filter == one.filter)
        session.execute(delete(watches).where(*where))


def chosen(session: Session, account: int, kind: str) -> Mapping[str, Json]:
    """What an account chose among its preferences of a kind."""
    wanted = select(preferences.c.chosen).where(preferences.c.account == account, preferences.c.kind == kind)
    text = session.execute(wanted).scalar()
    return {} if text is None else cast("Mapping[str, Json]", msgspec.json.decode(text))


def choose(session: Session, account: int, kind: str, values: Mapping[str, Json]) -> None:
    """Store what an account chose."""
    session.execute(delete(preferences).where(preferences.c.account == account, preferences.c.kind == kind))
    row = {"account": account, "kind": kind, "chosen": msgspec.json.encode(values).decode()}
    session.execute(insert(preferences).values(row))
