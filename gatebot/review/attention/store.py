# SPDX-License-Identifier: Apache-2.0
"""The rows of the attention set.

Transaction functions. Nobody enters the set of a change that is closed or work in progress, and no
program ever: that is asked here, so that no caller can forget it. Who moves is decided in `turns.py`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime

from sqlalchemy import Boolean, Column, ForeignKey, Index, Integer, Table, Text, bindparam, delete, insert, select

from ...db import Session, metadata, utc
from ...identity import SERVICE_USERS, accounts_in
from ..tables import changes
from .model import Attention, Moves

attention = Table(
    "review_attention",
    metadata,
    Column("change", Integer, ForeignKey("review_changes.number"), primary_key=True),
    Column("account", Integer, primary_key=True),
    Column("active", Boolean, nullable=False),
    Column("since", utc, nullable=False),
    Column("reason", Text, nullable=False),
    Index("ix_review_attention_account", "account", "active"),
)
_here = (attention.c.change == bindparam("change_"), attention.c.account == bindparam("account_"))
_known = select(attention.c.active).where(*_here)
_forget = delete(attention).where(*_here)
_all = select(attention).where(attention.c.change == bindparam("change_"))


def add(session: Session, change: int, wanted: Iterable[tuple[int, str]], at: datetime) -> None:
    """Bring accounts into the set; who is in it stays with the first reason."""
    news = [(who, why) for who, why in wanted if session.execute(_known, _place(change, who)).scalar() is not True]
    if not news:
        return
    state = session.execute(
        select(changes.c.status, changes.c.work_in_progress).where(changes.c.number == change)
    ).one()
    if state.status != "NEW" or state.work_in_progress:
        return
    known = accounts_in(session, [who for who, _ in news])
    for who, why in news:
        if who in known and known[who].active and SERVICE_USERS not in known[who].groups:
            _put(session, change, Attention(who, True, at, why))


def remove(session: Session, change: int, gone: Iterable[tuple[int, str]], at: datetime) -> None:
    """Take accounts out of the set."""
    for who, why in gone:
        if session.execute(_known, _place(change, who)).scalar():
            _put(session, change, Attention(who, False, at, why))


def clear(session: Session, change: int, why: str, at: datetime) -> None:
    """It is nobody's turn any more."""
    inside = [row.account for row in session.execute(_all, {"change_": change}) if row.active]
    remove(session, change, [(account, why) for account in inside], at)


def move(session: Session, change: int, moves: Moves, at: datetime) -> None:
    """What a reply changed."""
    remove(session, change, moves.remove, at)
    add(session, change, moves.add, at)


def attention_of(session: Session, numbers: Collection[int]) -> dict[int, tuple[Attention, ...]]:
    """The sets of some changes, with those who left, in the order in which they came."""
    wanted = select(attention).where(attention.c.change.in_(numbers))
    found: dict[int, list[Attention]] = {}
    for row in session.execute(wanted.order_by(attention.c.since, attention.c.account)):
        found.setdefault(row.change, []).append(Attention(row.account, row.active, row.since, row.reason))
    return {change: tuple(several) for change, several in found.items()}


def _put(session: Session, change: int, one: Attention) -> None:
    session.execute(_forget, _place(change, one.account))
    row = {"change": change, "account": one.account, "active": one.active, "since": one.since, "reason": one.reason}
    session.execute(insert(attention).values(row))


def _place(change: int, account: int) -> dict[str, int]:
    return {"change_": change, "account_": account}
