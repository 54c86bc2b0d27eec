# SPDX-License-Identifier: Apache-2.0
"""Whether a patch set of a revert does nothing but undo the change that it reverts."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0055_pure_reverts"
down_revision = "0054_said_of_oneself"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("review_patch_sets", sa.Column("pure_revert", sa.Boolean(), nullable=True))


def downgrade() -> None:
    op.drop_column("review_patch_sets", "pure_revert")
