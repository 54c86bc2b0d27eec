# SPDX-License-Identifier: Apache-2.0
"""The rows of change edits: one for an account and a change, seen by that account alone.

Transaction functions. The commit of an edit lies in a store of its own until it is published.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Column, ForeignKey, Integer, String, Table, delete, insert, select

from ...db import Session, metadata, utc
from ..tables import changes

edits = Table(
    "review_edits",
    metadata,
    Column("change", Integer, ForeignKey("review_changes.number"), primary_key=True),
    Column("account", Integer, primary_key=True),
    Column("base", Integer, nullable=False),
    Column("commit", String(64), nullable=False),
    Column("updated", utc, nullable=False),
)


@dataclass(frozen=True, slots=True)
class Edit:
    """What somebody has written into a change and not published; `base` is the patch set it stands on."""

    change: int
    account: int
    base: int
    commit: str
    updated: datetime


def find_edit(session: Session, change: int, account: int) -> Edit | None:
    """The edit of an account."""
    row = session.execute(select(edits).where(edits.c.change == change, edits.c.account == account)).first()
    return Edit(row.change, row.account, row.base, row.commit, row.updated) if row else None


def all_edits(session: Session) -> tuple[tuple[str, Edit], ...]:
    """Every edit, with the project of its change."""
    wanted = select(edits, changes.c.project).join(changes, changes.c.number == edits.c.change)
    return tuple(
        (row.project, Edit(row.change, row.account, row.base, row.commit, row.updated))
        for row in session.execute(wanted)
    )


def put_edit(session: Session, edit: Edit, before: str) -> bool:
    """Keep an edit as it is now; no, when its commit is not `before` any more (empty: when there is one)."""
    now = find_edit(session, edit.change, edit.account)
    if (now.commit if now is not None else "") != before:
        return False
    replace_edit(session, edit)
    return True


def replace_edit(session: Session, edit: Edit) -> None:
    """Keep an edit in the place of whatever the account had."""
    drop_edit(session, edit.change, edit.account)
    row = {"change": edit.change, "account": edit.account, "base": edit.base, "commit": edit.commit}
    session.execute(insert(edits).values(**row, updated=edit.updated))


def drop_edit(session: Session, change: int, account: int, commit: str = "") -> None:
    """Throw an edit away; with `commit` only one that is still at it."""
    wanted = delete(edits).where(edits.c.change == change, edits.c.account == account)
    session.execute(wanted.where(edits.c.commit == commit) if commit else wanted)
