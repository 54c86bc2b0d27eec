# SPDX-License-Identifier: Apache-2.0
"""Errors of a configuration that an administrator accepts for a time."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0011_accepted_errors"
down_revision = "0010_secret_data"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "pipeline_accepted_errors",
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("key", sa.String(length=16), nullable=False),
        sa.Column("project", sa.Text(), nullable=False),
        sa.Column("owner", sa.Text(), nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column("account", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("until", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("tenant", "key", name=op.f("pk_pipeline_accepted_errors")),
    )


def downgrade() -> None:
    op.drop_table("pipeline_accepted_errors")
