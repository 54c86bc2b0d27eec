# SPDX-License-Identifier: Apache-2.0
"""Asking the index for the newest lines that match, on either engine.

FTS5 walks from the newest line back and stops when there are enough. PostgreSQL's index gives all lines at once, which
takes long for what half of all lines have; so that is looked for in the newest lines first, as far as the statistics
promise enough of them there.
"""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa

from ...db import Session
from .query import Group

_SQLITE = sa.text(
    "SELECT rowid FROM irc_line_search WHERE irc_line_search MATCH :match "
    "AND rowid < :high AND rowid >= :low ORDER BY rowid DESC LIMIT :limit"
)
# Materialised: else the planner walks all lines backwards in the hope of an early hit.
_ALL = sa.text(
    "WITH found AS MATERIALIZED (SELECT place FROM irc_line_search WHERE vector @@ CAST(:match AS tsquery) "
    "AND place < :high AND place >= :low) SELECT place FROM found ORDER BY place DESC LIMIT :limit"
)
_NEWEST = sa.text(
    "SELECT place FROM (SELECT place, vector FROM irc_line_search WHERE place < :high AND place >= :low "
    "ORDER BY place DESC LIMIT :window) AS newest WHERE vector @@ CAST(:match AS tsquery) LIMIT :limit"
)
_EXPECTED = sa.text(
    "EXPLAIN (FORMAT JSON) SELECT place FROM irc_line_search WHERE vector @@ CAST(:match AS tsquery)"
)  # fmt: skip
_LINES = sa.text("SELECT reltuples FROM pg_class WHERE oid = CAST('irc_line_search' AS regclass)")
_DEARER = 5  # how many times a line costs more that the index gives than one that is passed on the way


def places(session: Session, groups: Sequence[Group], low: int, high: int, limit: int) -> Sequence[int]:
    """The newest places below one and from another on whose lines have of each group at least one run."""
    bounds = {"low": low, "high": high, "limit": limit}
    if session.dialect.name == "sqlite":
        match = " AND ".join(map(_for_fts, groups))
        return session.execute(_SQLITE, {"match": match, **bounds}).scalars().all()
    match = " & ".join(map(_for_tsquery, groups))
    # The pairs of a word come together: the statistics, which take them for strangers, are asked for one of them.
    if window := _window(session, " & ".join(_for_tsquery(tuple(run[:1] for run in group)) for group in groups), limit):
        # The rows of the inner query are in order, and the outer one takes them as they come.
        found = session.execute(_NEWEST, {"match": match, "window": window, **bounds}).scalars().all()
        if len(found) == limit:
            return found
    return session.execute(_ALL, {"match": match, **bounds}).scalars().all()


def _window(session: Session, match: str, limit: int) -> int:
    """How many of the newest lines are worth a look before the index is asked; 0: none."""
    (plan,) = session.execute(_EXPECTED, {"match": match}).scalar_one()
    expected = int(plan["Plan"]["Plan Rows"])
    lines = int(session.execute(_LINES).scalar_one())
    return 2 * limit * lines // expected if expected * expected * _DEARER > limit * lines > 0 else 0


def _for_fts(group: Group) -> str:
    """Alternatives in FTS5's language; nothing of a query is ever syntax in it."""
    return "(" + " OR ".join('"' + " ".join(run) + '"' for run in group) + ")"


def _for_tsquery(group: Group) -> str:
    return "(" + " | ".join("(" + " <-> ".join(f"'{token}'" for token in run) + ")" for run in group) + ")"
