# SPDX-License-Identifier: Apache-2.0
"""Who became a reviewer of a change, or was taken from them, when and by whom."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0056_reviewer_updates"
down_revision = "0055_pure_reverts"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "review_reviewer_updates",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("change", sa.Integer(), nullable=False),
        sa.Column("account", sa.Integer(), nullable=False),
        sa.Column("by", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(20), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["change"], ["review_changes.number"], name=op.f("fk_review_reviewer_updates_change")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_review_reviewer_updates")),
    )
    op.create_index("ix_review_reviewer_updates_change", "review_reviewer_updates", ["change"])


def downgrade() -> None:
    op.drop_table("review_reviewer_updates")
