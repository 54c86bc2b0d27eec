# SPDX-License-Identifier: Apache-2.0
"""What comments suggest to write instead."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0031_fixes"
down_revision = "0029_joining"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for table in ("review_comments", "review_drafts"):
        op.add_column(table, sa.Column("fixes", sa.Text(), nullable=False, server_default=""))


def downgrade() -> None:
    for table in ("review_comments", "review_drafts"):
        op.drop_column(table, "fixes")
