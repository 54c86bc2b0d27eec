# SPDX-License-Identifier: Apache-2.0
"""Which changes are said to fix what trackers know."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0052_fixes"
down_revision = "0051_boards"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "review_fixes",
        sa.Column("change", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("part", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("change", "url", name=op.f("pk_review_fixes")),
    )
    op.create_index("ix_review_fixes_url", "review_fixes", ["url", "change"])


def downgrade() -> None:
    op.drop_table("review_fixes")
