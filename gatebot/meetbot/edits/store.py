# SPDX-License-Identifier: Apache-2.0
"""Edits of minutes, appended to the record: nothing that was said or decided is ever overwritten.

The register of actions follows them. A chair is known here by services account only: a nick proves nothing any more
when the meeting is over.
"""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa

from ...db import Session
from ..memory import store as register
from ..minutes.fold import added_item
from ..model import ITEMS, Entry, EntryKind
from ..store import append_entries, line_table, meeting_table, record

ADDABLE = tuple(sorted(ITEMS - {EntryKind.VOTE}))


def chairs(session: Session, meeting: int) -> frozenset[str]:
    """The services accounts of those who led a meeting, as far as the network told them."""
    entries = record(session, meeting)
    led = {entry.nick for entry in entries if entry.kind is EntryKind.STARTED}
    for entry in entries:
        if entry.kind is EntryKind.CHAIR:
            led.add(entry.text)
        elif entry.kind is EntryKind.UNCHAIR:
            led.discard(entry.text)
        elif entry.kind is EntryKind.RENAMED and entry.nick in led:
            led.add(entry.text)
    columns = line_table.c
    told = sa.select(columns.account).where(columns.meeting == meeting, columns.nick.in_(led)).distinct()
    return frozenset(account.casefold() for account in session.execute(told).scalars() if account)


def edit(session: Session, meeting: int, place: int, text: str, who: str, at: datetime) -> bool:
    """Change the text of the item at a place of the record, or strike it out with an empty one; False: no such item."""
    if not _is_over(session, meeting):
        return False
    entries = record(session, meeting)
    if not 1 <= place <= len(entries) or entries[place - 1].kind not in {*ITEMS, EntryKind.ADDED}:
        return False
    kind = EntryKind.EDITED if text else EntryKind.STRUCK
    append_entries(session, meeting, [Entry(kind, at, who, text, place)])
    target = entries[place - 1]
    item = added_item(target) if target.kind is EntryKind.ADDED else target
    if item is not None and item.kind is EntryKind.ACTION:
        register.reword(session, meeting, _line_of_action(target, place), text)
    return True


def add(session: Session, meeting: int, kind: str, text: str, who: str, at: datetime) -> bool:
    """Add an item to minutes; False: the meeting runs, or minutes have no such items."""
    if kind not in ADDABLE or not text or not _is_over(session, meeting):
        return False
    place = len(record(session, meeting)) + 1
    entry = Entry(EntryKind.ADDED, at, who, f"#{kind} {text}", 0)
    append_entries(session, meeting, [entry])
    if kind == EntryKind.ACTION:
        row = session.execute(sa.select(meeting_table).where(meeting_table.c.id == meeting)).one()
        action = Entry(EntryKind.ACTION, at, who, text, -place)
        register.note(session, meeting, row.name, row.channel, [action], None)
    return True


def _line_of_action(target: Entry, place: int) -> int:
    """Under which line the register has an action: one that was added later was never said."""
    return -place if target.kind is EntryKind.ADDED else target.number


def _is_over(session: Session, meeting: int) -> bool:
    ended = sa.select(meeting_table.c.ended).where(meeting_table.c.id == meeting)
    return session.execute(ended).scalar() is not None
