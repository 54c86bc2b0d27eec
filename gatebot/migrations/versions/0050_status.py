# SPDX-License-Identifier: Apache-2.0
"""The status that people tell, what channels are still to be told of it, and topics that alerts stand in the place of."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0050_status"
down_revision = "0046_neighbours"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "status_entry",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("nick", sa.Text(), nullable=False),
        sa.Column("username", sa.Text(), nullable=False),
        sa.Column("network", sa.Text(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("line", sa.BigInteger(), nullable=False),
        sa.Column("path", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_status_entry")),
    )
    op.create_index("ix_status_entry_kind", "status_entry", ["kind", "id"])
    op.create_table(
        "status_delivery",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("entry", sa.Integer(), nullable=False),
        sa.Column("network", sa.Text(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("notice", sa.Boolean(), nullable=False),
        sa.Column("last", sa.Boolean(), nullable=False),
        sa.Column("created", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_status_delivery")),
    )
    op.create_table(
        "status_topic",
        sa.Column("network", sa.Text(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("before", sa.Text(), nullable=False),
        sa.Column("alert", sa.Text(), nullable=False),
        sa.Column("stands", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("network", "channel", name=op.f("pk_status_topic")),
    )


def downgrade() -> None:
    op.drop_table("status_topic")
    op.drop_table("status_delivery")
    op.drop_table("status_entry")
