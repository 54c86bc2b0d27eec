# SPDX-License-Identifier: Apache-2.0
"""Old lines put into the archive, each once: what is there already, live or imported, is not added again.

A line is known by its moment, as fine as its log tells it, its speaker, kind and text; as often as it is in the log,
so often it is kept. The journal is told of those that name a change or a build, as of a line that is heard: what is
spoken of then knows where, whenever that was.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta

import sqlalchemy as sa

from ... import journal
from ...db import Session
from ...events import LineSaid
from ...targets import places
from .. import names, store
from ..model import SPOKEN, Line
from ..store import line_table


def portions(lines: Iterable[Line], most: int = 1000) -> Iterator[list[Line]]:
    """Lines in parts of whole minutes, to be added one after the other: a server that runs meanwhile writes, too."""
    part: list[Line] = []
    for line in sorted(lines, key=lambda line: line.at):
        if len(part) >= most and line.at.replace(second=0, microsecond=0) > part[-1].at:
            yield part
            part = []
        part.append(line)
    if part:
        yield part


def is_coarse(lines: Iterable[Line]) -> bool:
    """Whether a log tells the time by minutes only."""
    return all(line.at.second == 0 for line in lines)


def add(
    session: Session, network: str, channel: str, lines: Sequence[Line], site: str = "", by_minute: bool | None = None
) -> int:
    """Add what is new; returns how many lines that were. `site` is the address of this site.

    `by_minute` tells that the log that these lines are of is coarse; None: they are all of it.
    """
    if not lines:
        return 0
    by_minute = is_coarse(lines) if by_minute is None else by_minute
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
    ids = store.append_lines(session, network, channel, new)
    naming = [
        (LineSaid(channel, id, line.nick, line.text, network, names.line_path(channel, line.at, id)), line.at)
        for line, id in zip(new, ids, strict=True)
        if line.kind in SPOKEN and not line.is_aside and any(place.target for place in places(line.text, site))
    ]
    journal.append_dated(session, naming)
    return len(new)


def _moment(at: datetime, by_minute: bool) -> datetime:
    return at.replace(second=0, microsecond=0) if by_minute else at.replace(microsecond=0)
