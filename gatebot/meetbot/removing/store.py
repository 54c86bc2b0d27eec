# SPDX-License-Identifier: Apache-2.0
"""Taking the words of lines away, wherever they are kept; that something was there stays visible.

A line keeps its number, its moment and its nick: no address changes, and a meeting counts its lines as before. Who
follows the journal is told by `LineRemoved`; what the journal holds of the line is overwritten.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import sqlalchemy as sa

from ... import journal
from ...db import Session
from ...events import LineRemoved, LineSaid
from .. import lines, voting
from ..board import store as board
from ..memory import store as register
from ..model import ITEMS, SPOKEN, EntryKind, LineKind, Meeting, Vote
from ..search import index
from ..search.query import line_tokens
from ..status import store as told
from ..store import entry_table, items, line_table, meeting_table, record, restate
from .marks import marker

_ITEMS = frozenset(kind.value for kind in ITEMS)
_NAMED = frozenset({EntryKind.KNOWN.value, EntryKind.CHAIR.value, EntryKind.UNCHAIR.value})
MOST = 500
"""Lines that can be removed at once."""


@dataclass(frozen=True, slots=True)
class Removed:
    """How many lines were removed, and the meetings whose minutes are to be written anew."""

    lines: int
    meetings: tuple[int, ...]


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
    said = {row.id for row in spoken}
    session.execute(sa.update(line_table).where(columns.id.in_(ids)).values(text=mark))
    _from_record(session, [id for id in ids if id > 0], mark)
    register.remove(session, [id for id in ids if id > 0], mark)
    told.remove(session, [id for id in ids if id > 0], mark)
    board.remove(session, [id for id in ids if id > 0])
    meetings = tuple(sorted({row.meeting for row in rows if row.meeting}))
    for meeting in meetings:
        _from_state(session, meeting, frozenset(row.text for row in rows), mark)
    journal.rewrite(session, LineSaid, [row.at for row in spoken], lambda fact: _without(fact, said, mark))
    for row in rows:
        journal.append(session, LineRemoved(channel, row.id), at)
    return Removed(len(rows), meetings)


def _from_record(session: Session, ids: Sequence[int], mark: str) -> None:
    """The words in the record of meetings: items, what edits made of them, titles, and names that were told."""
    columns = entry_table.c
    said = sa.select(columns.meeting, columns.number, columns.kind).where(columns.line.in_(ids))
    for row in session.execute(said).all():
        here = sa.update(entry_table).where(columns.meeting == row.meeting)
        if row.kind in _ITEMS:
            session.execute(here.where(columns.number == row.number).values(text=mark))
            edits = here.where(columns.kind == EntryKind.EDITED.value, columns.log_line == row.number)
            session.execute(edits.values(text=mark))
        elif row.kind in _NAMED:
            session.execute(here.where(columns.number == row.number).values(text=""))
        elif row.kind == EntryKind.TITLE.value:
            session.execute(here.where(columns.number == row.number).values(text=mark))
            named = sa.select(columns.text).where(columns.meeting == row.meeting, columns.kind == row.kind)
            title = session.execute(named.order_by(columns.number.desc()).limit(1)).scalar_one()
            meeting = sa.update(meeting_table).where(meeting_table.c.id == row.meeting)
            session.execute(meeting.values(title=title))


def _from_state(session: Session, meeting: int, gone: frozenset[str], mark: str) -> None:
    """The words in what a running meeting remembers, lest the bot says them again: title, topics, an open vote."""
    entries = record(session, meeting)
    titles = [entry.text for entry in entries if entry.kind is EntryKind.TITLE]
    asked = {vote.question for text in gone if (vote := _vote(text)) is not None}

    def without(state: Meeting) -> Meeting:
        vote = state.vote
        if vote is not None and vote.question in asked:
            vote = replace(vote, question=mark)
        old = None if state.old_topic in gone else state.old_topic
        standing = replace(state, last=items(session, meeting)).standing
        topics = [item.text for item in standing if item.kind is EntryKind.TOPIC]
        title, topic = (told[-1] if told else "" for told in (titles, topics))
        return replace(state, title=title, topic=topic, old_topic=old, vote=vote)

    restate(session, meeting, without)


def _vote(text: str) -> Vote | None:
    """The vote that a line opened."""
    command = lines.command(text)
    return voting.open_vote(command.rest) if command is not None and command.name == "startvote" else None


def _without(fact: LineSaid, lines: set[int], mark: str) -> LineSaid:
    return replace(fact, text=mark) if fact.line in lines else fact
