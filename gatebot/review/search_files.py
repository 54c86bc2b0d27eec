# SPDX-License-Identifier: Apache-2.0
"""The files of current patch sets as rows, so that queries can ask for them; and how much a patch set changes.

Transaction functions. Git has the files; `indexing.py` brings them here soon after a patch set came.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import Column, ForeignKey, Index, Integer, Table, Text, delete, exists, insert, select, text, update

from ..db import Session, metadata
from .model import Change, Status
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


@dataclass(frozen=True, slots=True)
class Revert:
    """A patch set of a revert which nobody compared yet with the commit that it takes back."""

    change: int
    patch_set: int
    project: str
    commit: str
    of: str


def uncompared(session: Session, limit: int = 100) -> tuple[Revert, ...]:
    """Reverts that have to be compared, newest first."""
    undone, was = changes.alias("undone"), patch_sets.alias("was")
    wanted = (
        select(
            changes.c.number,
            patch_sets.c.number.label("patch_set"),
            changes.c.project,
            patch_sets.c.commit,
            was.c.commit.label("of"),
        )
        .join(patch_sets, (patch_sets.c.change == changes.c.number) & (patch_sets.c.number == changes.c.current))
        .join(undone, undone.c.number == changes.c.revert_of)
        .join(was, (was.c.change == undone.c.number) & (was.c.number == undone.c.current))
        .where(changes.c.revert_of > 0, patch_sets.c.pure_revert.is_(None))
        .order_by(changes.c.number.desc())
        .limit(limit)
    )
    return tuple(Revert(*row) for row in session.execute(wanted))


def store_purity(session: Session, of: Revert, pure: bool) -> None:
    """Keep whether a patch set does nothing but take another change back."""
    place = (patch_sets.c.change == of.change, patch_sets.c.number == of.patch_set)
    session.execute(update(patch_sets).where(*place).values(pure_revert=pure))


def touching(session: Session, change: Change, limit: int) -> tuple[str, tuple[tuple[int, str], ...]]:
    """The current commit of a change; the open changes of its branch that touch the same files, with theirs."""
    current = (patch_sets.c.change == changes.c.number) & (patch_sets.c.number == changes.c.current)
    with_commit = select(changes.c.number, patch_sets.c.commit).join(patch_sets, current)
    own = session.execute(with_commit.where(changes.c.number == change.number)).one()
    mine = select(files.c.path).where(files.c.change == change.number).scalar_subquery()
    wanted = with_commit.where(
        changes.c.project == change.project,
        changes.c.branch == change.branch,
        changes.c.status == Status.NEW.value,
        changes.c.number != change.number,
        exists().where(files.c.change == changes.c.number, files.c.path.in_(mine)),
    )
    rows = session.execute(wanted.order_by(changes.c.updated.desc(), changes.c.number.desc()).limit(limit))
    return own.commit, tuple((row.number, row.commit) for row in rows)


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
