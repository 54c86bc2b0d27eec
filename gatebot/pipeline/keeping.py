# SPDX-License-Identifier: Apache-2.0
"""What the pipeline's rows say of the files of builds: whose may still be wanted by others, and which were taken away.

The files themselves are the executor's; a job that requires what was taken away learns it from here.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import msgspec
import sqlalchemy as sa

from ..db import Session
from ..reasons import Reason
from .queue.model import SUCCESS
from .store import builds, items


@dataclass(frozen=True, slots=True)
class Provider:
    """A build that provides something; `waiting`: its item has not left its queue."""

    build: str
    change: int | None
    patch_set: int | None
    waiting: bool


def providers(session: Session) -> tuple[Provider, ...]:
    """The builds that passed and provide something that is still there."""
    asked = (builds.c.uuid, builds.c.change, builds.c.patch_set, items.c.id.is_not(None) & items.c.left.is_(None))
    query = sa.select(*asked).outerjoin(items, items.c.id == builds.c.item)
    query = query.where(builds.c.provides != "[]", builds.c.result == SUCCESS, builds.c.taken == "")
    return tuple(
        Provider(uuid, change, patch_set, bool(waits)) for uuid, change, patch_set, waits in session.execute(query)
    )


def take(session: Session, uuids: Collection[str], why: Reason) -> None:
    """What these builds left is taken away, or their artifacts are, as the reason says."""
    told = msgspec.json.encode(why).decode()
    one = sa.update(builds).where(builds.c.uuid == sa.bindparam("build")).values(taken=told)
    if uuids:  # one statement for each: a first sweep of an old site takes more than one statement may name
        session.execute(one, [{"build": uuid} for uuid in uuids])
