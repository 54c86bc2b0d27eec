# SPDX-License-Identifier: Apache-2.0
"""The rows of boards: facts, in order; a board is made of them each time.

Transaction functions. A command is decided on the board as it is in the very transaction that keeps what it does and
moves the reader's place.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from datetime import datetime

import sqlalchemy as sa

from ... import db, journal
from ...db import Session
from ...events import BoardChanged
from ..heeding import store as heeding
from . import deciding, folding
from .model import Answer, Board, Event, Fact, Speaker, Verb
from .reading import Said

READER = "boards"

fact_table = sa.Table(
    "board_fact",
    db.metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("board", sa.Text, nullable=False),
    sa.Column("at", db.utc, nullable=False),
    sa.Column("verb", sa.Text, nullable=False),
    sa.Column("subject", sa.Text, nullable=False),
    sa.Column("text", sa.Text, nullable=False),
    sa.Column("nick", sa.Text, nullable=False),
    sa.Column("line", sa.BigInteger, nullable=False),
    sa.Index("ix_board_fact_board", "board", "id"),
)


def board(session: Session, event: Event) -> Board:
    """How a board stands; what was before it was last emptied is not looked at."""
    columns = fact_table.c
    mine = columns.board == event.name
    emptied = session.execute(sa.select(sa.func.max(columns.id)).where(mine, columns.verb == Verb.EMPTY.value)).scalar()
    wanted = sa.select(fact_table).where(mine, columns.id >= (emptied or 0)).order_by(columns.id)
    rows = session.execute(wanted)
    return folding.board(event.tracks, (Fact(Verb(r.verb), r.subject, r.text, r.at, r.nick) for r in rows))


def take(
    session: Session, event: Event, said: Said, who: Speaker, at: datetime, site: str, line: int = 0,
    upto: int | None = None,
) -> Answer | None:  # fmt: skip
    """Decide a command on the board as it is, and keep what it does."""
    if upto is not None:
        heeding.moved(session, READER, upto)
    answer = deciding.decide(event, board(session, event), said, who, at, site)
    if answer is not None and answer.facts:
        keep(session, event.name, [replace(one, at=at) for one in answer.facts], line)
        journal.append(session, BoardChanged(event.name), at)
    return answer


def keep(session: Session, name: str, facts: Collection[Fact], line: int = 0) -> None:
    """Add facts."""
    rows = [
        {"board": name, "at": one.at, "verb": one.verb.value, "subject": one.subject, "text": one.text}
        | {"nick": one.nick, "line": line}
        for one in facts
    ]
    session.execute(sa.insert(fact_table), rows)


def remove(session: Session, lines: Collection[int]) -> None:
    """Take back what lines did whose words must not stay."""
    gone = fact_table.c.line.in_(lines)
    session.execute(sa.delete(fact_table).where(gone, fact_table.c.verb != Verb.EMPTY.value))
