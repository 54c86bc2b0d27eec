# SPDX-License-Identifier: Apache-2.0
"""The rows of fixes, and the journal reader that keeps them true.

Transaction functions. The rows follow from commit messages and the rules of trackers: where the rules are others than
they were read by (change 0 holds their mark), all messages are read anew, some at a time.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime

import sqlalchemy as sa

from ... import db, journal
from ...db import Session
from ...events import ChangeAbandoned, ChangeDeleted, ChangeMerged, ChangeRestored, FixesChanged, PatchSetCreated
from ..model import PrivateChanged
from ..tables import changes, patch_sets
from ..trackers.model import Rule
from . import deciding
from .model import Fix

READER = "fixes"
_KINDS = (PatchSetCreated, ChangeMerged, ChangeAbandoned, ChangeRestored, ChangeDeleted, PrivateChanged)
_BATCH = 500
_EACH = 50  # changes that count for one thing, the newest

fix_table = sa.Table(
    "review_fixes",
    db.metadata,
    sa.Column("change", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("url", sa.Text, primary_key=True),
    sa.Column("part", sa.Boolean, nullable=False),
    sa.Index("ix_review_fixes_url", "url", "change"),
)


def begin(session: Session, rules: Sequence[Rule]) -> bool:
    """Whether all messages must be read anew; then nothing is known, and the reader stands at the end."""
    known = session.execute(sa.select(fix_table.c.url).where(fix_table.c.change == 0)).scalar()
    if known == deciding.mark(rules):
        return False
    session.execute(sa.delete(fix_table))
    journal.begin_cursor(session, READER, active=False)
    journal.begin_cursor(session, READER)
    return True


def read_anew(session: Session, rules: Sequence[Rule], after: int) -> int:
    """Read the messages of the next changes; the number of the last one, 0 at the end."""
    current = (patch_sets.c.change == changes.c.number) & (patch_sets.c.number == changes.c.current)
    wanted = sa.select(changes.c.number, patch_sets.c.message).join(patch_sets, current)
    rows = session.execute(wanted.where(changes.c.number > after).order_by(changes.c.number).limit(_BATCH)).all()
    if not rows:
        session.execute(sa.delete(fix_table).where(fix_table.c.change == 0))
        session.execute(sa.insert(fix_table).values(change=0, url=deciding.mark(rules), part=False))
        return 0
    numbers = [row.number for row in rows]
    session.execute(sa.delete(fix_table).where(fix_table.c.change.in_(numbers)))
    _keep(session, [one for row in rows for one in _of(row.number, row.message, rules)])
    return numbers[-1]


def catch_up(session: Session, rules: Sequence[Rule], at: datetime) -> int:
    """Take in the next facts, together with the reader's place; how many there were."""
    entries = journal.read_in(session, journal.cursor(session, READER), _KINDS, _BATCH)
    touched: dict[str, None] = {}
    for entry in entries:
        touched |= dict.fromkeys(_take_in(session, entry.event, rules))
    if touched:
        journal.append(session, FixesChanged(tuple(touched)), at)
    if entries:
        journal.move_cursor(session, READER, entries[-1].id)
    return len(entries)


def _take_in(session: Session, fact: object, rules: Sequence[Rule]) -> Collection[str]:
    """What of somebody may see it differently now."""
    assert isinstance(fact, _KINDS)
    mine = fix_table.c.change == fact.change
    before = set(session.execute(sa.select(fix_table.c.url).where(mine)).scalars())
    if isinstance(fact, ChangeDeleted):
        session.execute(sa.delete(fix_table).where(mine))
        return () if fact.private else before
    current = (patch_sets.c.change == changes.c.number) & (patch_sets.c.number == changes.c.current)
    wanted = sa.select(patch_sets.c.message, changes.c.private).select_from(changes).join(patch_sets, current)
    row = session.execute(wanted.where(changes.c.number == fact.change)).first()
    if row is None:
        return ()
    found = _of(fact.change, row.message, rules)
    session.execute(sa.delete(fix_table).where(mine))
    _keep(session, found)
    # Of a private change strangers do not even learn that something happened.
    return () if row.private and not isinstance(fact, PrivateChanged) else before | {one.url for one in found}


def fixing(session: Session, urls: Collection[str]) -> list[Fix]:
    """The changes that fix some things, the newest first."""
    columns = fix_table.c
    place = sa.func.row_number().over(partition_by=columns.url, order_by=columns.change.desc()).label("place")
    ranked = sa.select(columns.url, columns.change, columns.part, place).where(
        columns.url.in_(urls), columns.change > 0
    )
    found = ranked.subquery()
    rows = session.execute(sa.select(found).where(found.c.place <= _EACH).order_by(found.c.change.desc()))
    return [Fix(row.url, row.change, row.part) for row in rows]


def _of(change: int, message: str, rules: Sequence[Rule]) -> list[Fix]:
    return [Fix(url, change, part) for url, part in deciding.fixes(message, rules).items()]


def _keep(session: Session, found: Sequence[Fix]) -> None:
    if found:
        rows = [{"change": one.change, "url": one.url, "part": one.part} for one in found]
        session.execute(sa.insert(fix_table), rows)
