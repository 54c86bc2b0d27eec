# SPDX-License-Identifier: Apache-2.0
"""Old lines put into the archive, each once: what is there already, live or imported, is not added again.

A line is known by its moment, as fine as its log tells it, its speaker, kind and text; as often as it is in the log,
so often it is kept.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta

import sqlalchemy as sa

from ...db import Session
from .. import names, store
from ..model import Line
from ..store import line_table


def add(session: Session, network: str, channel: str, lines: Sequence[Line]) -> int:
    """Add what is new; returns how many lines that were."""
    if not lines:
        return 0
    by_minute = all(line.at.second == 0 for line in lines)
    columns, channel = line_table.c, names.folded(channel)
    first, last = min(line.at for line in lines), max(line.at for line in lines)
    query = sa.select(columns.at, columns.kind, columns.nick, columns.text).where(
        columns.channel == channel, columns.at >= first, columns.at < last + timedelta(minutes=1)
    )
    known = Counter(
        (_moment(row.at, by_minute), row.kind, row.nick, row.text) for row in session.execute(query)
    )  # fmt: skip
    new: list[Line] = []
    for line in lines:
        key = (_moment(line.at, by_minute), line.kind.value, line.nick, line.text)
        if known[key]:
            known[key] -= 1
        else:
            new.append(line)
    store.append_lines(session, network, channel, new)
    return len(new)


def _moment(at: datetime, by_minute: bool) -> datetime:
    return at.replace(second=0, microsecond=0) if by_minute else at.replace(microsecond=0)
