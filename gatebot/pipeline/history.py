# SPDX-License-Identifier: Apache-2.0
"""What people ask for: builds and stays in queues, newest first, and how long jobs usually take.

Reads only. The tables are in `store.py`, which writes them.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

import msgspec
import sqlalchemy as sa

from ..db import Session
from ..reasons import Reason
from .queue.model import RETRY, SUCCESS
from .store import builds, items


@dataclass(frozen=True, slots=True)
class BuildRow:
    """A build for people: pages, REST, reports. `final` is false for one that was tried again."""

    build: str
    buildset: str
    item: str
    job: str
    tenant: str
    pipeline: str
    project: str
    branch: str
    change: int | None
    patch_set: int | None
    voting: bool
    result: str
    attempt: int
    fence: int
    node: str
    reason: Reason | None
    created: datetime
    started: datetime | None
    ended: datetime | None
    error_line: int
    error_text: str
    artifacts: tuple[tuple[str, str], ...]
    final: bool


@dataclass(frozen=True, slots=True)
class ItemRow:
    """A stay in a queue, for people; `left` None: still there."""

    item: str
    tenant: str
    pipeline: str
    queue: str
    project: str
    branch: str
    change: int | None
    patch_set: int | None
    resets: int
    enqueued: datetime
    left: datetime | None
    outcome: str
    reason: Reason | None


def _reason(text: str) -> Reason | None:
    return msgspec.json.decode(text, type=Reason) if text else None


def _build_row(row: sa.Row[tuple[object, ...]]) -> BuildRow:
    values = dict(row._mapping)  # pyright: ignore[reportPrivateUsage]
    values.pop("data")
    values["build"] = values.pop("uuid")
    values["reason"] = _reason(values["reason"])
    values["artifacts"] = msgspec.json.decode(values["artifacts"], type=tuple[tuple[str, str], ...])
    return BuildRow(**values, final=values["result"] != RETRY)


def _item_row(row: sa.Row[tuple[object, ...]]) -> ItemRow:
    values = dict(row._mapping)  # pyright: ignore[reportPrivateUsage]
    values["item"] = values.pop("id")
    values["reason"] = _reason(values["reason"])
    return ItemRow(**values)


def build(session: Session, uuid: str) -> BuildRow | None:
    """One build."""
    row = session.execute(sa.select(builds).where(builds.c.uuid == uuid)).first()
    return None if row is None else _build_row(row)


def find_builds(
    session: Session,
    *,
    change: int | None = None,
    project: str = "",
    job: str = "",
    result: str = "",
    pipeline: str = "",
    item: str = "",
    buildset: str = "",
    limit: int = 50,
    skip: int = 0,
) -> tuple[BuildRow, ...]:
    """The builds that fit, newest first."""
    wanted = {"change": change, "project": project, "job": job, "result": result, "pipeline": pipeline, "item": item}
    wanted |= {"buildset": buildset}
    query = sa.select(builds).order_by(builds.c.created.desc(), builds.c.uuid).limit(limit).offset(skip)
    for name, value in wanted.items():
        if value not in (None, ""):
            query = query.where(builds.c[name] == value)
    return tuple(_build_row(row) for row in session.execute(query))


def find_items(
    session: Session, *, change: int | None = None, tenant: str = "", departed: bool | None = None, limit: int = 50
) -> tuple[ItemRow, ...]:
    """The stays in queues that fit, those that left last first."""
    newest = sa.func.coalesce(items.c.left, items.c.enqueued).desc()
    query = sa.select(items).order_by(newest, items.c.id).limit(limit)
    if change is not None:
        query = query.where(items.c.change == change)
    if tenant:
        query = query.where(items.c.tenant == tenant)
    if departed is not None:
        query = query.where(items.c.left.is_not(None) if departed else items.c.left.is_(None))
    return tuple(_item_row(row) for row in session.execute(query))


def passed_jobs(session: Session, change: int, patch_set: int, but: str) -> tuple[str, ...]:
    """The jobs that succeeded for a patch set in other pipelines than one."""
    same = sa.and_(builds.c.change == change, builds.c.patch_set == patch_set)
    query = sa.select(builds.c.job).where(same, builds.c.result == SUCCESS, builds.c.pipeline != but).distinct()
    return tuple(session.execute(query.order_by(builds.c.job)).scalars())


def usual_seconds(session: Session, names: Collection[str], sample: int = 20) -> dict[str, float]:
    """How long the newest successful builds of each job took, on the average; for estimates of time left."""
    found: dict[str, float] = {}
    for name in names:
        query = sa.select(builds.c.started, builds.c.ended).where(builds.c.job == name, builds.c.result == SUCCESS)
        rows = session.execute(query.order_by(builds.c.created.desc()).limit(sample)).all()
        spent = [(row.ended - row.started).total_seconds() for row in rows if row.started and row.ended]
        if spent:
            found[name] = sum(spent) / len(spent)
    return found


def running_since(session: Session) -> dict[str, datetime]:
    """When each build that runs now was started."""
    query = sa.select(builds.c.uuid, builds.c.started).where(builds.c.result == "", builds.c.started.is_not(None))
    return {row.uuid: row.started for row in session.execute(query)}
