# SPDX-License-Identifier: Apache-2.0
"""How far each webhook is."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0032_webhooks"
down_revision = "0031_fixes"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "review_webhooks",
        sa.Column("name", sa.String(length=255), nullable=False),
        sa.Column("upto", sa.BigInteger(), nullable=False),
        sa.Column("event", sa.BigInteger(), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=True),
        sa.Column("due", sa.DateTime(timezone=True), nullable=True),
        sa.Column("problem", sa.Text(), nullable=False),
        sa.Column("delivered", sa.DateTime(timezone=True), nullable=True),
        sa.Column("left_count", sa.Integer(), nullable=False),
        sa.Column("left_name", sa.Text(), nullable=False),
        sa.Column("left_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_review_webhooks")),
    )


def downgrade() -> None:
    op.drop_table("review_webhooks")
