# SPDX-License-Identifier: Apache-2.0
"""Pairs of texts that programs keep with changes.

Transaction functions. What a key and a value may be, and who may write them, is decided in `service.py`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from sqlalchemy import Column, ForeignKey, Integer, String, Table, Text, delete, insert, select

from ...db import Session, metadata

values = Table(
    "review_keyed_values",
    metadata,
    Column("change", Integer, ForeignKey("review_changes.number"), primary_key=True),
    Column("key", String(100), primary_key=True),
    Column("value", Text, nullable=False),
)


def of_change(session: Session, change: int) -> dict[str, str]:
    """The values of a change, in the order of their keys."""
    wanted = select(values.c.key, values.c.value).where(values.c.change == change).order_by(values.c.key)
    return {row.key: row.value for row in session.execute(wanted)}


def put(session: Session, change: int, given: Mapping[str, str], gone: Iterable[str]) -> None:
    """Write values, also over others, and take some away."""
    for key in (*given, *gone):
        session.execute(delete(values).filter_by(change=change, key=key))
    for key, value in given.items():
        session.execute(insert(values).values(change=change, key=key, value=value))
