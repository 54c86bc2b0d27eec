# SPDX-License-Identifier: Apache-2.0
"""The rows that remember what was brought from where, so that a second import brings only what is new.

`kind` is account, group, project, ref or change; `theirs` names it there, `here` here, `seen` says how it was there.
"""

from __future__ import annotations

from sqlalchemy import Column, String, Table, Text, delete, insert, select

from ...db import Session, metadata
from .model import Mark

imports = Table(
    "review_imports",
    metadata,
    Column("source", String(255), primary_key=True),
    Column("kind", String(20), primary_key=True),
    Column("theirs", Text, primary_key=True),
    Column("here", Text, nullable=False),
    Column("seen", Text, nullable=False, server_default=""),
)


def marks(session: Session, source: str, kind: str, prefix: str = "") -> dict[str, Mark]:
    """Everything of a kind that was brought from there, and whose name there begins so."""
    asked = select(imports).where(imports.c.source == source, imports.c.kind == kind)
    if prefix:
        asked = asked.where(imports.c.theirs.startswith(prefix, autoescape=True))
    return {row.theirs: Mark(row.here, row.seen) for row in session.execute(asked)}


def mark_of(session: Session, source: str, kind: str, theirs: str) -> Mark | None:
    """What is remembered of one."""
    here = (imports.c.source == source, imports.c.kind == kind, imports.c.theirs == theirs)
    row = session.execute(select(imports).where(*here)).one_or_none()
    return Mark(row.here, row.seen) if row is not None else None


def promised(session: Session, kind: str) -> set[int]:
    """The numbers here that were given to something of any site, whether it has come yet or not."""
    return set(map(int, session.execute(select(imports.c.here).where(imports.c.kind == kind)).scalars()))


def mark(session: Session, source: str, kind: str, theirs: str, new: Mark) -> None:
    """Remember one, in place of what was remembered of it."""
    here = (imports.c.source == source, imports.c.kind == kind, imports.c.theirs == theirs)
    session.execute(delete(imports).where(*here))
    session.execute(insert(imports).values(source=source, kind=kind, theirs=theirs, here=new.here, seen=new.seen))
