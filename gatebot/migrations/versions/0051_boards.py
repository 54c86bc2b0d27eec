# SPDX-License-Identifier: Apache-2.0
"""What happened to the boards of events."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0051_boards"
down_revision = "0050_status"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "board_fact",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("board", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("verb", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("nick", sa.Text(), nullable=False),
        sa.Column("line", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_board_fact")),
    )
    op.create_index("ix_board_fact_board", "board_fact", ["board", "id"])


def downgrade() -> None:
    op.drop_table("board_fact")
