# SPDX-License-Identifier: Apache-2.0
"""Autohold requests: keep the nodes of the next failed builds of a job, so that somebody can look at them.

Rows and which request a build fits. A request is used up after its number of builds; what it holds is let go when its
time is over or the request is deleted. Who keeps the nodes is the executor that ran the build; it asks by `claim`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import msgspec
import sqlalchemy as sa

from ..assignment import GivenNode, NodeHold
from ..db import Session, metadata, utc
from .config.model import compiled
from .naming import change_ref, full_ref
from .store import builds

ANY = ".*"
HOLDS = frozenset({"FAILURE", "RETRY_LIMIT", "POST_FAILURE", "TIMED_OUT"})
"""The results of builds whose nodes are worth a look; Zuul's."""

_LATELY = 2_000  # builds that are looked through for names of jobs

_serial = sa.BigInteger().with_variant(sa.Integer, "sqlite")
requests = sa.Table(
    "pipeline_autoholds",
    metadata,
    sa.Column("id", _serial, primary_key=True),
    sa.Column("tenant", sa.Text, nullable=False),
    sa.Column("project", sa.Text, nullable=False),
    sa.Column("job", sa.Text, nullable=False),
    sa.Column("ref_filter", sa.Text, nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("count", sa.Integer, nullable=False),
    sa.Column("used", sa.Integer, nullable=False, server_default="0"),
    sa.Column("seconds", sa.Integer, nullable=True),
    sa.Column("account", sa.Integer, nullable=False),
    sa.Column("created", utc, nullable=False),
    sa.Index("ix_pipeline_autoholds_job", "tenant", "project", "job"),
)
held = sa.Table(
    "pipeline_held_builds",
    metadata,
    sa.Column("build", sa.String(32), primary_key=True),
    sa.Column("request", _serial, nullable=False),
    sa.Column("node", sa.Text, nullable=False),
    sa.Column("since", utc, nullable=False),
    sa.Column("until", utc, nullable=True),
    sa.Index("ix_pipeline_held_builds_request", "request"),
)


@dataclass(frozen=True, slots=True)
class HeldBuild:
    """A build whose node is kept; `until` None: until the request is deleted."""

    build: str
    node: str
    since: datetime
    until: datetime | None


@dataclass(frozen=True, slots=True)
class Keeping:
    """Nodes of a build as one `executor` is thought to keep them; `over`: they need not be kept any more."""

    build: str
    executor: str
    ended: bool
    over: bool


@dataclass(frozen=True, slots=True)
class Autohold:
    """A request. `ref_filter` is an expression of RE2 for refs; nodes are kept for `seconds`, None: without a limit."""

    id: int
    tenant: str
    project: str
    job: str
    ref_filter: str
    reason: str
    count: int
    account: int
    created: datetime
    used: int = 0
    seconds: int | None = None
    builds: tuple[HeldBuild, ...] = ()

    @property
    def scope(self) -> int:
        """How narrow it is: the narrowest request that fits is used first."""
        return 0 if self.ref_filter == ANY else 2 if self.ref_filter.startswith("refs/changes/") else 1

    def fits(self, ref: str) -> bool:
        """Whether a build of this ref is to be held."""
        return self.used < self.count and bool(compiled(self.ref_filter).match(ref))


def of_change(number: int) -> str:
    """The filter for all patch sets of a change."""
    return f"refs/changes/{number % 100:02d}/{number}/.*"


def sound(ref_filter: str) -> str:
    """What is wrong with an expression; empty: nothing."""
    try:
        compiled(ref_filter)
    except ValueError as error:
        return str(error)
    return ""


def add(session: Session, new: Autohold) -> Autohold:
    """Keep a new request; its id is given here."""
    row = {column.name: getattr(new, column.name) for column in requests.c if column.name != "id"}
    return replace(new, id=session.execute(requests.insert().returning(requests.c.id), row).scalar_one())


def find(session: Session, tenant: str, id: int) -> Autohold | None:
    """One request of a tenant."""
    return next(iter(_found(session, requests.c.tenant == tenant, requests.c.id == id)), None)


def every(session: Session, tenant: str, project: str = "") -> tuple[Autohold, ...]:
    """The requests of a tenant, newest first."""
    wanted = [requests.c.tenant == tenant]
    return _found(session, *wanted, *([requests.c.project == project] if project else []))


def everywhere(session: Session) -> tuple[Autohold, ...]:
    """The requests of all tenants."""
    return _found(session)


def delete(session: Session, tenant: str, id: int) -> bool:
    """Forget a request; what it holds is let go at the next look of the executor."""
    done = session.execute(sa.delete(requests).where(requests.c.tenant == tenant, requests.c.id == id))
    return done.rowcount == 1


def claim(session: Session, build: str, result: str, at: datetime) -> NodeHold | None:
    """The request that keeps the nodes of a build that ended so; None: none does."""
    if (kept := hold_of(session, build)) is not None:
        return kept  # asked again
    row = session.execute(sa.select(builds).where(builds.c.uuid == build)).first()
    if row is None or result not in HOLDS:
        return None
    ref = change_ref(row.change, row.patch_set) if row.change and row.patch_set else full_ref(row.branch)
    same = (
        requests.c.tenant == row.tenant,
        requests.c.project == row.project,
        requests.c.job == row.job,
    )
    fitting = [one for one in _found(session, *same) if one.fits(ref)]
    if not fitting:
        return None
    chosen = max(fitting, key=lambda one: (one.scope, -one.id))
    session.execute(sa.update(requests).where(requests.c.id == chosen.id).values(used=chosen.used + 1))
    until = at + timedelta(seconds=chosen.seconds) if chosen.seconds else None
    session.execute(
        held.insert(), {"build": build, "request": chosen.id, "node": row.node, "since": at, "until": until}
    )
    return NodeHold(str(chosen.id), until)


def hold_of(session: Session, build: str) -> NodeHold | None:
    """What keeps the nodes of a build."""
    row = session.execute(sa.select(held).where(held.c.build == build)).first()
    return None if row is None else NodeHold(str(row.request), row.until)


def keeping(session: Session, at: datetime) -> tuple[Keeping, ...]:
    """All builds whose nodes are kept, and which need not be: their time is over, or their request was deleted."""
    over = sa.or_(sa.func.coalesce(held.c.until <= at, sa.false()), held.c.request.not_in(sa.select(requests.c.id)))
    wanted = sa.select(held.c.build, builds.c.nodes, builds.c.ended, over.label("over"))
    rows = session.execute(wanted.join(builds, builds.c.uuid == held.c.build, isouter=True).order_by(held.c.build))
    return tuple(
        Keeping(row.build, _executor(row.nodes), row.nodes is None or row.ended is not None, row.over) for row in rows
    )


def settled(keeping: Iterable[Keeping], executor: str, kept: Collection[str]) -> tuple[frozenset[str], frozenset[str]]:
    """Of the builds whose nodes an executor has `kept`, those that may go; and all that ended and should be there."""
    own = [one for one in keeping if one.executor == executor]
    wanted = {one.build for one in own if not one.over}
    return frozenset(kept) - wanted, frozenset(one.build for one in own if one.ended)


def lately(session: Session, tenant: str, projects: Collection[str]) -> frozenset[str]:
    """The jobs of the newest builds of a tenant; those that only an open change has are among them."""
    newest = sa.select(builds.c.job, builds.c.tenant, builds.c.project).order_by(builds.c.created.desc()).limit(_LATELY)
    found = newest.subquery()
    wanted = sa.select(found.c.job).where(found.c.tenant == tenant, found.c.project.in_(projects)).distinct()
    return frozenset(session.execute(wanted).scalars())


def keep_until(session: Session, build: str, until: datetime) -> None:
    """The node of a build is kept until then."""
    session.execute(sa.update(held).where(held.c.build == build).values(until=until))


def let_go(session: Session, builds: Collection[str]) -> None:
    """The nodes of these builds are gone."""
    session.execute(sa.delete(held).where(held.c.build.in_(builds)))


def _executor(nodes: str | None) -> str:
    """Who gave the nodes of a build, all of which are of one executor."""
    given = msgspec.json.decode(nodes or "[]", type=tuple[GivenNode, ...])
    return given[0].executor if given else ""


def _found(session: Session, *wanted: sa.ColumnElement[bool]) -> tuple[Autohold, ...]:
    rows = session.execute(sa.select(requests).where(*wanted).order_by(requests.c.id.desc())).all()
    kept = session.execute(sa.select(held).where(held.c.request.in_([row.id for row in rows])).order_by(held.c.since))
    by_request: dict[int, list[HeldBuild]] = {}
    for row in kept:
        by_request.setdefault(row.request, []).append(HeldBuild(row.build, row.node, row.since, row.until))
    return tuple(
        Autohold(**row._mapping, builds=tuple(by_request.get(row.id, ())))  # pyright: ignore[reportPrivateUsage]
        for row in rows
    )
