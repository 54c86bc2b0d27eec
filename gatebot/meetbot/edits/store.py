# SPDX-License-Identifier: Apache-2.0
"""Edits of minutes, appended to the record: nothing that was said or decided is ever overwritten.

The register of actions follows them. Who led is known here by what he has proved to be: a nick proves nothing any more
when the meeting is over, and a services account belongs to nobody here until it is linked.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from ...db import Session
from ..memory import store as register
from ..minutes.fold import added_item, as_edited
from ..model import ITEMS, Entry, EntryKind
from ..sisters import links
from ..store import append_entries, line_table, meeting_table, record
from ..webchat.words import of_account

ADDABLE = tuple(sorted(ITEMS - {EntryKind.VOTE}))


@dataclass(frozen=True, slots=True)
class Change:
    """What somebody makes of the item at a place of the record, who read the words `was` there."""

    place: int
    was: str
    text: str


@dataclass(frozen=True, slots=True)
class Clash:
    """What an item is now, not what a change was made from: `text` is empty if it was struck out; `who` did it."""

    kind: str
    text: str
    who: str


def save(
    session: Session, meeting: int, changes: Sequence[Change], added: tuple[str, str], who: str, at: datetime
) -> dict[int, Clash] | None:
    """Make all changes and add an item (kind and text, if there is a text), or do nothing and tell what clashes.

    What somebody else struck out comes back as a new item when its words are saved all the same. None: there is no such
    item, or no item of that kind.
    """
    entries = record(session, meeting)
    standing, _, changed = as_edited(entries)
    clashes: dict[int, Clash] = {}
    made: list[tuple[Change, Entry]] = []
    for change in changes:
        here = standing.get(change.place)
        item = here or (_item(entries[change.place - 1]) if change.place in changed else None)
        if item is None:
            return None
        now = one_line(here.text) if here else ""
        if now == one_line(change.text):
            continue  # somebody else has written the same
        made.append((change, item))
        if now != one_line(change.was):
            clashes[change.place] = Clash(item.kind.value, now, changed.get(change.place, ""))
    if clashes:
        return clashes
    done = True
    for change, item in made:
        if change.place in standing:
            done &= edit(session, meeting, change.place, change.text, who, at)
        else:
            done &= add(session, meeting, item.kind.value, change.text, who, at)
    return {} if done and (not added[1] or add(session, meeting, *added, who, at)) else None


def _item(entry: Entry) -> Entry | None:
    """The item that an entry of the record stands for."""
    return added_item(entry) if entry.kind is EntryKind.ADDED else entry


def one_line(text: str) -> str:
    """A text as a form can hold it."""
    return " ".join(text.split())


def led_by(session: Session, meeting: int, account: int, username: str) -> bool:
    """Whether somebody led a meeting: proved on IRC to be this account, or signed in when speaking from the web."""
    seats = _seats(session, meeting)
    if of_account(username) in seats:
        return True
    network = session.execute(sa.select(meeting_table.c.network).where(meeting_table.c.id == meeting)).scalar_one()
    proved = (links.account_of(session, network, f"account:{told.lower()}") for told in seats.values() if told)
    return account in proved


def _seats(session: Session, meeting: int) -> dict[str, str]:
    """Who led at the end, with the services accounts: that with which somebody first spoke in the seat, as live."""
    entries = record(session, meeting)
    nicks = {entry.nick for entry in entries if entry.kind in (EntryKind.STARTED, EntryKind.RENAMED)}
    nicks |= {entry.text for entry in entries if entry.kind in (EntryKind.CHAIR, EntryKind.RENAMED)}
    columns = line_table.c
    told = sa.select(columns.id, columns.nick, columns.account).where(
        columns.meeting == meeting, columns.nick.in_(nicks), columns.account != ""
    )
    said = [(row.id, row) for row in session.execute(told)]
    seats: dict[str, str] = {}
    for _, one in sorted([*((entry.line, entry) for entry in entries), *said], key=lambda pair: pair[0]):
        if not isinstance(one, Entry):
            if seats.get(one.nick) == "":
                seats[one.nick] = one.account
        elif one.kind is EntryKind.STARTED:
            seats[one.nick] = ""
        elif one.kind is EntryKind.CHAIR:
            seats.setdefault(one.text, "")
        elif one.kind is EntryKind.UNCHAIR:
            seats.pop(one.text, None)
        elif one.kind is EntryKind.RENAMED and one.nick in seats:
            seats[one.text] = seats.pop(one.nick)
    return seats


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
    item = _item(target)
    if item is not None and item.kind is EntryKind.ACTION:
        register.reword(session, meeting, register.line_of(target, place), text)
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


def _is_over(session: Session, meeting: int) -> bool:
    ended = sa.select(meeting_table.c.ended).where(meeting_table.c.id == meeting)
    return session.execute(ended).scalar() is not None
