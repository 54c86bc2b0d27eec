# SPDX-License-Identifier: Apache-2.0
"""The rows of what builds were given, without secrets.

Written before an executor hears of a build; a run that takes a build over is given the same again. What frozen jobs and
messages of changes say is kept elsewhere and not repeated here.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence

import msgspec
import sqlalchemy as sa

from ...assignment import Assignment
from ...db import Session, metadata
from .bare import kept

assignments = sa.Table(
    "pipeline_assignments",
    metadata,
    sa.Column("build", sa.String(32), primary_key=True),
    sa.Column("body", sa.LargeBinary, nullable=False),
)
_forget = sa.delete(assignments).where(assignments.c.build == sa.bindparam("build_"))
_insert = assignments.insert()


def keep(session: Session, given: Sequence[Assignment]) -> None:
    """Remember what builds are given, in place of what an earlier run of them was."""
    rows = [{"build": one.build, "body": zlib.compress(msgspec.json.encode(kept(one)))} for one in given]
    if rows:
        session.execute(_forget, [{"build_": row["build"]} for row in rows])
        session.execute(_insert, rows)


def find(session: Session, build: str) -> Assignment | None:
    """What a build was given, without secrets."""
    body = session.execute(sa.select(assignments.c.body).where(assignments.c.build == build)).scalar()
    return None if body is None else msgspec.json.decode(zlib.decompress(body), type=Assignment)
