# SPDX-License-Identifier: Apache-2.0
"""Finding lines: what a query asks, as conversations, the newest first.

Only reads. A page of results begins where the last one ended, by place; counts stop at a thousand. A conversation is a
hit with the lines around it in its channel, as far as no long silence parts them; hits near each other share one.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta

import sqlalchemy as sa

from ...db import Session, utc
from ..model import Line, LineKind
from ..store import line_table, meeting_table
from . import index, query
from .query import Asked, Group

MOST = 1_000
"""Counts go no further: nobody reads that many."""
_SILENCE = timedelta(minutes=10)
_BATCH = 60  # hits looked at together
_CANDIDATES = 4_000  # lines that have all tokens and are looked through for a phrase, at most
_SERIES = 600  # meetings that `meeting:` may stand for


@dataclass(frozen=True, slots=True)
class Conversation:
    """Lines of one channel that belong together; `hits` are the ids of those that were searched for.

    `meeting` is the meeting that the newest hit was said in, 0 where it was in none.
    """

    channel: str
    lines: tuple[Line, ...]
    hits: frozenset[int]
    meeting: int = 0

    @property
    def hit(self) -> Line:
        """The first line that was searched for."""
        return next(line for line in self.lines if line.id in self.hits)


@dataclass(frozen=True, slots=True)
class Found:
    """A page of results. `count` stops at `MOST`; `older` is where the next page begins, None at the end."""

    conversations: tuple[Conversation, ...]
    count: int
    older: int | None


@dataclass(frozen=True, slots=True)
class _Hit:
    place: int
    channel: str
    meeting: int
    line: Line


def find(session: Session, text: str, limit: int = 10, older: int | None = None) -> Found:
    """The newest conversations that a query asks for; `older` is what the page before told."""
    asked = query.parse(text)
    if asked.is_empty:
        return Found((), 0, None)
    return _Search(session, asked).page(limit, older)


class _Search:
    """One query on one database."""

    def __init__(self, session: Session, asked: Asked) -> None:
        self._session = session
        self._asked = asked
        self._groups = query.groups(asked, _meetings(session, asked.meetings))
        self._exact = query.holds("", asked)  # Nothing is left to look up in the texts.
        low = index.first_place(asked.after) if asked.after else None
        self._low = -(2**62) if low is None else low
        self._high = index.first_place(asked.before) if asked.before else 2**62

    def page(self, limit: int, older: int | None) -> Found:
        """Conversations until there are enough, from a place on backwards."""
        conversations: list[Conversation] = []
        seen: set[int] = set()
        hits = self._hits(min(self._high, older) if older is not None else self._high)
        batch: list[_Hit] = []
        rest: int | None = None
        for hit in hits:
            batch.append(hit)
            if len(batch) == max(limit, 10) or len(batch) == _BATCH:
                rest = self._join(batch, conversations, seen, limit)
                batch = []
                if rest is not None:
                    break
        if rest is None:
            rest = self._join(batch, conversations, seen, limit)
        count = self._count() if older is None else 0
        if older is None and rest is None:
            count = len({id for found in conversations for id in found.hits})
        return Found(tuple(conversations), count, rest)

    def _join(
        self, hits: Sequence[_Hit], conversations: list[Conversation], seen: set[int], limit: int
    ) -> int | None:  # fmt: skip
        """Add the conversations of hits; where the page is full, the place that the next one begins below."""
        ids = {hit.line.id for hit in hits}
        around = _around(self._session, hits)
        for hit in hits:
            if hit.line.id in seen:
                continue
            if len(conversations) == limit:
                return hit.place + 1
            lines = around[hit.line.id]
            here = {line.id for line in lines}
            seen |= here
            conversations.append(Conversation(hit.channel, lines, frozenset(here & ids), hit.meeting))
        return None

    def _hits(self, high: int) -> Iterator[_Hit]:
        """The lines that are asked for below a place, the newest first."""
        looked = 0
        while looked < _CANDIDATES:
            rows = self._candidates(high, _BATCH if looked == 0 else 8 * _BATCH)
            for row in rows:
                if self._exact or query.holds(row.text, self._asked):
                    yield _Hit(row.place, row.channel, row.meeting, line_of(row))
            looked += len(rows)
            if len(rows) < (_BATCH if looked == len(rows) else 8 * _BATCH):
                return
            high = rows[-1].place

    def _candidates(self, high: int, limit: int) -> Sequence[sa.Row[tuple[object, ...]]]:
        """Lines that have all tokens, below a place, the newest first."""
        bounds = {"high": high, "low": self._low, "limit": limit}
        if not self._groups:
            columns = line_table.c
            spoken = columns.kind.in_([LineKind.SAID.value, LineKind.ME.value])
            newest = sa.select(line_table).where(spoken, columns.place < high, columns.place >= self._low)
            return self._session.execute(newest.order_by(columns.place.desc()).limit(limit)).all()
        places = self._session.execute(_places(self._session), {"match": self._match(), **bounds}).scalars().all()
        rows = self._session.execute(sa.select(line_table).where(line_table.c.place.in_(places)))
        return sorted(rows, key=lambda row: -row.place)

    def _count(self) -> int:
        """How many lines have all tokens, up to `MOST`."""
        bounds = {"high": self._high, "low": self._low, "limit": MOST}
        if not self._groups:
            return MOST
        counted = sa.text(f"SELECT count(*) FROM ({_places(self._session).text}) AS found")  # noqa: S608 - our own text
        return self._session.execute(counted, {"match": self._match(), **bounds}).scalar_one()

    def _match(self) -> str:
        if self._session.dialect.name == "sqlite":
            return " AND ".join(map(_for_fts, self._groups))
        return " & ".join(map(_for_tsquery, self._groups))


def _places(session: Session) -> sa.TextClause:
    """The newest places whose lines match."""
    if session.dialect.name == "sqlite":
        return sa.text(
            "SELECT rowid FROM irc_line_search WHERE irc_line_search MATCH :match "
            "AND rowid < :high AND rowid >= :low ORDER BY rowid DESC LIMIT :limit"
        )
    # Materialised: else the planner walks all lines backwards in the hope of an early hit.
    return sa.text(
        "WITH found AS MATERIALIZED (SELECT place FROM irc_line_search WHERE vector @@ CAST(:match AS tsquery) "
        "AND place < :high AND place >= :low) SELECT place FROM found ORDER BY place DESC LIMIT :limit"
    )


def _for_fts(group: Group) -> str:
    """Alternatives in FTS5's language; nothing of a query is ever syntax in it."""
    return "(" + " OR ".join('"' + " ".join(run) + '"' for run in group) + ")"


def _for_tsquery(group: Group) -> str:
    return "(" + " | ".join("(" + " & ".join(f"'{token}'" for token in run) + ")" for run in group) + ")"


def _meetings(session: Session, named: Sequence[str]) -> list[int]:
    """The newest meetings of some names."""
    if not named:
        return []
    names = [name.lower() for name in named]
    newest = sa.select(meeting_table.c.id).where(meeting_table.c.name.in_(names))
    return list(session.execute(newest.order_by(meeting_table.c.id.desc()).limit(_SERIES)).scalars())


def line_of(row: sa.Row[tuple[object, ...]]) -> Line:
    """A row as a line."""
    return Line(row.at, row.nick, row.text, LineKind(row.kind), row.own, row.account, row.id)


_SIDE = (
    "SELECT * FROM (SELECT {number} AS hit, '{side}' AS side, place, id, at, nick, text, kind, own, account "
    "FROM irc_line WHERE {here} ORDER BY place {order} LIMIT 3) AS s{number}{side}"
)
_SIDES = {"before": ("<", "DESC"), "after": (">", "ASC")}


def _around(session: Session, hits: Sequence[_Hit]) -> dict[int, tuple[Line, ...]]:
    """The lines around each hit, up to the first silence on either side: one statement for all hits."""
    parts: list[str] = []
    values: dict[str, object] = {}
    for number, hit in enumerate(hits):
        values |= {f"c{number}": hit.channel, f"p{number}": hit.place}
        for side, (compare, order) in _SIDES.items():
            here = f"channel = :c{number} AND place {compare} :p{number} AND kind IN ('said', 'me')"
            parts.append(_SIDE.format(number=number, side=side, here=here, order=order))
    found: dict[tuple[int, str], list[Line]] = {}
    if parts:
        typed = sa.text(" UNION ALL ".join(parts)).bindparams(**values).columns(at=utc, own=sa.Boolean)
        for row in session.execute(typed):
            found.setdefault((row.hit, row.side), []).append(line_of(row))
    return {
        hit.line.id: (
            *reversed(_unbroken(hit.line, found.get((number, "before"), []))),
            hit.line,
            *_unbroken(hit.line, found.get((number, "after"), [])),
        )
        for number, hit in enumerate(hits)
    }


def _unbroken(hit: Line, lines: Sequence[Line]) -> list[Line]:
    """The lines until a silence, counted from the hit outwards."""
    kept: list[Line] = []
    last = hit
    for line in lines:
        if abs(line.at - last.at) > _SILENCE:
            break
        kept.append(line)
        last = line
    return kept


def with_channel(text: str, channel: str | None) -> str:
    """A query asked of one channel."""
    return f'{text} in:"{channel}"' if channel else text
