# SPDX-License-Identifier: Apache-2.0
"""The rows of the pipeline room: items and builds for people to find, frozen jobs, and a snapshot of the queues.

The truth of a queue is in the journal; items and builds are projections of its facts, written in the same
transaction, never read to decide what a queue does. The snapshot may be deleted at any time.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from itertools import groupby

import msgspec
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert

from .. import journal
from ..assignment import FrozenJob, GivenNode
from ..db import Session, metadata, utc
from ..events import BuildCompleted, BuildPaused, Event
from .model import AgeAwaited, AgeReached, TimerFired
from .queue import facts
from .queue.builds import ended
from .queue.losing import Abandoned
from .queue.model import CANCELED, FAILURE, RETRY, RETRY_LIMIT, Item, ItemChange, ItemRef, Queue

journal.register(*facts.ALL, TimerFired, AgeAwaited, AgeReached)

items = sa.Table(
    "pipeline_items",
    metadata,
    sa.Column("id", sa.String(32), primary_key=True),
    sa.Column("tenant", sa.Text, nullable=False),
    sa.Column("pipeline", sa.Text, nullable=False),
    sa.Column("queue", sa.Text, nullable=False),
    sa.Column("project", sa.Text, nullable=False),
    sa.Column("branch", sa.Text, nullable=False),
    sa.Column("change", sa.Integer, nullable=True),
    sa.Column("patch_set", sa.Integer, nullable=True),
    sa.Column("resets", sa.Integer, nullable=False, server_default="0"),
    sa.Column("enqueued", utc, nullable=False),
    sa.Column("left", utc, nullable=True),
    sa.Column("outcome", sa.String(20), nullable=False, server_default=""),
    sa.Column("reason", sa.Text, nullable=False, server_default=""),
    sa.Index("ix_pipeline_items_change", "change", "enqueued"),
    sa.Index("ix_pipeline_items_left", "left"),
)

builds = sa.Table(
    "pipeline_builds",
    metadata,
    sa.Column("uuid", sa.String(32), primary_key=True),
    sa.Column("buildset", sa.String(32), nullable=False),
    sa.Column("item", sa.String(32), nullable=False),
    sa.Column("tenant", sa.Text, nullable=False),
    sa.Column("pipeline", sa.Text, nullable=False),
    sa.Column("job", sa.Text, nullable=False),
    sa.Column("project", sa.Text, nullable=False),
    sa.Column("branch", sa.Text, nullable=False),
    sa.Column("change", sa.Integer, nullable=True),
    sa.Column("patch_set", sa.Integer, nullable=True),
    sa.Column("voting", sa.Boolean, nullable=False),
    sa.Column("attempt", sa.Integer, nullable=False),
    sa.Column("fence", sa.Integer, nullable=False),
    sa.Column("result", sa.String(40), nullable=False, server_default=""),
    sa.Column("node", sa.Text, nullable=False, server_default=""),
    sa.Column("nodes", sa.Text, nullable=False, server_default="[]"),
    sa.Column("reason", sa.Text, nullable=False, server_default=""),
    sa.Column("created", utc, nullable=False),
    sa.Column("started", utc, nullable=True),
    sa.Column("ended", utc, nullable=True),
    sa.Column("error_line", sa.Integer, nullable=False, server_default="0"),
    sa.Column("error_text", sa.Text, nullable=False, server_default=""),
    sa.Column("artifacts", sa.Text, nullable=False, server_default="[]"),
    sa.Column("data", sa.Text, nullable=False, server_default="{}"),
    sa.Column("provides", sa.Text, nullable=False, server_default="[]"),
    sa.Column("taken", sa.Text, nullable=False, server_default=""),
    sa.Index("ix_pipeline_builds_item", "item"),
    sa.Index("ix_pipeline_builds_change", "change", "created"),
    sa.Index("ix_pipeline_builds_job", "job", "created"),
    sa.Index("ix_pipeline_builds_created", "created"),
)

jobs = sa.Table(
    "pipeline_jobs",
    metadata,
    sa.Column("definition", sa.Text, primary_key=True),
    sa.Column("body", sa.Text, nullable=False),
)

snapshots = sa.Table(
    "pipeline_snapshots",
    metadata,
    sa.Column("name", sa.String(40), primary_key=True),
    sa.Column("upto", sa.BigInteger, nullable=False),
    sa.Column("body", sa.Text, nullable=False),
)


def _json(value: object) -> str:
    return "" if value is None else msgspec.json.encode(value).decode()


# What the facts of queues leave in the rows


Row = tuple[sa.Insert | sa.Update, Mapping[str, object]]
"""A statement, and the values it is carried out with."""


def write(session: Session, rows: Iterable[Row]) -> None:
    """Carry out statements in their order; those that are the same, and about the same columns, as one."""
    for _, alike in groupby(rows, key=_shape):
        several = list(alike)
        session.execute(several[0][0], [values for _, values in several])


def _shape(row: Row) -> tuple[int, tuple[str, ...]]:
    """What two statements have to share to be carried out at once: all rows are written by the columns of the first."""
    return id(row[0]), tuple(row[1])


def rows_of(fact: Event, queue: Queue, at: datetime) -> Iterator[Row]:
    """What one fact of a queue means for the rows; `queue` has it recorded already."""
    match fact:
        case facts.ItemEnqueued() if fact.live:
            yield _insert_stay, _item_values(queue, queue.items[fact.item])
        case facts.ItemReset():
            row = {"item_": fact.item, "resets_": fact.attempt - 1, "reason_": _json(fact.reason)}
            yield _was_reset, row
        case facts.ItemDequeued():
            row = {"item_": fact.item, "left_": at, "outcome_": fact.outcome.value, "reason_": _json(fact.reason)}
            yield _did_leave, row
        case facts.BuildAssigned() if fact.fence > 1:
            yield _refence, {"uuid_": fact.build, "fence_": fact.fence}
        case facts.BuildAssigned():
            yield _insert_build, _build_row(queue, fact, at)
        case facts.RequirementsFailed():
            ended = {"result": FAILURE, "reason": _json(fact.reason), "ended": at}
            yield _insert_build, {**_build_row(queue, fact, at), **ended}
        case _:
            pass


def rows_of_end(event: BuildCompleted, before: Queue, after: Queue) -> Iterator[Row]:
    """That no attempt is left after a build only its queue knows; its row says so from then on."""
    item = after.items.get(before.owners.get(event.build, ""))
    found = () if item is None else item.builds.values()
    if any(build.id == event.build and build.result == RETRY_LIMIT for build in found):
        yield _exhaust, {"uuid_": event.build}


def rows_of_start(queues: Iterable[Queue]) -> Iterator[Row]:
    """The same of builds whose end was told to a server that did not live to read it."""
    for queue in queues:
        for item in queue.items.values():
            for build in item.builds.values():
                if build.result == RETRY_LIMIT:
                    yield _exhaust, {"uuid_": build.id}


_was_reset = (
    sa.update(items)
    .where(items.c.id == sa.bindparam("item_"))
    .values(resets=sa.bindparam("resets_"), reason=sa.bindparam("reason_"))
)
_did_leave = (
    sa.update(items)
    .where(items.c.id == sa.bindparam("item_"))
    .values(left=sa.bindparam("left_"), outcome=sa.bindparam("outcome_"), reason=sa.bindparam("reason_"))
)
_refence = (
    sa.update(builds)
    .where(builds.c.uuid == sa.bindparam("uuid_"), builds.c.result == "")
    .values(fence=sa.bindparam("fence_"), started=None, node="", nodes="[]")
)
_exhaust = (
    sa.update(builds).where(builds.c.uuid == sa.bindparam("uuid_"), builds.c.result == RETRY).values(result=RETRY_LIMIT)
)
_insert_build = builds.insert()
_insert_stay = items.insert()


def _about(own: ItemChange | ItemRef | None) -> dict[str, str | int | None]:
    """The columns that say what an item or a build is about."""
    if isinstance(own, ItemChange):
        return {"project": own.project, "branch": own.branch, "change": own.number, "patch_set": own.patch_set}
    project, branch = (own.project, own.branch) if own is not None else ("", "")
    return {"project": project, "branch": branch, "change": None, "patch_set": None}


def _item_values(queue: Queue, item: Item) -> dict[str, object]:
    where = {"id": item.id, "tenant": queue.tenant, "pipeline": queue.pipeline, "queue": queue.name}
    own = item.changes[-1] if item.changes else item.ref
    return {**where, **_about(own), "enqueued": item.enqueued}


def _build_row(queue: Queue, fact: facts.BuildAssigned | facts.RequirementsFailed, at: datetime) -> dict[str, object]:
    item = queue.items[fact.item]
    job = item.job(fact.job)
    return {
        "uuid": fact.build,
        "buildset": facts.buildset_id(item.id, fact.attempt),
        "item": item.id,
        "tenant": queue.tenant,
        "pipeline": queue.pipeline,
        "job": job.name if job is not None else fact.job,
        "voting": job is None or job.voting,
        "provides": _json(job.provides if job is not None else ()),
        "attempt": fact.tries,
        "fence": 1,
        "created": at,
        **_about(item.subject(job) if job is not None else None),
    }


def abort(session: Session, abandoned: Mapping[str, Abandoned], at: datetime) -> None:
    """Builds that nobody waits for any more end here."""
    if abandoned:
        rows = [{"uuid_": build, "reason_": _json(lost.why), "at_": at} for build, lost in abandoned.items()]
        session.execute(_cancel, rows)


# What executors tell; True: it is theirs to tell


_by_fence = sa.and_(
    builds.c.uuid == sa.bindparam("uuid_"), builds.c.fence == sa.bindparam("fence_"), builds.c.result == ""
)
_start = (
    sa.update(builds)
    .where(_by_fence)
    .values(started=sa.bindparam("at_"), node=sa.bindparam("node_"), nodes=sa.bindparam("nodes_"))
)
_cancel = (
    sa.update(builds)
    .where(builds.c.uuid == sa.bindparam("uuid_"), builds.c.result == "")
    .values(result=CANCELED, ended=sa.bindparam("at_"), reason=sa.bindparam("reason_"))
)
_pause = sa.update(builds).where(_by_fence).values(artifacts=sa.bindparam("artifacts_"), data=sa.bindparam("data_"))
_current = sa.select(builds.c.uuid).where(_by_fence)
_end = (
    sa.update(builds)
    .where(_by_fence)
    .values(
        result=sa.bindparam("result_"),
        reason=sa.bindparam("reason_"),
        ended=sa.bindparam("at_"),
        error_line=sa.bindparam("line_"),
        error_text=sa.bindparam("text_"),
        artifacts=sa.bindparam("artifacts_"),
        data=sa.bindparam("data_"),
    )
)


def start(session: Session, build: str, fence: int, nodes: Sequence[GivenNode], at: datetime) -> bool:
    """The build runs since `at` on these nodes; the label of the first is Zuul's word for them."""
    row = {"uuid_": build, "fence_": fence, "at_": at, "nodes_": _json(nodes)}
    return session.execute(_start, {**row, "node_": nodes[0].label if nodes else ""}).rowcount == 1


def is_current(session: Session, build: str, fence: int) -> bool:
    """Whether this is the run of the build that counts, and it has not ended."""
    return session.execute(_current, {"uuid_": build, "fence_": fence}).scalar() is not None


def pause(session: Session, event: BuildPaused) -> bool:
    """The build waits; what it returned so far is there for the jobs after it."""
    row = {"artifacts_": _json(event.artifacts), "data_": event.data, "uuid_": event.build, "fence_": event.fence}
    return session.execute(_pause, row).rowcount == 1


def end(session: Session, event: BuildCompleted, at: datetime) -> bool:
    """The build ended."""
    row = {
        "uuid_": event.build,
        "fence_": event.fence,
        "result_": ended(event),
        "reason_": _json(event.reason),
        "at_": at,
        "line_": event.error_line,
        "text_": event.error_text,
        "artifacts_": _json(event.artifacts),
        "data_": event.data,
    }
    return session.execute(_end, row).rowcount == 1


def unfinished(session: Session) -> dict[str, int]:
    """Every build without a result, with its fence."""
    rows = session.execute(sa.select(builds.c.uuid, builds.c.fence).where(builds.c.result == ""))
    return {row.uuid: row.fence for row in rows}


# Frozen jobs, snapshots


def keep_jobs(session: Session, frozen: Iterable[FrozenJob]) -> None:
    """Remember jobs by the hash of their definition."""
    rows = [{"definition": job.definition, "body": _json(job)} for job in frozen]
    if rows:
        insert = sqlite_insert if session.dialect.name == "sqlite" else postgresql_insert
        session.execute(insert(jobs).on_conflict_do_nothing(index_elements=["definition"]), rows)


def job(session: Session, definition: str) -> FrozenJob | None:
    """The job with this definition."""
    body = session.execute(sa.select(jobs.c.body).where(jobs.c.definition == definition)).scalar()
    return None if body is None else msgspec.json.decode(body, type=FrozenJob)


_queues = msgspec.json.Decoder(dict[str, Queue])
SNAPSHOT = "queues-3"
"""Which shape of `Queue` a snapshot was written from; another shape is as good as none."""


def save_snapshot(session: Session, queues: Mapping[str, Queue], upto: int) -> None:
    """Spare the next start the facts up to a journal id."""
    session.execute(sa.delete(snapshots))
    session.execute(snapshots.insert(), {"name": SNAPSHOT, "upto": upto, "body": _json(queues)})


def load_snapshot(session: Session) -> tuple[dict[str, Queue], int]:
    """The queues of the last snapshot and the journal id it is good for; none: everything is replayed."""
    row = session.execute(sa.select(snapshots).where(snapshots.c.name == SNAPSHOT)).first()
    if row is None:
        return {}, 0
    try:
        return _queues.decode(row.body), row.upto
    except msgspec.MsgspecError:
        return {}, 0
