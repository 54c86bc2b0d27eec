# SPDX-License-Identifier: Apache-2.0
"""Who became a reviewer of a change, or was taken from them, when and by whom: Gerrit's `reviewer_updates`.

Transaction functions. The rows of reviewers say how it is now; these are the facts that led there.
"""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import Column, ForeignKey, Index, Integer, String, Table, insert, select

from ..db import Session, metadata, utc
from .model import ReviewerUpdate

updates = Table(
    "review_reviewer_updates",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("change", Integer, ForeignKey("review_changes.number"), nullable=False),
    Column("account", Integer, nullable=False),
    Column("by", Integer, nullable=False),
    Column("state", String(20), nullable=False),
    Column("at", utc, nullable=False),
    Index("ix_review_reviewer_updates_change", "change"),
)


def note(session: Session, change: int, update: ReviewerUpdate) -> None:
    """Keep what happened."""
    row = {"account": update.account, "by": update.by, "state": update.state, "at": update.at}
    session.execute(insert(updates).values(change=change, **row))


def updates_of(session: Session, numbers: Collection[int]) -> dict[int, tuple[ReviewerUpdate, ...]]:
    """What happened on some changes, oldest first."""
    found: dict[int, tuple[ReviewerUpdate, ...]] = {}
    for row in session.execute(select(updates).where(updates.c.change.in_(numbers)).order_by(updates.c.id)):
        one = ReviewerUpdate(row.account, row.by, row.state, row.at)
        found[row.change] = (*found.get(row.change, ()), one)
    return found
