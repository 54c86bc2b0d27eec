# SPDX-License-Identifier: Apache-2.0
"""Finding what was written into minutes after their end; all else in them was said, and is found as lines.

Only reads. An item is found by the words that it has now: those that were changed or struck out find nothing here.
Such changes are made by hand and are few, so the newest are looked through; restricted minutes are for those who may.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from ...db import Session
from ..minutes.fold import added_item
from ..model import Entry, EntryKind
from ..removing.marks import BEGINNING
from ..store import entry_table, meeting_table
from . import query
from .query import Asked

_MOST = 2_000  # changes that are looked through


@dataclass(frozen=True, slots=True)
class Written:
    """An item of minutes as somebody wrote it after the end: its meeting by id, title and channel."""

    meeting: int
    title: str
    channel: str
    at: datetime
    who: str
    text: str


def find(session: Session, text: str, limit: int = 10, hidden: Collection[int] = ()) -> list[Written]:
    """The newest changes that have all words; of `hidden` meetings nothing is told."""
    asked = query.parse(text)
    if not (asked.words or asked.phrases):
        return []
    found: list[Written] = []
    seen: set[tuple[int, int]] = set()
    for row in session.execute(_changes()):
        entry = Entry(EntryKind(row.kind), row.at, row.nick, row.text, row.log_line)
        place = (row.meeting, row.number if entry.kind is EntryKind.ADDED else row.log_line)
        if place in seen or row.meeting in hidden:
            continue
        seen.add(place)
        item = added_item(entry) if entry.kind is EntryKind.ADDED else entry
        gone = item is None or entry.kind is EntryKind.STRUCK or item.text.startswith(BEGINNING)
        if item is None or gone or not _is_when_and_where(row, asked):
            continue
        if query.fits(item.text, row.nick, row.channel, asked):
            title = row.title or row.name
            found.append(Written(row.meeting, title, row.channel, row.at, row.nick, item.text))
            if len(found) == limit:
                break
    return found


def _is_when_and_where(row: sa.Row[tuple[object, ...]], asked: Asked) -> bool:
    early = asked.after is not None and row.at < asked.after
    late = asked.before is not None and row.at >= asked.before
    named = {name.lower() for name in asked.meetings}
    return not (early or late) and (not named or row.name in named or (row.title or "").lower() in named)


def _changes() -> sa.Select[tuple[object, ...]]:
    """The newest changes, each with its meeting: of several of one item the last comes first."""
    changed, meeting = entry_table.c, meeting_table.c
    # Written out, so that the index of just these rows is used.
    kinds = sa.literal_column("meeting_entry.kind").in_(
        [sa.literal_column(f"'{kind}'") for kind in (EntryKind.EDITED, EntryKind.STRUCK, EntryKind.ADDED)]
    )
    joined = entry_table.join(meeting_table, changed.meeting == meeting.id)
    columns = (*entry_table.c, meeting.name, meeting.title, meeting.channel)
    newest = sa.select(*columns).select_from(joined).where(kinds)
    return newest.order_by(changed.at.desc(), changed.number.desc()).limit(_MOST)
