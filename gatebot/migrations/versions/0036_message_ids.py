# SPDX-License-Identifier: Apache-2.0
"""The network's own ids of messages: none is kept twice."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0036_message_ids"
down_revision = "0033_trackers"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("irc_line", sa.Column("msgid", sa.Text(), nullable=True))
    there = sa.text("msgid IS NOT NULL")
    op.create_index(
        "ix_irc_line_msgid",
        "irc_line",
        ["network", "channel", "msgid"],
        unique=True,
        sqlite_where=there,
        postgresql_where=there,
    )


def downgrade() -> None:
    op.drop_index("ix_irc_line_msgid", "irc_line")
    op.drop_column("irc_line", "msgid")
