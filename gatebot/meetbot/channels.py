# SPDX-License-Identifier: Apache-2.0
"""Which channels there are.

Only reads. Looked up in the index step by step: the cost is by channels, whatever the number of lines.
"""

from __future__ import annotations

from collections.abc import Iterator

import sqlalchemy as sa

from ..db import Session
from .store import line_table


def channels_of(session: Session) -> Iterator[str]:
    """The names of all channels that have lines, in alphabetical order: a step in the index for each."""
    column, channel = line_table.c.channel, ""
    following = sa.select(sa.func.min(column)).where(column > sa.bindparam("channel"))
    while (found := session.execute(following, {"channel": channel}).scalar()) is not None:
        channel = found
        yield channel


def has_lines(session: Session, channel: str) -> bool:
    """Whether a channel has any."""
    return (
        session.execute(sa.select(line_table.c.id).where(line_table.c.channel == channel).limit(1)).first() is not None
    )
