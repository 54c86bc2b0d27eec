# SPDX-License-Identifier: Apache-2.0
"""The rows of mail: letters that were written, messages that wait to be sent, projects that somebody muted.

Transaction functions. A letter, its messages and the reader's place in the journal are written at once, so that a
restart neither loses nor doubles any of them.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import cast

import msgspec
from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Index,
    Integer,
    LargeBinary,
    String,
    Table,
    Text,
    UniqueConstraint,
    delete,
    func,
    insert,
    select,
    update,
)

from ... import journal, words
from ...assignment import Json
from ...db import Session, metadata, utc
from ..config.model import ALL_PROJECTS
from ..deliveries.store import Outbox, waiting_columns
from ..fixes.suggestion import plain
from ..people.store import preferences, stars, watches
from .model import FACTS, Kept, NotifyWished, Wish
from .ports import Waiting
from .rendering import unsaid

READER = "mail"
letters = Table(
    "review_mail_letters",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("happening", BigInteger, nullable=False),
    Column("kind", String(20), nullable=False),
    Column("at", utc, nullable=False),
    Column("month", String(7), nullable=False),
    Column("change", Integer, nullable=False),
    Column("project", String(255), nullable=False),
    Column("writer", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("text", Text, nullable=False),
    Column("message_id", Text, nullable=False),
    Column("first", Boolean, nullable=False),
    UniqueConstraint("happening", "kind"),
    Index("ix_review_mail_letters_month", "project", "month"),
)
_messages = Table(
    "review_mail_outbox",
    metadata,
    *waiting_columns(),
    Column("account", Integer, nullable=False),
    Column("email", Text, nullable=False),
    Column("content", LargeBinary, nullable=False),
    Index("ix_review_mail_outbox_due", "due"),
)
OUTBOX = Outbox(_messages)
mutes = Table(
    "review_mail_mutes",
    metadata,
    Column("account", Integer, primary_key=True),
    Column("project", String(255), primary_key=True),
)
journal.register(*FACTS)


@dataclass(frozen=True, slots=True)
class Watching:
    """Somebody who watches a project, how it is narrowed, and for which news."""

    account: int
    filter: str
    kinds: frozenset[str]


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A message for one reader, before it is stored."""

    account: int
    email: str
    content: bytes


def wished(session: Session, change: int, account: int, wish: Wish, at: datetime) -> None:
    """Say ahead of the facts of a transaction who is told of them; no wish says nothing."""
    if wish.says_something:
        level = wish.level.value if wish.level is not None else ""
        journal.append(session, NotifyWished(change, account, level, wish.to, wish.cc, wish.bcc), at)


def watching(session: Session, project: str) -> tuple[Watching, ...]:
    """Who watches a project, or all of them."""
    rows = session.execute(select(watches).where(watches.c.project.in_([project, ALL_PROJECTS])))
    return tuple(Watching(row.account, row.filter, frozenset(row.kinds.split())) for row in rows)


def starring(session: Session, change: int) -> tuple[int, ...]:
    """Who starred a change."""
    return tuple(session.scalars(select(stars.c.account).where(stars.c.change == change).order_by(stars.c.account)))


def preferring(session: Session, accounts: Collection[int]) -> dict[int, Mapping[str, Json]]:
    """What accounts chose about pages and mail."""
    chosen = select(preferences).where(preferences.c.kind == "general", preferences.c.account.in_(accounts))
    rows = session.execute(chosen)
    return {row.account: cast("Mapping[str, Json]", msgspec.json.decode(row.chosen)) for row in rows}


def muting(session: Session, accounts: Collection[int], project: str) -> frozenset[int]:
    """Those of some accounts that want to hear nothing of a project."""
    found = select(mutes.c.account).where(mutes.c.project == project, mutes.c.account.in_(accounts))
    return frozenset(session.scalars(found))


def muted(session: Session, account: int) -> tuple[str, ...]:
    """The projects of which an account wants to hear nothing."""
    return tuple(session.scalars(select(mutes.c.project).where(mutes.c.account == account).order_by(mutes.c.project)))


def mute(session: Session, account: int, project: str, *, wanted: bool) -> None:
    """Hear nothing of a project, or hear of it again."""
    session.execute(delete(mutes).where(mutes.c.account == account, mutes.c.project == project))
    if wanted:
        session.execute(insert(mutes).values(account=account, project=project))


def write(session: Session, kept: Sequence[Kept], messages: Iterable[Outgoing], upto: int, at: datetime) -> None:
    """Keep letters, queue their messages, and move the reader's place: all at once."""
    for one in kept:
        row = {
            "happening": one.id, "kind": one.kind, "at": one.at, "month": one.at.strftime("%Y-%m"),
            "change": one.change, "project": one.project, "writer": one.writer, "subject": one.subject,
            "text": one.text, "message_id": one.message_id, "first": one.first,
        }  # fmt: skip
        session.execute(insert(letters).values(row))
    for message in messages:
        queue(session, message, at)
    journal.move_cursor(session, READER, upto)


def queue(session: Session, message: Outgoing, at: datetime) -> None:
    """Queue a message that no letter stands behind."""
    OUTBOX.queue(session, asdict(message), at)


def due(session: Session, now: datetime, limit: int) -> tuple[Waiting, ...]:
    """The messages that are to be tried now, oldest first."""
    return tuple(Waiting(row.id, row.email, row.content, row.tries) for row in OUTBOX.due(session, now, limit))


def unsay(session: Session, change: int, said: str, instead: str) -> None:
    """Put other words in the place of a comment in the letters that were written of a change, in any language."""
    told = {said, *(plain(said, words.translations(language).gettext) for language in words.LANGUAGES)}
    for row in session.execute(select(letters.c.id, letters.c.text).where(letters.c.change == change)).all():
        text = row.text
        for one in told:
            text = unsaid(text, one, instead)
        if text != row.text:
            session.execute(update(letters).where(letters.c.id == row.id).values(text=text))


def months(session: Session) -> tuple[tuple[str, str, int], ...]:
    """For each project the months that have mail, newest first, with how many letters."""
    wanted = select(letters.c.project, letters.c.month, func.count())
    rows = session.execute(
        wanted.group_by(letters.c.project, letters.c.month).order_by(letters.c.project, letters.c.month.desc())
    )
    return tuple((project, month, count) for project, month, count in rows)


def kept(session: Session, project: str, month: str, limit: int) -> tuple[Kept, ...]:
    """The newest letters of a project and a month, oldest first."""
    wanted = select(letters).where(letters.c.project == project, letters.c.month == month)
    rows = session.execute(wanted.order_by(letters.c.id.desc()).limit(limit)).all()
    return tuple(
        Kept(
            row.id, row.at, row.change, row.project, row.kind, row.writer, row.subject, row.text, row.message_id,
            row.first,
        )
        for row in reversed(rows)
    )  # fmt: skip
