# SPDX-License-Identifier: Apache-2.0
"""Finding lines: what a query asks, as conversations; the best first, or the newest first.

Only reads. Best are lines that have the words side by side as they were asked for, then those that have all of them,
each the newest first. A page of results begins where the last one ended; counts stop at a thousand. A conversation is
a hit with the lines around it in its channel, as far as no long silence parts them; hits near each other share one.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from difflib import get_close_matches
from functools import cache

import sqlalchemy as sa

from ...db import Session, utc
from ...errors import Invalid
from ...reasons import reason
from ..channels import channels_of, has_lines
from ..model import SEARCHES, Line, LineKind
from ..names import folded
from ..store import line_table, meeting_table
from . import index, matching, query
from .query import Asked, Group

MOST = 1_000
"""Counts go no further: nobody reads that many."""
_SILENCE = timedelta(minutes=10)
_BATCH = 60  # conversations that are made together
_FIRST, _MORE = 24, 240  # lines read at first, and then
_CANDIDATES = 4_000  # lines that have all tokens and are looked through, at most
_SERIES = 600  # meetings that `meeting:` may stand for


@dataclass(frozen=True, slots=True)
class Conversation:
    """Lines of one channel that belong together; `hits` are the ids of those that were searched for, `best` is one.

    `meeting` is the meeting that the best hit was said in, 0 where it was in none.
    """

    channel: str
    lines: tuple[Line, ...]
    hits: frozenset[int]
    best: int
    meeting: int = 0

    @property
    def hit(self) -> Line:
        """The line for which the conversation stands where it does among the results."""
        return next(line for line in self.lines if line.id == self.best)


@dataclass(frozen=True, slots=True)
class Found:
    """A page of results. `count` stops at `MOST`; `older` is where the next page begins, None at the end.

    `several` words were asked for, which may stand side by side or not: the order matters.
    """

    conversations: tuple[Conversation, ...]
    count: int
    older: int | None
    several: bool = False


@dataclass(frozen=True, slots=True)
class _Hit:
    place: int
    channel: str
    meeting: int
    line: Line
    near: bool


def find(session: Session, text: str, limit: int = 10, older: int | None = None, *, newest: bool = False) -> Found:
    """The best conversations that a query asks for, or the `newest`; `older` is what the page before told."""
    asked = query.parse(text)
    if asked.is_empty:
        return Found((), 0, None)
    _refuse_unknown(session, asked.channels)
    found = _Search(session, asked if not newest else replace(asked, row=())).page(limit, older)
    return replace(found, several=bool(asked.row))


def _refuse_unknown(session: Session, asked: Sequence[str]) -> None:
    """Whoever asks for lines of a channel that has none learns it, and which channels have names like that."""
    for name in asked:
        channel = folded(name)
        if not (has_lines(session, channel) or has_lines(session, f"#{channel}")):
            known = list(channels_of(session))
            near = get_close_matches(f"#{channel.lstrip('#')}", known, 3, 0.5) or known[:3]
            raise Invalid(reason=reason("meetbot.channel-without-log", channel=name, near=", ".join(near)))


class _Search:
    """One query on one database.

    What the bot says is found only by its nick: it repeats what others say. So is what it was told to search for.
    """

    def __init__(self, session: Session, asked: Asked) -> None:
        self._session = session
        self._asked = asked
        meetings = _meetings(session, asked.meetings)
        self._groups = query.groups(asked, meetings)
        self._narrow = query.groups(replace(asked, words=()), meetings)
        self._count: int | None = None
        self._bots: dict[str, bool] = {}
        low = index.first_place(asked.after) if asked.after else None
        self._low = -(2**62) if low is None else low
        self._high = index.first_place(asked.before) if asked.before else 2**62

    def page(self, limit: int, older: int | None) -> Found:
        """Conversations until there are enough, from a place on backwards."""
        conversations: list[Conversation] = []
        seen: set[int] = set()
        known: set[int] = set()
        batch: list[_Hit] = []
        rest: int | None = None
        for hit in self._ordered(older):
            known.add(hit.line.id)
            if hit.line.id in seen:
                continue
            if len(conversations) == limit:
                rest = (hit.place + 1) * 2 + hit.near
                break
            batch.append(hit)
            if len(batch) == min(limit - len(conversations), _BATCH):
                conversations += _joined(self._session, batch, seen)
                batch = []
        conversations += _joined(self._session, batch, seen)
        count = 0
        if older is None:
            count = len(known) if rest is None else self._counted()
        hits = [frozenset(line.id for line in found.lines if line.id in known) for found in conversations]
        told = (replace(found, hits=here) for found, here in zip(conversations, hits, strict=True))
        return Found(tuple(told), count, rest)

    def _ordered(self, older: int | None) -> Iterator[_Hit]:
        """The hits from where the page before ended: first those with the words side by side, then all others."""
        below, near = divmod(older, 2) if older is not None else (self._high, 1)
        below = min(self._high, below)
        if near and self._asked.row:
            yield from self._hits(below, near=True)
            below = self._high
        yield from self._hits(below, near=False)

    def _hits(self, high: int, *, near: bool) -> Iterator[_Hit]:
        """The lines that are asked for below a place, the newest first: with the words side by side, or all others."""
        asked = self._asked
        groups = [*query.neighbours(asked), *self._narrow] if near else self._groups
        for row in self._rows(groups, high, near=near):
            if not asked.people and self._is_aside(row):
                continue
            if query.holds(row.text, asked) and (not asked.row or query.stands(row.text, asked.row) is near):
                yield _Hit(row.place, row.channel, row.meeting, line_of(row), near)

    def _is_aside(self, row: sa.Row[tuple[object, ...]]) -> bool:
        return row.own or ((asks := SEARCHES.match(row.text)) is not None and self._is_bot(asks[1]))

    def _is_bot(self, nick: str) -> bool:
        """Whether the newest line of a nick is the bot's own: people are told to search, too."""
        if nick not in self._bots:
            newest = matching.places(self._session, query.groups(Asked(people=(nick,))), -(2**62), 2**62, 1)
            own = sa.select(line_table.c.own).where(line_table.c.place.in_(newest))
            self._bots[nick] = bool(self._session.execute(own).scalar())
        return self._bots[nick]

    def _rows(self, groups: Sequence[Group], high: int, *, near: bool) -> Iterator[sa.Row[tuple[object, ...]]]:
        """Lines that have all tokens, below a place, the newest first."""
        if not groups:
            yield from self._session.execute(self._spoken(high))
            return
        looked = 0
        while looked < _CANDIDATES:
            # The first look at all of them counts them.
            counts = not near and high == self._high
            limit = MOST if counts else 2 * _BATCH
            places = self._places(groups, high, limit)
            if counts:
                self._count = len(places)
            for first, last in ((0, _FIRST), *((at, at + _MORE) for at in range(_FIRST, len(places), _MORE))):
                here = sa.select(line_table).where(line_table.c.place.in_(places[first:last]))
                yield from sorted(self._session.execute(here), key=lambda row: -row.place)
            if len(places) < limit:
                return
            looked += len(places)
            high = places[-1]

    def _spoken(self, high: int) -> sa.Select[tuple[object, ...]]:
        """All lines below a place, where only a time is asked for: so many of them as anybody looks at."""
        columns = line_table.c
        spoken = columns.kind.in_([LineKind.SAID.value, LineKind.ME.value])
        newest = sa.select(line_table).where(
            spoken, sa.not_(columns.own), columns.place < high, columns.place >= self._low
        )
        return newest.order_by(columns.place.desc()).limit(MOST)

    def _counted(self) -> int:
        """How many lines have all tokens, up to `MOST`."""
        if self._count is not None:
            return self._count
        if not self._groups:
            spoken = self._spoken(self._high).with_only_columns(line_table.c.place).subquery()
            return self._session.execute(sa.select(sa.func.count()).select_from(spoken)).scalar_one()
        return len(self._places(self._groups, self._high, MOST))

    def _places(self, groups: Sequence[Group], high: int, limit: int) -> Sequence[int]:
        """The newest places whose lines match."""
        return matching.places(self._session, groups, self._low, high, limit)


def _meetings(session: Session, named: Sequence[str]) -> list[int]:
    """The newest meetings of some names, or of some titles as pages show them."""
    if not named:
        return []
    names = [name.lower() for name in named]
    called = sa.or_(meeting_table.c.name.in_(names), sa.func.lower(meeting_table.c.title).in_(names))
    newest = sa.select(meeting_table.c.id).where(called)
    return list(session.execute(newest.order_by(meeting_table.c.id.desc()).limit(_SERIES)).scalars())


def titles_of(session: Session, meetings: Collection[int]) -> dict[int, str]:
    """What some meetings are called."""
    columns = meeting_table.c
    rows = session.execute(sa.select(columns.id, columns.title, columns.name).where(columns.id.in_(meetings)))
    return {row.id: row.title or row.name for row in rows}


def line_of(row: sa.Row[tuple[object, ...]]) -> Line:
    """A row as a line."""
    return Line(row.at, row.nick, row.text, LineKind(row.kind), row.own, row.account, row.id)


def _joined(session: Session, hits: Sequence[_Hit], seen: set[int]) -> Iterator[Conversation]:
    """The conversations of hits, the lines of which are `seen` from then on: a later hit in one of them adds none."""
    around = _around(session, hits)
    for hit in hits:
        id = hit.line.id
        if id not in seen:
            lines = around[id]
            seen |= {line.id for line in lines}
            yield Conversation(hit.channel, lines, frozenset({id}), id, hit.meeting)


_SIDE = (
    "SELECT * FROM (SELECT {number} AS hit, '{side}' AS side, place, id, at, nick, text, kind, own, account "
    "FROM irc_line WHERE channel = :c{number} AND place {compare} :p{number} AND kind IN ('said', 'me') "
    "ORDER BY place {order} LIMIT 3) AS s{number}{side}"
)
_SIDES = {"before": ("<", "DESC"), "after": (">", "ASC")}


@cache
def _sides(hits: int) -> sa.TextualSelect:
    """What reads the lines on both sides of so many hits at once."""
    parts = [
        _SIDE.format(number=number, side=side, compare=compare, order=order)
        for number in range(hits)
        for side, (compare, order) in _SIDES.items()
    ]
    return sa.text(" UNION ALL ".join(parts)).columns(at=utc, own=sa.Boolean)


def _around(session: Session, hits: Sequence[_Hit]) -> dict[int, tuple[Line, ...]]:
    """The lines around each hit, up to the first silence on either side: one statement for all hits."""
    found: dict[tuple[int, str], list[Line]] = {}
    if hits:
        channels = {f"c{number}": hit.channel for number, hit in enumerate(hits)}
        places = {f"p{number}": hit.place for number, hit in enumerate(hits)}
        for row in session.execute(_sides(len(hits)), channels | places):
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
