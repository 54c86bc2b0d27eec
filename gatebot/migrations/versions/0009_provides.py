# SPDX-License-Identifier: Apache-2.0
"""The pipeline room: which artifacts a build provides, for the jobs that require them later."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009_provides"
down_revision = "0008_autoholds"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("pipeline_builds", sa.Column("provides", sa.Text(), server_default="[]", nullable=False))


def downgrade() -> None:
    op.drop_column("pipeline_builds", "provides")
