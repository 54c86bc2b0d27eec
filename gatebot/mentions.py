# SPDX-License-Identifier: Apache-2.0
"""What mentions what: one index over chat lines, comments and commit messages, shown at both ends.

A journal reader; it writes its rows and moves its cursor in one transaction, so each mention is
there once. In which forms people name a change or a build is known to `targets`. Rooms do not appear
here, only their events and ids.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from . import db as database
from . import events, journal
from .db import Database, Session
from .targets import places

MENTION = sa.Table(
    "mention",
    database.metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("at", database.utc, nullable=False),
    sa.Column("target", sa.String(80), nullable=False, index=True),
    sa.Column("source", sa.String(120), nullable=False),
    sa.Column("path", sa.Text, nullable=False),
    sa.Column("who", sa.Text, nullable=False),
    sa.Column("text", sa.Text, nullable=False),
    sa.Column("meeting", sa.Integer, nullable=False, server_default="0", index=True),
    sa.UniqueConstraint("target", "source"),
)
MEETING = sa.Table(
    "mention_meeting",
    database.metadata,
    sa.Column("meeting", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("path", sa.Text, nullable=False),
)
_READER = "mentions"
_KINDS = ("LineSaid", "LineRemoved", "CommentAdded", "MeetingStarted", "MeetingEnded", "MeetingImported")


@dataclass(frozen=True, slots=True)
class Mention:
    """One place that names a target; `meeting` is (name, path of its minutes) when it was said in one."""

    at: datetime
    source: str
    path: str
    who: str
    text: str
    meeting: tuple[str, str] | None


def find(text: str, site_url: str) -> frozenset[str]:
    """The targets that a text names: `change/12`, `build/5f...`."""
    return frozenset(place.target for place in places(text, site_url) if place.target)


class Mentions:
    """The index and its reader."""

    def __init__(self, db: Database, log: journal.Journal, site_url: str) -> None:
        self._db = db
        self._journal = log
        self._url = site_url

    async def of(self, target: str, limit: int = 100) -> list[Mention]:
        """Who mentions a target, newest first."""
        return await self._db.read(_mentions_of, target, limit)

    async def run(self) -> None:
        """Follow the journal for ever."""
        while True:
            # Look how far the journal is first: what comes while we index wakes us at once.
            known = await self._journal.last()
            if not await self._db.run_silent(self.catch_up):
                await self._journal.wait(known, timeout=60)

    def catch_up(self, session: Session) -> int:
        """Index the next facts, one transaction with the cursor; returns how many were read."""
        after = journal.cursor(session, _READER)
        entries = journal.read_in(session, after, _KINDS, 500)
        for entry in entries:
            self._index(session, entry)
        if entries:
            journal.move_cursor(session, _READER, entries[-1].id)
        return len(entries)

    def _index(self, session: Session, entry: journal.Entry) -> None:
        match entry.event:
            case events.LineSaid(aside=False) as said:
                source = f"line/{said.line}"
                self._store(session, entry.at, said.text, source, said.path, said.nick, said.in_meeting)
            case events.LineRemoved() as removed:
                session.execute(sa.delete(MENTION).where(MENTION.c.source == f"line/{removed.line}"))
            case events.CommentAdded(tag="") as comment:
                source = f"change/{comment.change}/message/{comment.message}"
                path = f"/{comment.change}#message-{comment.message}"
                self._store(session, entry.at, comment.text, source, path, "", 0, but=f"change/{comment.change}")
            case events.MeetingStarted() as meeting:
                session.execute(sa.delete(MEETING).where(MEETING.c.meeting == meeting.meeting))
                session.execute(sa.insert(MEETING).values(meeting=meeting.meeting, name=meeting.name, path=""))
            case events.MeetingEnded() as meeting:
                change = sa.update(MEETING).where(MEETING.c.meeting == meeting.meeting)
                session.execute(change.values(name=meeting.name, path=meeting.path))
            case events.MeetingImported() as meeting:
                _imported(session, meeting)
            case _:
                pass

    def _store(
        self, session: Session, at: datetime, text: str, source: str, path: str, who: str, meeting: int, but: str = ""
    ) -> None:
        for target in sorted(find(text, self._url) - {but}):
            known = sa.select(MENTION.c.id).where(MENTION.c.target == target, MENTION.c.source == source)
            if session.execute(known).first() is None:
                row = {"at": at, "target": target, "source": source, "path": path, "who": who, "text": text[:500]}
                session.execute(sa.insert(MENTION).values(**row, meeting=meeting))


def _imported(session: Session, meeting: events.MeetingImported) -> None:
    """What an old meeting's lines name was said in it."""
    session.execute(sa.delete(MEETING).where(MEETING.c.meeting == meeting.meeting))
    session.execute(sa.insert(MEETING).values(meeting=meeting.meeting, name=meeting.name, path=meeting.path))
    if meeting.lines:
        said = sa.update(MENTION).where(MENTION.c.source.in_([f"line/{line}" for line in meeting.lines]))
        session.execute(said.values(meeting=meeting.meeting))


def _mentions_of(session: Session, target: str, limit: int) -> list[Mention]:
    joined = MENTION.outerjoin(MEETING, MENTION.c.meeting == MEETING.c.meeting)
    query = (
        sa.select(MENTION, MEETING.c.name.label("meeting_name"), MEETING.c.path.label("meeting_path"))
        .select_from(joined)
        .where(MENTION.c.target == target)
        .order_by(MENTION.c.at.desc(), MENTION.c.id.desc())
        .limit(limit)
    )
    return [
        Mention(
            at=row.at,
            source=row.source,
            path=row.path,
            who=row.who,
            text=row.text,
            meeting=(row.meeting_name, row.meeting_path) if row.meeting_name else None,
        )
        for row in session.execute(query)
    ]
