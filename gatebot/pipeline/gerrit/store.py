# SPDX-License-Identifier: Apache-2.0
"""The rows of mirrored Gerrits: their numbers here, their changes, people, branches, and the reports that were made.

Transaction functions. What is new about a change or a branch is told to the journal in the transaction that stores it,
so each fact is told once, however often Gerrit is read.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from datetime import datetime

import msgspec
import sqlalchemy as sa

from ... import journal
from ...change import SPACE
from ...db import Session, metadata, utc
from ...errors import Conflict
from ...events import BranchMoved, ChangeAbandoned
from .differences import differences
from .model import ABANDONED, NEW, Mirrored, Person, Reading

_ZERO = "0" * 40
_MOST_SITES = 9

sites = sa.Table(
    "gerrit_sites",
    metadata,
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("space", sa.Integer, nullable=False),
    sa.Column("seen", sa.Text, nullable=False, server_default=""),
)
changes = sa.Table(
    "gerrit_changes",
    metadata,
    sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("project", sa.Text, nullable=False),
    sa.Column("status", sa.String(20), nullable=False),
    sa.Column("commit", sa.String(64), nullable=False),
    sa.Column("change_id", sa.String(64), nullable=False),
    sa.Column("private", sa.Boolean, nullable=False),
    sa.Column("body", sa.Text, nullable=False),
    sa.Index("ix_gerrit_changes_commit", "commit"),
    sa.Index("ix_gerrit_changes_change_id", "change_id"),
    sa.Index("ix_gerrit_changes_status", "status"),
)
people = sa.Table(
    "gerrit_people",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("username", sa.Text, nullable=False),
    sa.Column("email", sa.Text, nullable=False),
)
branches = sa.Table(
    "gerrit_branches",
    metadata,
    sa.Column("project", sa.Text, primary_key=True),
    sa.Column("branch", sa.Text, primary_key=True),
    sa.Column("commit", sa.String(64), nullable=False),
)
reports = sa.Table(
    "gerrit_reports",
    metadata,
    sa.Column("key", sa.Text, primary_key=True),
    sa.Column("at", utc, nullable=False),
)


# Sites


def space_of(session: Session, name: str) -> int:
    """Where the numbers of a connection begin; chosen when it is first seen, and kept for ever."""
    known = session.execute(sa.select(sites.c.space).where(sites.c.name == name)).scalar()
    if known is not None:
        return known
    last = session.execute(sa.select(sa.func.max(sites.c.space))).scalar() or 0
    if last >= _MOST_SITES * SPACE:
        raise Conflict(f"{_MOST_SITES} other Gerrits are known here already; {name} would be one too many.")
    session.execute(sites.insert().values(name=name, space=last + SPACE))
    return last + SPACE


def seen(session: Session, name: str) -> str:
    """Up to which time of that Gerrit its changes were looked at."""
    return session.execute(sa.select(sites.c.seen).where(sites.c.name == name)).scalar_one()


def set_seen(session: Session, name: str, upto: str) -> None:
    session.execute(sites.update().where(sites.c.name == name).values(seen=upto))


# Changes


def find(session: Session, number: int) -> Mirrored | None:
    """A change as it was seen last."""
    body = session.execute(sa.select(changes.c.body).where(changes.c.number == number)).scalar()
    return None if body is None else _mirrored(body)


def projects_of(session: Session, numbers: Collection[int]) -> dict[int, tuple[str, bool]]:
    """Project, and whether it is private, of those changes that are known."""
    rows = session.execute(
        sa.select(changes.c.number, changes.c.project, changes.c.private).where(changes.c.number.in_(numbers))
    )
    return {row.number: (row.project, row.private) for row in rows}


def by_commit(session: Session, space: int, project: str, branch: str, commit: str) -> Mirrored | None:
    """The open change of a branch whose current patch set is this commit."""
    found = _bodies(session, space, changes.c.commit == commit, changes.c.project == project)
    return next((one for one in found if one.facts.branch == branch), None)


def by_change_id(session: Session, space: int, change_id: str) -> tuple[int, ...]:
    """The open changes with this Change-Id: one on each branch."""
    return _numbers(session, space, changes.c.change_id == change_id)


def by_topic(session: Session, space: int, topic: str) -> tuple[int, ...]:
    """The open changes under a topic."""
    told = f'"topic":{msgspec.json.encode(topic).decode()}'
    found = _bodies(session, space, changes.c.body.contains(told, autoescape=True))
    return tuple(one.facts.number for one in found if one.facts.topic == topic)


def open_changes(session: Session, space: int, project: str) -> tuple[int, ...]:
    """The open changes of a project, oldest first."""
    return _numbers(session, space, changes.c.project == project)


def naming(session: Session, space: int, *words: str) -> list[Mirrored]:
    """The open changes of one Gerrit whose text holds one of these words."""
    return _bodies(session, space, sa.or_(*(changes.c.body.contains(word, autoescape=True) for word in words)))


def keep(
    session: Session, reading: Reading, at: datetime, *, tell: bool = True, item: str | None = None
) -> Mirrored | None:
    """Store what was read of a change, and tell what is new about it; what was known before."""
    number, after = reading.change.facts.number, reading.change
    before = find(session, number)
    if tell:
        for event in differences(before, reading, item):
            journal.append(session, event, at)
    _keep_people(session, reading.people)
    _store(session, after, new=before is None)
    return before


def forget(session: Session, number: int, at: datetime) -> None:
    """A change was deleted there."""
    known = find(session, number)
    if known is not None and known.facts.status == NEW:
        journal.append(session, ChangeAbandoned(number, known.facts.owner), at)
        gone = replace(known.facts, status=ABANDONED)
        _store(session, replace(known, facts=gone, state=""), new=False)


def _store(session: Session, change: Mirrored, *, new: bool) -> None:
    facts = change.facts
    values = {
        "project": facts.project,
        "status": facts.status,
        "commit": facts.commit,
        "change_id": facts.change_id,
        "private": facts.private,
        "body": msgspec.json.encode(change).decode(),
    }
    if new:
        session.execute(changes.insert().values(number=facts.number, **values))
    else:
        session.execute(changes.update().where(changes.c.number == facts.number).values(values))


def _bodies(session: Session, space: int, *wanted: sa.ColumnElement[bool]) -> list[Mirrored]:
    query = sa.select(changes.c.body).where(_open(space), *wanted).order_by(changes.c.number)
    return [_mirrored(body) for body in session.execute(query).scalars()]


def _numbers(session: Session, space: int, *wanted: sa.ColumnElement[bool]) -> tuple[int, ...]:
    query = sa.select(changes.c.number).where(_open(space), *wanted).order_by(changes.c.number)
    return tuple(session.execute(query).scalars())


def _open(space: int) -> sa.ColumnElement[bool]:
    return sa.and_(changes.c.number > space, changes.c.number < space + SPACE, changes.c.status == NEW)


def _mirrored(body: str) -> Mirrored:
    return msgspec.json.decode(body, type=Mirrored)


# People


def person(session: Session, id: int) -> Person | None:
    """Who is behind an account of another Gerrit."""
    row = session.execute(sa.select(people).where(people.c.id == id)).first()
    return None if row is None else Person(row.id, row.username, row.email)


def _keep_people(session: Session, told: Collection[Person]) -> None:
    ids = [one.id for one in told]
    rows = session.execute(sa.select(people).where(people.c.id.in_(ids)))
    known = {row.id: Person(row.id, row.username, row.email) for row in rows}
    for one in told:
        values = {"username": one.username, "email": one.email}
        if one.id not in known:
            session.execute(people.insert().values(id=one.id, **values))
        elif known[one.id] != one:
            session.execute(people.update().where(people.c.id == one.id).values(values))


# Branches


def branches_of(session: Session, project: str) -> dict[str, str]:
    """The branches of a mirrored project as the journal knows them; empty for one that was never read."""
    rows = session.execute(sa.select(branches.c.branch, branches.c.commit).where(branches.c.project == project))
    return {row.branch: row.commit for row in rows}


def keep_branches(
    session: Session,
    project: str,
    now: Mapping[str, str],
    at: datetime,
    *,
    untold: Collection[str] = (),
    merged: Collection[str] = (),
    item: str | None = None,
) -> int:
    """Store where the branches of a project are, and tell which moved, but for those `untold`; how many moved.

    `merged` are those that the queue item `item` moved; whatever else moved meanwhile was moved by others. Nothing is
    told of a project that is read for the first time.
    """
    before = branches_of(session, project)
    moved = {name: now.get(name, _ZERO) for name in {*before, *now} if before.get(name) != now.get(name)}
    for name, commit in sorted(moved.items()):
        if before and name not in untold:
            old = before.get(name, _ZERO)
            cause, by = ("gate", item) if name in merged else ("push", None)
            journal.append(session, BranchMoved(project, name, old, commit, cause, item=by), at)
        session.execute(branches.delete().where(branches.c.project == project, branches.c.branch == name))
        if commit != _ZERO:
            session.execute(branches.insert().values(project=project, branch=name, commit=commit))
    return len(moved)


# Reports


def reported(session: Session, key: str) -> bool:
    """Whether a report was made already."""
    return session.execute(sa.select(reports.c.key).where(reports.c.key == key)).first() is not None


def set_reported(session: Session, key: str, at: datetime) -> None:
    if not reported(session, key):
        session.execute(reports.insert().values(key=key, at=at))
