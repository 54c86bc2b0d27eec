# SPDX-License-Identifier: Apache-2.0
"""Lines get their place in time and are indexed under it, with who said them, where, in which meeting."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from datetime import UTC, datetime

import sqlalchemy as sa
from alembic import op

revision = "0035_places"
down_revision = "0034_imports"
branch_labels = None
depends_on = None

_SEARCH = {
    "sqlite": [
        "CREATE VIRTUAL TABLE irc_line_search USING fts5(tokens, content='', tokenize='unicode61 remove_diacritics 0')"
    ],
    "postgresql": [
        "CREATE TABLE irc_line_search ({key} bigint PRIMARY KEY, vector tsvector NOT NULL)",
        "CREATE INDEX ix_irc_line_search_vector ON irc_line_search USING gin (vector)",
    ],
}
# The words of lines as they were told apart when this was written: a migration stays what it is.
_SYLLABIC = "\u1100-\u11ff\u3040-\u30ff\u3130-\u318f\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7a3\uf900-\ufaff"
_RUN = re.compile(rf"[{_SYLLABIC}]+|[^\W_{_SYLLABIC}]+")
_IS_SYLLABIC = re.compile(rf"[{_SYLLABIC}]")
_LINK = re.compile(r"\b(?:https?|ftp|irc|ssh)://\S|\bmailto:\S", re.IGNORECASE)
_BATCH = 5_000
_PLACES = 256


def upgrade() -> None:
    op.add_column("irc_line", sa.Column("place", sa.BigInteger(), nullable=True))
    _give_places(op.get_bind())
    op.create_index("ix_irc_line_place", "irc_line", ["place"], unique=True)
    op.create_index("ix_irc_line_channel_place", "irc_line", ["channel", "place"])
    _index_anew("place")


def downgrade() -> None:
    op.drop_index("ix_irc_line_channel_place", "irc_line")
    op.drop_index("ix_irc_line_place", "irc_line")
    op.drop_column("irc_line", "place")
    _index_anew("line")


def _rows(connection: sa.Connection) -> Iterator[list[sa.Row[tuple[object, ...]]]]:
    """All lines in the order in which they were heard, some at a time."""
    newest = 0
    query = sa.text("SELECT * FROM irc_line WHERE id > :id ORDER BY id LIMIT :n")
    while rows := list(connection.execute(query, {"id": newest, "n": _BATCH})):
        newest = rows[-1].id
        yield rows


def _give_places(connection: sa.Connection) -> None:
    """Number the lines of each second; more than fit go on into the places behind it."""
    last: dict[int, int] = {}
    beyond: set[int] = set()
    for rows in _rows(connection):
        places: list[dict[str, object]] = []
        for row in rows:
            second = _second(row.at)
            place = last.get(second, second * _PLACES - 1) + 1
            while place in beyond:
                place += 1
            last[second] = place
            if place >= (second + 1) * _PLACES:
                beyond.add(place)
            places.append({"id": row.id, "place": place})
        connection.execute(sa.text("UPDATE irc_line SET place = :place WHERE id = :id"), places)


def _index_anew(key: str) -> None:
    """Make the index again, under `place` with all circumstances, or as it was under `line` with the words only."""
    connection = op.get_bind()
    sqlite = connection.dialect.name == "sqlite"
    op.drop_table("irc_line_search")
    for statement in _SEARCH[connection.dialect.name]:
        op.execute(statement.format(key=key))
    add = f"INSERT INTO irc_line_search ({key}, vector) VALUES (:key, array_to_tsvector(:tokens))"  # noqa: S608 - ours
    if sqlite:
        add = "INSERT INTO irc_line_search (rowid, tokens) VALUES (:key, :tokens)"
    for rows in _rows(connection):
        found: list[dict[str, object]] = []
        for row in rows:
            if row.kind in ("said", "me"):
                words = _words(row.text)
                words += _circumstances(row) if key == "place" else []
                tokens: object = " ".join(words) if sqlite else sorted(set(words))
                found += [{"key": row.place if key == "place" else row.id, "tokens": tokens}] if words else []
        if found:
            connection.execute(sa.text(add), found)


def _normal(text: str) -> str:
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())


def _words(text: str) -> list[str]:
    """Hangul and CJK as characters and pairs, the rest as words."""
    tokens: list[str] = []
    for found in _RUN.finditer(_normal(text)):
        word = found[0]
        if _IS_SYLLABIC.match(word):
            tokens += [*word, *(word[place : place + 2] for place in range(len(word) - 1))]
        else:
            tokens.append(word[:64])
    return tokens


def _circumstances(row: sa.Row[tuple[object, ...]]) -> list[str]:
    """Who, where, whether there is a link, in which meeting: tokens that no text has."""
    tokens = [f"\ue000{_normal(row.nick).encode().hex()}", f"\ue001{_normal(row.channel).encode().hex()}"]
    tokens += ["\ue002"] if _LINK.search(row.text) else []
    return [*tokens, f"\ue003{row.meeting}"] if row.meeting else tokens


def _second(at: datetime | str) -> int:
    """The second of a moment, which SQLite gives as text in UTC."""
    moment = datetime.fromisoformat(at) if isinstance(at, str) else at
    return int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp())
