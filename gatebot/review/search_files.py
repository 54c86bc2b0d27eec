# SPDX-License-Identifier: Apache-2.0
"""The files of current patch sets as rows, so that queries can ask for them; and how much a patch set changes.

Transaction functions. Git has the files; `indexing.py` brings them here soon after a patch set came.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import Column, ForeignKey, Index, Integer, Table, Text, delete, insert, select, text, update

from ..db import Session, metadata
from .tables import changes, patch_sets

files = Table(
    "review_files",
    metadata,
    Column("change", Integer, ForeignKey("review_changes.number"), primary_key=True),
    Column("path", Text, primary_key=True),
    Index("ix_review_files_path", "path"),
)


@dataclass(frozen=True, slots=True)
class Unread:
    """A current patch set whose files are not here yet."""

    change: int
    patch_set: int
    project: str
    commit: str


def unread(session: Session, limit: int = 100) -> tuple[Unread, ...]:
    """Patch sets whose files have to be read, newest first."""
    wanted = (
        select(changes.c.number, patch_sets.c.number.label("patch_set"), changes.c.project, patch_sets.c.commit)
        .join(patch_sets, (patch_sets.c.change == changes.c.number) & (patch_sets.c.number == changes.c.current))
        .where(patch_sets.c.added.is_(None))
        .order_by(changes.c.number.desc())
        .limit(limit)
    )
    return tuple(Unread(row.number, row.patch_set, row.project, row.commit) for row in session.execute(wanted))


def store_files(session: Session, of: Unread, paths: Iterable[str], added: int, deleted: int) -> None:
    """Keep the files of a patch set in place of those of the one before."""
    place = (patch_sets.c.change == of.change, patch_sets.c.number == of.patch_set)
    session.execute(update(patch_sets).where(*place).values(added=added, deleted=deleted))
    session.execute(delete(files).where(files.c.change == of.change))
    names = tuple(dict.fromkeys(paths))
    rows = [{"change": of.change, "path": path} for path in names]
    if rows:
        session.execute(insert(files), rows)
    if session.dialect.name == "sqlite":
        told = {"change": of.change, "paths": "\n".join(names)}
        session.execute(text("UPDATE review_search SET paths = :paths WHERE rowid = :change"), told)
