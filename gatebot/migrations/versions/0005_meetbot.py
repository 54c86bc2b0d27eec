# SPDX-License-Identifier: Apache-2.0
"""The meetbot: lines of channels with their search index, meetings, the entries of their record."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005_meetbot"
down_revision = "0003_pipeline"
branch_labels = None
depends_on = None

_serial = sa.BigInteger().with_variant(sa.Integer, "sqlite")
_SEARCH = {
    "sqlite": [
        "CREATE VIRTUAL TABLE irc_line_search USING fts5(tokens, content='', tokenize='unicode61 remove_diacritics 0')"
    ],
    "postgresql": [
        "CREATE TABLE irc_line_search (line bigint PRIMARY KEY, vector tsvector NOT NULL)",
        "CREATE INDEX ix_irc_line_search_vector ON irc_line_search USING gin (vector)",
    ],
}


def upgrade() -> None:
    op.create_table(
        "irc_line",
        sa.Column("id", _serial, nullable=False),
        sa.Column("network", sa.Text(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("nick", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("own", sa.Boolean(), nullable=False),
        sa.Column("account", sa.Text(), nullable=True),
        sa.Column("meeting", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_irc_line")),
    )
    op.create_index("ix_irc_line_channel_at", "irc_line", ["channel", "at"])
    op.create_index("ix_irc_line_meeting", "irc_line", ["meeting", "id"])
    op.create_table(
        "meeting",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("network", sa.Text(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("started", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended", sa.DateTime(timezone=True), nullable=True),
        sa.Column("location", sa.Text(), nullable=False),
        sa.Column("said", sa.Integer(), nullable=False),
        sa.Column("state", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_meeting")),
        sa.UniqueConstraint("location", name=op.f("uq_meeting_location")),
    )
    op.create_index("ix_meeting_running", "meeting", ["network", "channel", "ended"])
    op.create_table(
        "meeting_entry",
        sa.Column("meeting", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("nick", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("log_line", sa.Integer(), nullable=False),
        sa.Column("line", _serial, nullable=False),
        sa.PrimaryKeyConstraint("meeting", "number", name=op.f("pk_meeting_entry")),
    )
    for statement in _SEARCH[op.get_bind().dialect.name]:
        op.execute(statement)


def downgrade() -> None:
    for table in ("irc_line_search", "meeting_entry", "meeting", "irc_line"):
        op.drop_table(table)
