# SPDX-License-Identifier: Apache-2.0
"""The rows of executors on other machines, and of the builds that they claimed.

A claim is there from the moment at which an executor got a build until the build is over: it says who runs it, and when
he was last heard of it, so that a server that starts again lets the build go on.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime

import msgspec
import sqlalchemy as sa

from ...assignment import Checkout
from ...db import Session, metadata, utc
from .model import Abilities, Beat, Claim, Enrolled

executors = sa.Table(
    "executor_executors",
    metadata,
    sa.Column("name", sa.String(40), primary_key=True),
    sa.Column("token", sa.String(64), nullable=False),
    sa.Column("created", utc, nullable=False),
    sa.Column("expires", utc, nullable=True),
    sa.Column("key", sa.String(64), nullable=False, server_default=""),
    sa.Column("version", sa.Text, nullable=False, server_default=""),
    sa.Column("slots", sa.Integer, nullable=False, server_default="0"),
    sa.Column("abilities", sa.Text, nullable=False, server_default="{}"),
    sa.Column("heard", utc, nullable=True),
)

claims = sa.Table(
    "executor_claims",
    metadata,
    sa.Column("build", sa.String(32), primary_key=True),
    sa.Column("fence", sa.Integer, nullable=False),
    sa.Column("executor", sa.String(40), nullable=False),
    sa.Column("log_base", sa.BigInteger, nullable=False),
    sa.Column("heard", utc, nullable=False),
    sa.Column("checkouts", sa.Text, nullable=False, server_default="[]"),
)


def enrol(session: Session, made: Enrolled) -> None:
    """An executor may come; one of the same name that came before is not known any more."""
    session.execute(sa.delete(executors).where(executors.c.name == made.name))
    row = {"name": made.name, "token": made.token, "created": made.created, "expires": made.expires}
    session.execute(executors.insert(), row)


def admit(session: Session, before: str, token: str, key: str, version: str) -> str | None:
    """An executor came with the token that has the hash `before`, and has another from now on; its name."""
    name = session.execute(sa.select(executors.c.name).where(executors.c.token == before)).scalar()
    if name is not None:
        values = {"token": token, "key": key, "version": version, "expires": None}
        session.execute(sa.update(executors).where(executors.c.token == before).values(values))
    return name


def by_token(session: Session, token: str) -> Enrolled | None:
    """The executor whose token has this hash."""
    row = session.execute(sa.select(executors).where(executors.c.token == token)).first()
    return _enrolled(row) if row is not None else None


def find(session: Session, name: str) -> Enrolled | None:
    """An executor."""
    row = session.execute(sa.select(executors).where(executors.c.name == name)).first()
    return _enrolled(row) if row is not None else None


def every(session: Session) -> tuple[Enrolled, ...]:
    """All executors by name."""
    return tuple(map(_enrolled, session.execute(sa.select(executors).order_by(executors.c.name))))


def revoke(session: Session, name: str) -> bool:
    """An executor may not come any more; whether there was one."""
    return session.execute(sa.delete(executors).where(executors.c.name == name)).rowcount == 1


def heard(
    session: Session, name: str, beat: Beat, builds: Collection[str], at: datetime, until: datetime | None = None
) -> bool:
    """An executor lives and runs these builds; False: it is none of ours.

    It is told that all its leases begin at `until` only. Such ones stay so while it is excused, and no longer.
    """
    abilities = msgspec.json.encode(beat.abilities).decode()
    values = {"version": beat.version, "slots": beat.slots, "abilities": abilities, "heard": at}
    known = session.execute(sa.update(executors).where(executors.c.name == name).values(values)).rowcount == 1
    mine, later = claims.c.build.in_(builds), claims.c.heard > at
    which = sa.true() if until is not None else sa.and_(mine, ~later) if beat.excused else sa.or_(mine, later)
    session.execute(sa.update(claims).where(claims.c.executor == name, which).values(heard=until or at))
    return known


def claim(session: Session, made: Claim) -> None:
    """An executor has a build, in place of whoever had it before."""
    session.execute(sa.delete(claims).where(claims.c.build == made.build))
    values: Mapping[str, object] = {
        "build": made.build, "fence": made.fence, "executor": made.executor, "log_base": made.log_base,
        "heard": made.heard, "checkouts": msgspec.json.encode(made.checkouts).decode(),
    }  # fmt: skip
    session.execute(claims.insert(), values)


def every_claim(session: Session) -> tuple[Claim, ...]:
    """All claims."""
    return tuple(
        Claim(
            row.build, row.fence, row.executor, row.log_base, row.heard,
            msgspec.json.decode(row.checkouts, type=tuple[Checkout, ...]),
        )
        for row in session.execute(sa.select(claims))
    )  # fmt: skip


def forget(session: Session, builds: Collection[str]) -> None:
    """These builds are over."""
    session.execute(sa.delete(claims).where(claims.c.build.in_(builds)))


def _enrolled(row: sa.Row[tuple[object, ...]]) -> Enrolled:
    return Enrolled(
        row.name, row.token, row.created, row.expires, row.key, row.version, row.slots,
        msgspec.json.decode(row.abilities, type=Abilities), row.heard,
    )  # fmt: skip
