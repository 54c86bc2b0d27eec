# SPDX-License-Identifier: Apache-2.0
"""Executors on other machines, and the builds that they claimed."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0013_executors"
down_revision = "0012_third_party"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "executor_executors",
        sa.Column("name", sa.String(length=40), nullable=False),
        sa.Column("token", sa.String(length=64), nullable=False),
        sa.Column("created", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires", sa.DateTime(timezone=True), nullable=True),
        sa.Column("key", sa.String(length=64), server_default="", nullable=False),
        sa.Column("version", sa.Text(), server_default="", nullable=False),
        sa.Column("slots", sa.Integer(), server_default="0", nullable=False),
        sa.Column("abilities", sa.Text(), server_default="{}", nullable=False),
        sa.Column("heard", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_executor_executors")),
    )
    op.create_table(
        "executor_claims",
        sa.Column("build", sa.String(length=32), nullable=False),
        sa.Column("fence", sa.Integer(), nullable=False),
        sa.Column("executor", sa.String(length=40), nullable=False),
        sa.Column("log_base", sa.BigInteger(), nullable=False),
        sa.Column("heard", sa.DateTime(timezone=True), nullable=False),
        sa.Column("checkouts", sa.Text(), server_default="[]", nullable=False),
        sa.PrimaryKeyConstraint("build", name=op.f("pk_executor_claims")),
    )


def downgrade() -> None:
    op.drop_table("executor_claims")
    op.drop_table("executor_executors")
