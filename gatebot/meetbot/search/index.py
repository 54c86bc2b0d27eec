# SPDX-License-Identifier: Apache-2.0
"""The index of lines by their tokens: FTS5 on SQLite, tsvector on PostgreSQL, with the same answers.

A line is indexed under its place: its number in the order of time among all lines, so that the newest are found first
and a span of time is a span of places, also where old logs were taken in later. Two lines never share a place.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

import sqlalchemy as sa

from ...db import Session, utc

_PLACES = 256  # in one second; more lines than that go on into the places of the next
_STANDING = 16_000  # tokens of a line; a tsvector counts no further
DDL = {
    "sqlite": [
        "CREATE VIRTUAL TABLE irc_line_search USING fts5(tokens, content='', tokenize='unicode61 remove_diacritics 0')"
    ],
    "postgresql": [
        "CREATE TABLE irc_line_search (place bigint PRIMARY KEY, vector tsvector NOT NULL)",
        "CREATE INDEX ix_irc_line_search_vector ON irc_line_search USING gin (vector)",
    ],
}
"""The index, which no metadata can describe for both engines; the migrations execute the same."""


def first_place(at: datetime) -> int:
    """The lowest place of a second."""
    return int(at.timestamp()) * _PLACES


def free_place(session: Session, at: datetime) -> int:
    """The place of one more line of a second."""
    place = first_place(at)
    last = sa.text("SELECT max(place) FROM irc_line WHERE place >= :low AND place < :high")
    while (taken := session.execute(last, {"low": place, "high": place + _PLACES}).scalar()) is not None:
        if taken < place + _PLACES - 1:
            return taken + 1
        place += _PLACES
    return place


def free_places(session: Session, moments: Sequence[datetime]) -> list[int]:
    """The places of many more lines, in their order."""
    last: dict[int, int] = {}
    taken: set[int] = set()
    places: list[int] = []
    top = session.execute(sa.text("SELECT max(place) FROM irc_line")).scalar() or 0
    for at in moments:
        second = first_place(at)
        place = last[second] + 1 if second in last else free_place(session, at)
        while place in taken or (second + _PLACES <= place <= top and _is_taken(session, place)):
            place += 1
        last[second] = place
        taken.add(place)
        places.append(place)
    return places


def heard_before(session: Session, network: str, channel: str, place: int) -> datetime | None:
    """When the last line of a channel before a place was heard."""
    told = "SELECT at FROM irc_line WHERE channel = :channel AND network = :network AND place < :place"
    query = sa.text(f"{told} ORDER BY place DESC LIMIT 1").columns(at=utc)
    return session.execute(query, {"channel": channel, "network": network, "place": place}).scalar()


def _is_taken(session: Session, place: int) -> bool:
    return session.execute(sa.text("SELECT 1 FROM irc_line WHERE place = :place"), {"place": place}).first() is not None


def add(session: Session, lines: Iterable[tuple[int, Sequence[str]]]) -> None:
    """Index lines: the place and the tokens of each."""
    if session.dialect.name == "sqlite":
        insert = "INSERT INTO irc_line_search (rowid, tokens) VALUES (:place, :tokens)"
        rows = [{"place": place, "tokens": " ".join(words)} for place, words in lines]
    else:
        insert = "INSERT INTO irc_line_search (place, vector) VALUES (:place, CAST(:tokens AS tsvector))"
        rows = [{"place": place, "tokens": _vector(words)} for place, words in lines]
    if rows:
        session.execute(sa.text(insert), rows)


def _vector(words: Sequence[str]) -> str:
    """Tokens with where each stands, as FTS5 counts them too: words of syllables are phrases of their pairs."""
    return " ".join(f"'{word}':{place}" for place, word in enumerate(words[:_STANDING], 1))


def remove(session: Session, lines: Iterable[tuple[int, Sequence[str]]]) -> None:
    """Take lines out of the index: the place of each and the very tokens that it was indexed with.

    What is not in it is passed over: SQLite's index breaks when it is told to forget what it never knew.
    """
    if session.dialect.name == "sqlite":
        lines = [(place, words) for place, words in lines if _is_indexed(session, place)]
        delete = (
            "INSERT INTO irc_line_search (irc_line_search, rowid, tokens) VALUES ('delete', :place, :tokens)"
        )  # fmt: skip
        rows = [{"place": place, "tokens": " ".join(words)} for place, words in lines]
    else:
        delete = "DELETE FROM irc_line_search WHERE place = :place"
        rows = [{"place": place, "tokens": ""} for place, _ in lines]
    if rows:
        session.execute(sa.text(delete), rows)


def _is_indexed(session: Session, place: int) -> bool:
    known = sa.text("SELECT rowid FROM irc_line_search WHERE rowid = :place")
    return session.execute(known, {"place": place}).first() is not None
