# SPDX-License-Identifier: Apache-2.0
"""What trackers elsewhere are still to be told."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0033_trackers"
down_revision = "0032_webhooks"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "review_tracker_deliveries",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("tracker", sa.String(length=80), nullable=False),
        sa.Column("key", sa.String(length=80), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("due", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created", sa.DateTime(timezone=True), nullable=False),
        sa.Column("problem", sa.Text(), nullable=False, server_default=""),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_review_tracker_deliveries")),
    )
    op.create_index("ix_review_tracker_deliveries_due", "review_tracker_deliveries", ["tracker", "due"])


def downgrade() -> None:
    op.drop_table("review_tracker_deliveries")
