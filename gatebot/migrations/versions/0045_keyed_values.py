# SPDX-License-Identifier: Apache-2.0
"""Pairs of texts that programs keep with changes."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0045_keyed_values"
down_revision = "0037_actions"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "review_keyed_values",
        sa.Column("change", sa.Integer(), nullable=False),
        sa.Column("key", sa.String(100), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["change"], ["review_changes.number"], name=op.f("fk_review_keyed_values_change_review_changes")
        ),
        sa.PrimaryKeyConstraint("change", "key", name=op.f("pk_review_keyed_values")),
    )


def downgrade() -> None:
    op.drop_table("review_keyed_values")
