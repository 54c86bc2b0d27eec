# SPDX-License-Identifier: Apache-2.0
"""What people have written into changes without a clone, and not published."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0022_edits"
down_revision = "0021_turns"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "review_edits",
        sa.Column("change", sa.Integer(), nullable=False),
        sa.Column("account", sa.Integer(), nullable=False),
        sa.Column("base", sa.Integer(), nullable=False),
        sa.Column("commit", sa.String(length=64), nullable=False),
        sa.Column("updated", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["change"], ["review_changes.number"], name=op.f("fk_review_edits_change")),
        sa.PrimaryKeyConstraint("change", "account", name=op.f("pk_review_edits")),
    )


def downgrade() -> None:
    op.drop_table("review_edits")
