# SPDX-License-Identifier: Apache-2.0
"""Lines are found by words that are neighbours too, and PostgreSQL knows where each word stands."""

from __future__ import annotations

import re
import unicodedata
import zlib
from collections.abc import Iterator
from itertools import pairwise

import sqlalchemy as sa
from alembic import op

revision = "0046_neighbours"
down_revision = "0040_irc_links"
branch_labels = None
depends_on = None

_SEARCH = {
    "sqlite": [
        "CREATE VIRTUAL TABLE irc_line_search USING fts5(tokens, content='', tokenize='unicode61 remove_diacritics 0')"
    ],
    "postgresql": [
        "CREATE TABLE irc_line_search (place bigint PRIMARY KEY, vector tsvector NOT NULL)",
        "CREATE INDEX ix_irc_line_search_vector ON irc_line_search USING gin (vector)",
    ],
}
# The words of lines as they were told apart when this was written: a migration stays what it is.
_SYLLABIC = "\u1100-\u11ff\u3040-\u30ff\u3130-\u318f\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7a3\uf900-\ufaff"
_RUN = re.compile(rf"[{_SYLLABIC}]+|[^\W_{_SYLLABIC}]+")
_IS_SYLLABIC = re.compile(rf"[{_SYLLABIC}]")
_LINK = re.compile(r"\b(?:https?|ftp|irc|ssh)://\S|\bmailto:\S", re.IGNORECASE)
_BATCH = 5_000
_STANDING = 16_000
_REMOVED = "[removed by an administrator"
_CHANGES = "kind IN ('edited', 'struck', 'added')"


def upgrade() -> None:
    _index_anew(neighbours=True)
    op.create_index(
        "ix_meeting_entry_changes", "meeting_entry", ["at"],
        sqlite_where=sa.text(_CHANGES), postgresql_where=sa.text(_CHANGES),
    )  # fmt: skip


def downgrade() -> None:
    op.drop_index("ix_meeting_entry_changes", "meeting_entry")
    _index_anew(neighbours=False)


def _rows(connection: sa.Connection) -> Iterator[list[sa.Row[tuple[object, ...]]]]:
    """All lines that were said and still stand, some at a time."""
    newest = 0
    query = sa.text("SELECT * FROM irc_line WHERE id > :id ORDER BY id LIMIT :n")
    while rows := list(connection.execute(query, {"id": newest, "n": _BATCH})):
        newest = rows[-1].id
        yield [row for row in rows if row.kind in ("said", "me") and not row.text.startswith(_REMOVED)]


def _index_anew(*, neighbours: bool) -> None:
    """Make the index again, with or without neighbours."""
    connection = op.get_bind()
    sqlite = connection.dialect.name == "sqlite"
    op.drop_table("irc_line_search")
    for statement in _SEARCH[connection.dialect.name]:
        op.execute(statement)
    add = "INSERT INTO irc_line_search (place, vector) VALUES (:place, CAST(:tokens AS tsvector))"
    if sqlite:
        add = "INSERT INTO irc_line_search (rowid, tokens) VALUES (:place, :tokens)"
    for rows in _rows(connection):
        found: list[dict[str, object]] = []
        for row in rows:
            tokens = _tokens(row, neighbours=neighbours)
            told = " ".join(tokens) if sqlite else _vector(tokens)
            found.append({"place": row.place, "tokens": told})
        if found:
            connection.execute(sa.text(add), found)


def _vector(tokens: list[str]) -> str:
    return " ".join(f"'{token}':{place}" for place, token in enumerate(tokens[:_STANDING], 1))


def _tokens(row: sa.Row[tuple[object, ...]], *, neighbours: bool) -> list[str]:
    """Who, where, whether there is a link, in which meeting; the words; and those that are neighbours.

    Words of Hangul and CJK are found by their characters and pairs.
    """
    who = [f"\ue000{_normal(row.nick).encode().hex()}", f"\ue001{_normal(row.channel).encode().hex()}"]
    who += ["\ue002"] if _LINK.search(row.text) else []
    who += [f"\ue003{row.meeting}"] if row.meeting else []
    words = [found[0] for found in _RUN.finditer(_normal(row.text))]
    tokens: list[str] = []
    for word in words:
        if _IS_SYLLABIC.match(word):
            tokens += [*word, *(word[place : place + 2] for place in range(len(word) - 1))]
        else:
            tokens.append(word[:64])
    if not neighbours:  # As it was before: the index forgets a line only by the very tokens, in their order.
        return [*tokens, *who]
    return [*who, *tokens, *dict.fromkeys(_pair(*two) for two in pairwise(words))]


def _pair(first: str, second: str) -> str:
    return f"\ue004{zlib.crc32(f'{_stem(first)} {_stem(second)}'.encode()) % (1 << 20):05x}"


def _stem(word: str) -> str:
    return word[:2] if _IS_SYLLABIC.match(word) else word[:64]


def _normal(text: str) -> str:
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())
