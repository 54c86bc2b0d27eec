# SPDX-License-Identifier: Apache-2.0
"""What a line said that may be a command, and where its reader stands.

Transaction functions. The reader's place moves in the transaction that keeps what a command does: a restart neither
loses nor doubles it.
"""

from __future__ import annotations

import sqlalchemy as sa

from ... import journal
from ...db import Session
from ..model import Line, LineKind
from ..store import line_table


def begin(session: Session, reader: str, *, leading: bool = True) -> int:
    """A reader's place; what was said before it first read is no command, nor while it led nothing."""
    return journal.begin_cursor(session, reader, active=leading)


def moved(session: Session, reader: str, upto: int) -> None:
    """The reader has dealt with everything up to here."""
    journal.move_cursor(session, reader, upto)


def said(session: Session, line: int) -> Line | None:
    """A stored line that somebody said; None: the bot said it, or it is no speech, or gone."""
    row = session.execute(sa.select(line_table).where(line_table.c.id == line)).first()
    if row is None or row.own or row.kind != LineKind.SAID.value:
        return None
    return Line(row.at, row.nick, row.text, account=row.account, id=row.id)
