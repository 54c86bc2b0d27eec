# SPDX-License-Identifier: Apache-2.0
"""What people ask for: builds and stays in queues, newest first, and how long jobs usually take.

Reads only. The tables are in `store.py`, which writes them; what is read has the forms of `rows.py`.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from itertools import takewhile

import msgspec
import sqlalchemy as sa

from ..assignment import GivenNode, Json
from ..db import Session
from ..reasons import Reason
from . import returning
from .providing import Lost, PastBuild
from .queue.facts import buildset_id
from .queue.model import RETRY, SUCCESS, ItemChange, Outcome, Queue
from .returning import HandedOn, ReturnedBuild, json_table
from .rows import BuildRow, BuildsetRow, ItemRow
from .secret_data import SecretData
from .store import builds, items

# Asked of every item: put together once, not each time.
_by_uuids = sa.select(builds).where(builds.c.uuid.in_(sa.bindparam("uuids", expanding=True)))
_of_item = sa.select(builds).where(builds.c.item == sa.bindparam("item"))
_passed = (
    sa.select(builds.c.job)
    .where(builds.c.change == sa.bindparam("change"), builds.c.patch_set == sa.bindparam("patch_set"))
    .where(builds.c.result == SUCCESS, builds.c.pipeline != sa.bindparam("pipeline"))
    .distinct()
    .order_by(builds.c.job)
)


def _reason(text: str) -> Reason | None:
    return msgspec.json.decode(text, type=Reason) if text else None


def _build_row(row: sa.Row[tuple[object, ...]]) -> BuildRow:
    values = dict(row._mapping)  # pyright: ignore[reportPrivateUsage]
    values.pop("data")
    values.pop("provides")
    values["build"] = values.pop("uuid")
    values["reason"] = _reason(values["reason"])
    values["taken"] = _reason(values["taken"])
    values["artifacts"] = msgspec.json.decode(values["artifacts"], type=tuple[tuple[str, str], ...])
    values["nodes"] = msgspec.json.decode(values["nodes"], type=tuple[GivenNode, ...])
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


def these_builds(session: Session, uuids: Collection[str]) -> dict[str, BuildRow]:
    """Builds by their ids, as far as they are there."""
    rows = map(_build_row, session.execute(_by_uuids, {"uuids": list(uuids)}))
    return {row.build: row for row in rows}


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
    tenant: str = "",
    branch: str = "",
    uuid: str = "",
    patch_set: int | None = None,
    voting: bool | None = None,
    running: bool = False,
    limit: int = 50,
    skip: int = 0,
) -> tuple[BuildRow, ...]:
    """The builds that fit, newest first."""
    wanted = {"change": change, "project": project, "job": job, "result": result, "pipeline": pipeline, "item": item}
    wanted |= {"buildset": buildset, "tenant": tenant, "branch": branch, "uuid": uuid}
    wanted |= {"patch_set": patch_set, "voting": voting}
    query = sa.select(builds).order_by(builds.c.created.desc(), builds.c.uuid).limit(limit).offset(skip)
    for name, value in wanted.items():
        if value not in (None, ""):
            query = query.where(builds.c[name] == value)
    if running:
        query = query.where(builds.c.result == "", builds.c.started.is_not(None))
    return tuple(_build_row(row) for row in session.execute(query))


def builds_of_branch(session: Session, *, like: BuildRow, limit: int = 50) -> tuple[BuildRow, ...]:
    """The builds before one of the same job, newest first, that show its branch as it was without its change.

    They are of the branch itself, or of patch sets that merged.
    """
    merged = items.alias()
    landed = sa.exists().where(
        merged.c.change == builds.c.change,
        merged.c.patch_set == builds.c.patch_set,
        merged.c.outcome == Outcome.MERGED.value,
    )
    of_it = sa.or_(builds.c.change.is_(None), sa.and_(landed, builds.c.change != (like.change or 0)))
    query = sa.select(builds).where(of_it, builds.c.ended.is_not(None), builds.c.uuid != like.build)
    for name in ("tenant", "project", "branch", "job"):
        query = query.where(builds.c[name] == getattr(like, name))
    query = query.where(builds.c.created <= like.created)
    newest = builds.c.created.desc(), builds.c.uuid
    return tuple(_build_row(row) for row in session.execute(query.order_by(*newest).limit(limit)))


def find_buildsets(
    session: Session,
    *,
    tenant: str,
    buildset: str = "",
    project: str = "",
    pipeline: str = "",
    branch: str = "",
    change: int | None = None,
    limit: int = 50,
    skip: int = 0,
) -> tuple[BuildsetRow, ...]:
    """The attempts that fit and that had builds, newest first."""
    wanted = {"tenant": tenant, "buildset": buildset, "project": project, "pipeline": pipeline, "branch": branch}
    created = sa.func.min(builds.c.created)
    query = sa.select(
        builds.c.buildset, builds.c.item, created, sa.func.min(builds.c.started), sa.func.max(builds.c.ended)
    )
    for name, value in {**wanted, "change": change}.items():
        if value not in (None, ""):
            query = query.where(builds.c[name] == value)
    grouped = query.group_by(builds.c.buildset, builds.c.item).order_by(created.desc(), builds.c.buildset)
    found = session.execute(grouped.limit(limit).offset(skip)).all()
    stays = session.execute(sa.select(items).where(items.c.id.in_({row.item for row in found})))
    about = {row.item: row for row in map(_item_row, stays)}
    return tuple(_buildset_row(about[item], buildset, *times) for buildset, item, *times in found if item in about)


def _buildset_row(
    stay: ItemRow, buildset: str, created: datetime, started: datetime | None, ended: datetime | None
) -> BuildsetRow:
    last = buildset == buildset_id(stay.item, stay.resets + 1)
    over = last and stay.left is not None
    return BuildsetRow(
        buildset,
        stay.item,
        stay.tenant,
        stay.pipeline,
        stay.project,
        stay.branch,
        stay.change,
        stay.patch_set,
        created,
        started,
        ended if over or not last else None,
        last,
        stay.outcome if over else "",
        stay.reason if over else None,
    )


def returned(
    session: Session, uuids: Sequence[str], log_url: str, secrets: SecretData | None = None
) -> tuple[ReturnedBuild, ...]:
    """What these builds returned, in this order; `log_url` has a place for the build, `secrets` opens secrets."""
    rows = {row.uuid: row for row in session.execute(_by_uuids, {"uuids": uuids})}
    kept = secrets.of(session, uuids) if secrets is not None else {}
    return tuple(_returned(rows[uuid], log_url, kept.get(uuid, {})) for uuid in uuids if uuid in rows)


def of_item(
    session: Session, item: str, counting: Collection[str], log_url: str
) -> tuple[Mapping[str, float], tuple[ReturnedBuild, ...]]:
    """How many seconds each build of an item took, and what those returned that count."""
    rows = {row.uuid: row for row in session.execute(_of_item, {"item": item})}
    took = {uuid: (row.ended - row.started).total_seconds() for uuid, row in rows.items() if row.ended and row.started}
    return took, tuple(_returned(rows[uuid], log_url, {}) for uuid in counting if uuid in rows)


def handed_on(
    session: Session, before: Sequence[str], provided: Sequence[str], log_url: str, secrets: SecretData
) -> HandedOn:
    """What a job gets from the builds that it depends on, and from those that provide what it requires."""
    return returning.handed_on(returned(session, before, log_url, secrets), returned(session, provided, log_url))


def _returned(row: sa.Row[tuple[object, ...]], log_url: str, secret: Mapping[str, Json]) -> ReturnedBuild:
    found = dict(row._mapping)  # pyright: ignore[reportPrivateUsage]
    about = (found["uuid"], found["job"], found["project"], found["branch"], found["change"], found["patch_set"])
    data = json_table(found["data"])
    return ReturnedBuild(*about, data, secret, log_url=log_url.format(build=found["uuid"]))


def past_providers(session: Session, queue: Queue, change: ItemChange, requires: frozenset[str]) -> list[PastBuild]:
    """The builds of the newest buildset of a patch set in a pipeline that provide any of these artifacts."""
    where = {"tenant": queue.tenant, "pipeline": queue.pipeline}
    where |= {"change": change.number, "patch_set": change.patch_set}
    query = sa.select(builds).where(*(builds.c[name] == value for name, value in where.items()))
    ended = query.where(builds.c.provides != "[]", builds.c.result.not_in(("", RETRY))).order_by(
        builds.c.created.desc()
    )
    found: list[tuple[str, PastBuild]] = []
    for row in session.execute(ended):
        provides = msgspec.json.decode(row.provides, type=tuple[str, ...])
        if not requires.isdisjoint(provides):
            found.append((row.buildset, PastBuild(row.uuid, row.job, row.result, provides)))
    return [build for buildset, build in found if buildset == found[0][0]]


def lost_providers(session: Session, uuids: Sequence[str]) -> list[Lost]:
    """Those of these builds whose artifacts were taken away."""
    taken = _by_uuids.where(builds.c.taken != "").order_by(builds.c.created)
    return [
        Lost(row.uuid, row.change or 0, msgspec.json.decode(row.provides, type=tuple[str, ...]))
        for row in session.execute(taken, {"uuids": list(uuids)})
    ]


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


def item(session: Session, id: str) -> ItemRow | None:
    """One stay in a queue."""
    row = session.execute(sa.select(items).where(items.c.id == id)).first()
    return _item_row(row) if row else None


def passed_jobs(session: Session, change: int, patch_set: int, but: str) -> tuple[str, ...]:
    """The jobs that succeeded for a patch set in other pipelines than one."""
    asked = {"change": change, "patch_set": patch_set, "pipeline": but}
    return tuple(session.execute(_passed, asked).scalars())


def failures_in_a_row(session: Session, tenant: str, pipeline: str, item: str, since: datetime, most: int) -> int:
    """How many items of a pipeline failed one after the other before one of them left, or until now; at most `most`.

    Only what left after `since` counts; what was taken out says nothing.
    """
    own = session.execute(sa.select(items.c.left).where(items.c.id == item)).scalar()
    decided = items.c.outcome.in_([Outcome.FAILED.value, Outcome.SUCCEEDED.value, Outcome.MERGED.value])
    query = sa.select(items.c.outcome).where(items.c.tenant == tenant, items.c.pipeline == pipeline, decided)
    query = query.where(items.c.id != item, items.c.left > since)
    if own is not None:
        query = query.where(items.c.left <= own)
    outcomes = session.execute(query.order_by(items.c.left.desc(), items.c.id).limit(most)).scalars()
    return len(list(takewhile(lambda outcome: outcome == Outcome.FAILED.value, outcomes)))


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
