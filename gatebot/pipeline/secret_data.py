# SPDX-License-Identifier: Apache-2.0
"""What builds returned as secret, for the jobs after them: sealed by the site's key; in no journal, build or log.

A row is kept while the item of its build is in a queue; what others left behind goes when the next one is written.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import cast

import sqlalchemy as sa

from ..assignment import Json
from ..db import Session, metadata
from ..keys.site_key import SiteKey
from .store import builds, items

table = sa.Table(
    "pipeline_secret_data",
    metadata,
    sa.Column("build", sa.String(32), primary_key=True),
    sa.Column("sealed", sa.Text, nullable=False),
)


class SecretData:
    """Seals and opens with the key of the site."""

    def __init__(self, key: SiteKey) -> None:
        self._key = key

    def keep(self, session: Session, build: str, data: Mapping[str, Json]) -> None:
        """Keep what a build returned, in place of what it returned before."""
        left = sa.select(builds.c.uuid).join(items, items.c.id == builds.c.item).where(items.c.left.is_not(None))
        session.execute(sa.delete(table).where(sa.or_(table.c.build == build, table.c.build.in_(left))))
        session.execute(table.insert(), {"build": build, "sealed": self._key.seal(json.dumps(data).encode(), build)})

    def of(self, session: Session, uuids: Sequence[str]) -> dict[str, Mapping[str, Json]]:
        """What these builds returned, by build; nothing of those that returned none."""
        rows = session.execute(sa.select(table).where(table.c.build.in_(uuids)))
        return {row.build: cast("dict[str, Json]", json.loads(self._key.open(row.sealed, row.build))) for row in rows}
