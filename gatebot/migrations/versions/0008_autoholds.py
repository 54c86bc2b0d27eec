# SPDX-License-Identifier: Apache-2.0
"""Requests to keep the nodes of failed builds, and what they keep."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008_autoholds"
down_revision = "0007_gerrit"
branch_labels = None
depends_on = None

_serial = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    op.create_table(
        "pipeline_autoholds",
        sa.Column("id", _serial, nullable=False),
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("project", sa.Text(), nullable=False),
        sa.Column("job", sa.Text(), nullable=False),
        sa.Column("ref_filter", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("used", sa.Integer(), server_default="0", nullable=False),
        sa.Column("seconds", sa.Integer(), nullable=True),
        sa.Column("account", sa.Integer(), nullable=False),
        sa.Column("created", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_pipeline_autoholds")),
    )
    op.create_index("ix_pipeline_autoholds_job", "pipeline_autoholds", ["tenant", "project", "job"])
    op.create_table(
        "pipeline_held_builds",
        sa.Column("build", sa.String(length=32), nullable=False),
        sa.Column("request", _serial, nullable=False),
        sa.Column("node", sa.Text(), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("until", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("build", name=op.f("pk_pipeline_held_builds")),
    )
    op.create_index("ix_pipeline_held_builds_request", "pipeline_held_builds", ["request"])


def downgrade() -> None:
    op.drop_table("pipeline_held_builds")
    op.drop_table("pipeline_autoholds")
