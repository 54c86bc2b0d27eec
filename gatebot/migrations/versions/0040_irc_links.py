# SPDX-License-Identifier: Apache-2.0
"""Who on IRC is whose account."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0040_irc_links"
down_revision = "0038_schedule"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "irc_link",
        sa.Column("network", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("account", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("network", "name", name=op.f("pk_irc_link")),
    )
    op.create_table(
        "irc_link_code",
        sa.Column("account", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("until", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("account", name=op.f("pk_irc_link_code")),
    )


def downgrade() -> None:
    op.drop_table("irc_link_code")
    op.drop_table("irc_link")
