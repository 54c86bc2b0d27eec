# SPDX-License-Identifier: Apache-2.0
"""The rows of what builds were given, without secrets.

Written before an executor hears of a build; a run that takes a build over is given the same again. What frozen jobs and
messages of changes say is kept elsewhere and not repeated here.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import replace
from typing import TypeAlias

import msgspec
import sqlalchemy as sa

from ...assignment import Assignment
from ...db import Session, metadata
from .bare import kept, named

assignments = sa.Table(
    "pipeline_assignments",
    metadata,
    sa.Column("build", sa.String(32), primary_key=True),
    sa.Column("body", sa.LargeBinary, nullable=False),
)
_Changes: TypeAlias = list[tuple[int, int, bytes]]
_forget = sa.delete(assignments).where(assignments.c.build == sa.bindparam("build_"))
_insert = assignments.insert()


def keep(session: Session, given: Sequence[Assignment]) -> None:
    """Remember what builds are given, in place of what an earlier run of them was."""
    rows = [{"build": one.build, "body": _packed(one)} for one in given]
    if rows:
        session.execute(_forget, [{"build_": row["build"]} for row in rows])
        session.execute(_insert, rows)


def find(session: Session, build: str) -> Assignment | None:
    """What a build was given, without secrets; of its changes which they are."""
    body = session.execute(sa.select(assignments.c.body).where(assignments.c.build == build)).scalar()
    if body is None:
        return None
    text, changes = msgspec.msgpack.decode(body, type=tuple[bytes, _Changes])
    found = msgspec.json.decode(zlib.decompress(text), type=Assignment)
    return replace(found, changes=tuple(named(number, patch_set, at.hex()) for number, patch_set, at in changes))


def _packed(given: Assignment) -> bytes:
    """Small and soon done: behind a long queue there are hundreds of changes, and each build has them."""
    changes: _Changes = [(one.number, one.patch_set, bytes.fromhex(one.commit)) for one in given.changes]
    return msgspec.msgpack.encode((zlib.compress(msgspec.json.encode(kept(given))), changes))
