# SPDX-License-Identifier: Apache-2.0
"""What channels are still to be told of changes."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0039_announcements"
down_revision = "0035_places"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "irc_announcement",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("network", sa.Text(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("heading", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("created", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_irc_announcement")),
    )


def downgrade() -> None:
    op.drop_table("irc_announcement")
