# SPDX-License-Identifier: Apache-2.0
"""The pipeline room: stays in queues, builds, frozen jobs, the snapshot of the queues."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003_pipeline"
down_revision = "0002_review"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "pipeline_builds",
        sa.Column("uuid", sa.String(length=32), nullable=False),
        sa.Column("buildset", sa.String(length=32), nullable=False),
        sa.Column("item", sa.String(length=32), nullable=False),
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("pipeline", sa.Text(), nullable=False),
        sa.Column("job", sa.Text(), nullable=False),
        sa.Column("project", sa.Text(), nullable=False),
        sa.Column("branch", sa.Text(), nullable=False),
        sa.Column("change", sa.Integer(), nullable=True),
        sa.Column("patch_set", sa.Integer(), nullable=True),
        sa.Column("voting", sa.Boolean(), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("fence", sa.Integer(), nullable=False),
        sa.Column("result", sa.String(length=40), server_default="", nullable=False),
        sa.Column("node", sa.Text(), server_default="", nullable=False),
        sa.Column("reason", sa.Text(), server_default="", nullable=False),
        sa.Column("created", sa.DateTime(timezone=True), nullable=False),
        sa.Column("started", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended", sa.DateTime(timezone=True), nullable=True),
        sa.Column("error_line", sa.Integer(), server_default="0", nullable=False),
        sa.Column("error_text", sa.Text(), server_default="", nullable=False),
        sa.Column("artifacts", sa.Text(), server_default="[]", nullable=False),
        sa.Column("data", sa.Text(), server_default="{}", nullable=False),
        sa.PrimaryKeyConstraint("uuid", name=op.f("pk_pipeline_builds")),
    )
    op.create_index("ix_pipeline_builds_change", "pipeline_builds", ["change", "created"], unique=False)
    op.create_index("ix_pipeline_builds_created", "pipeline_builds", ["created"], unique=False)
    op.create_index("ix_pipeline_builds_item", "pipeline_builds", ["item"], unique=False)
    op.create_index("ix_pipeline_builds_job", "pipeline_builds", ["job", "created"], unique=False)
    op.create_table(
        "pipeline_items",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("pipeline", sa.Text(), nullable=False),
        sa.Column("queue", sa.Text(), nullable=False),
        sa.Column("project", sa.Text(), nullable=False),
        sa.Column("branch", sa.Text(), nullable=False),
        sa.Column("change", sa.Integer(), nullable=True),
        sa.Column("patch_set", sa.Integer(), nullable=True),
        sa.Column("resets", sa.Integer(), server_default="0", nullable=False),
        sa.Column("enqueued", sa.DateTime(timezone=True), nullable=False),
        sa.Column("left", sa.DateTime(timezone=True), nullable=True),
        sa.Column("outcome", sa.String(length=20), server_default="", nullable=False),
        sa.Column("reason", sa.Text(), server_default="", nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_pipeline_items")),
    )
    op.create_index("ix_pipeline_items_change", "pipeline_items", ["change", "enqueued"], unique=False)
    op.create_index("ix_pipeline_items_left", "pipeline_items", ["left"], unique=False)
    op.create_table(
        "pipeline_jobs",
        sa.Column("definition", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("definition", name=op.f("pk_pipeline_jobs")),
    )
    op.create_table(
        "pipeline_snapshots",
        sa.Column("name", sa.String(length=40), nullable=False),
        sa.Column("upto", sa.BigInteger(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_pipeline_snapshots")),
    )


def downgrade() -> None:
    op.drop_table("pipeline_snapshots")
    op.drop_table("pipeline_jobs")
    op.drop_index("ix_pipeline_items_left", table_name="pipeline_items")
    op.drop_index("ix_pipeline_items_change", table_name="pipeline_items")
    op.drop_table("pipeline_items")
    op.drop_index("ix_pipeline_builds_job", table_name="pipeline_builds")
    op.drop_index("ix_pipeline_builds_item", table_name="pipeline_builds")
    op.drop_index("ix_pipeline_builds_created", table_name="pipeline_builds")
    op.drop_index("ix_pipeline_builds_change", table_name="pipeline_builds")
    op.drop_table("pipeline_builds")
