# SPDX-License-Identifier: Apache-2.0
"""Which channels there are, since when, and how many lines each has.

Only reads. Names and moments are looked up in the index step by step: the cost is by channels and years, whatever the
number of lines. Lines are counted once, and from then on those that were added: none ever goes.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from threading import Lock

import sqlalchemy as sa

from ..db import Session
from .store import line_table

_UNSETTLED = 5_000  # of the newest lines some may be in a transaction that still runs


@dataclass(frozen=True, slots=True)
class ChannelRow:
    """A channel of the archive with the span of its lines."""

    name: str
    first: datetime
    last: datetime
    lines: int


class Counts:
    """How many lines each channel has; readers of several threads share one."""

    def __init__(self, unsettled: int = _UNSETTLED) -> None:
        self._unsettled = unsettled
        self._lock = Lock()
        self._counted = 0
        self._lines: Counter[str] = Counter()

    def of(self, session: Session) -> Counter[str]:
        """By channel, as of now."""
        newest = session.execute(sa.select(sa.func.max(line_table.c.id))).scalar() or 0
        with self._lock:
            settled = max(newest - self._unsettled, self._counted)
            self._lines += _counted(session, self._counted, settled)
            self._counted = settled
            return self._lines + _counted(session, settled, newest)


def _counted(session: Session, above: int, upto: int) -> Counter[str]:
    """The lines of each channel whose ids are in a span."""
    columns = line_table.c
    if upto <= above:
        return Counter()
    query = sa.select(columns.channel, sa.func.count().label("lines")).where(columns.id > above, columns.id <= upto)
    return Counter({row.channel: row.lines for row in session.execute(query.group_by(columns.channel))})


def channels(session: Session, counts: Counts) -> list[ChannelRow]:
    """Every channel that has lines."""
    lines, found = counts.of(session), list[ChannelRow]()
    for channel in channels_of(session):
        first, last = (_end(session, channel, newest=newest) for newest in (False, True))
        if first is not None and last is not None:
            found.append(ChannelRow(channel, first, last, lines[channel]))
    return found


def _end(session: Session, channel: str, *, newest: bool) -> datetime | None:
    """The moment of the newest, or of the oldest, line of a channel."""
    at = line_table.c.at
    lines = sa.select(at).where(line_table.c.channel == channel)
    return session.execute(lines.order_by(at.desc() if newest else at).limit(1)).scalar()


def years(session: Session, channel: str, zone: tzinfo = UTC) -> list[int]:
    """The years of a zone in which a channel has lines, the newest first."""
    at, found = line_table.c.at, list[int]()
    following = sa.select(at).where(line_table.c.channel == channel, at >= sa.bindparam("start", type_=at.type))
    start: datetime | None = datetime.min.replace(tzinfo=UTC)
    while start is not None:
        moment = session.execute(following.order_by(at).limit(1), {"start": start}).scalar()
        start = None
        if moment is not None:
            found.append(moment.astimezone(zone).year)
            start = year_start(found[-1] + 1, zone) if found[-1] < datetime.max.year else None
    return found[::-1]


def year_start(year: int, zone: tzinfo) -> datetime:
    """When a year begins in a zone; the first and the last year of the calendar have no other zone."""
    try:
        return datetime(year, 1, 1, tzinfo=zone).astimezone(UTC)
    except (OverflowError, ValueError):
        return datetime.max.replace(tzinfo=UTC) if year > 1 else datetime.min.replace(tzinfo=UTC)


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
