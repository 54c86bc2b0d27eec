# SPDX-License-Identifier: Apache-2.0
"""Taking the words of lines away, wherever they are kept; that something was there stays visible.

A line keeps its number, its moment and its nick: no address changes, and a meeting counts its lines as before. Who
follows the journal is told by `LineRemoved`; what the journal holds of the line is overwritten.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

import sqlalchemy as sa

from ... import journal
from ...db import Session
from ...events import LineRemoved, LineSaid
from ..model import ITEMS, SPOKEN, LineKind
from ..search import index
from ..search.query import line_tokens
from ..store import entry_table, line_table

MOST = 500
"""Lines that can be removed at once."""


@dataclass(frozen=True, slots=True)
class Removed:
    """How many lines were removed, and the meetings whose minutes are to be written anew."""

    lines: int
    meetings: tuple[int, ...]


def marker(why: str) -> str:
    """What stands in place of the words."""
    return f"[removed by an administrator: {why}]" if why else "[removed by an administrator]"


def remove(session: Session, channel: str, first: int, last: int, why: str, at: datetime) -> Removed:
    """Take away what is said in the lines of a channel from one number to another."""
    columns, mark = line_table.c, marker(why)
    wanted = sa.select(line_table).where(
        columns.channel == channel, columns.id >= first, columns.id <= last, columns.text != mark
    )
    rows = session.execute(wanted.order_by(columns.id).limit(MOST)).all()
    spoken = [row for row in rows if LineKind(row.kind) in SPOKEN]
    index.remove(session, [(row.place, line_tokens(row.nick, channel, row.text, row.meeting)) for row in spoken])
    ids = [row.id for row in rows]
    session.execute(sa.update(line_table).where(columns.id.in_(ids)).values(text=mark))
    items = [kind.value for kind in ITEMS]
    entries = sa.update(entry_table).where(entry_table.c.line.in_(ids), entry_table.c.kind.in_(items))
    session.execute(entries.where(entry_table.c.line > 0).values(text=mark))
    meetings = tuple(sorted({row.meeting for row in rows if row.meeting}))
    said = {row.id for row in spoken}
    journal.rewrite(session, LineSaid, [row.at for row in spoken], lambda fact: _without(fact, said, mark))
    for row in rows:
        journal.append(session, LineRemoved(channel, row.id), at)
    return Removed(len(rows), meetings)


def _without(fact: LineSaid, lines: set[int], mark: str) -> LineSaid:
    return replace(fact, text=mark) if fact.line in lines else fact
