# SPDX-License-Identifier: Apache-2.0
"""What the nodes of builds were: architecture, execution, provider, executor."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0015_given_nodes"
down_revision = "0014_assignments"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("pipeline_builds", sa.Column("nodes", sa.Text(), nullable=False, server_default="[]"))


def downgrade() -> None:
    op.drop_column("pipeline_builds", "nodes")
