# SPDX-License-Identifier: Apache-2.0
"""Why and when what builds left was taken away."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0016_taken"
down_revision = "0015_given_nodes"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("pipeline_builds", sa.Column("taken", sa.Text(), nullable=False, server_default=""))


def downgrade() -> None:
    op.drop_column("pipeline_builds", "taken")
