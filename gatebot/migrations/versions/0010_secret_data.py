# SPDX-License-Identifier: Apache-2.0
"""What builds return as secret, sealed."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0010_secret_data"
down_revision = "0009_provides"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "pipeline_secret_data",
        sa.Column("build", sa.String(length=32), nullable=False),
        sa.Column("sealed", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("build", name=op.f("pk_pipeline_secret_data")),
    )


def downgrade() -> None:
    op.drop_table("pipeline_secret_data")
