# SPDX-License-Identifier: Apache-2.0
"""What builds were given, so that they can be reproduced."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0014_assignments"
down_revision = "0013_executors"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "pipeline_assignments",
        sa.Column("build", sa.String(length=32), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("build", name=op.f("pk_pipeline_assignments")),
    )


def downgrade() -> None:
    op.drop_table("pipeline_assignments")
