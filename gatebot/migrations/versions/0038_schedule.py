# SPDX-License-Identifier: Apache-2.0
"""What became of planned meetings, and their agendas."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from gatebot.db import utc

revision = "0038_schedule"
down_revision = "0045_keyed_values"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "meeting_date",
        sa.Column("key", sa.Text(), primary_key=True),
        sa.Column("starts", utc(), primary_key=True),
        sa.Column("ends", utc(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("project", sa.Text(), nullable=False),
        sa.Column("outcome", sa.Text()),
    )
    op.create_index("ix_meeting_date_outcome", "meeting_date", ["outcome", "ends"])
    op.create_table(
        "meeting_agenda",
        sa.Column("name", sa.Text(), primary_key=True),
        sa.Column("version", sa.Integer(), primary_key=True, autoincrement=False),
        sa.Column("at", utc(), nullable=False),
        sa.Column("author", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
    )


def downgrade() -> None:
    op.drop_table("meeting_agenda")
    op.drop_index("ix_meeting_date_outcome", "meeting_date")
    op.drop_table("meeting_date")
