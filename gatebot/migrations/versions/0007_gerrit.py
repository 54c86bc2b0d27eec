# SPDX-License-Identifier: Apache-2.0
"""The pipeline room: what is known of other Gerrits whose changes are gated here."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007_gerrit"
down_revision = "0006_keys"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "gerrit_sites",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("space", sa.Integer(), nullable=False),
        sa.Column("seen", sa.Text(), server_default="", nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_gerrit_sites")),
    )
    op.create_table(
        "gerrit_changes",
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("project", sa.Text(), nullable=False),
        sa.Column("status", sa.String(length=20), nullable=False),
        sa.Column("commit", sa.String(length=64), nullable=False),
        sa.Column("change_id", sa.String(length=64), nullable=False),
        sa.Column("private", sa.Boolean(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_gerrit_changes")),
    )
    op.create_index("ix_gerrit_changes_commit", "gerrit_changes", ["commit"], unique=False)
    op.create_index("ix_gerrit_changes_change_id", "gerrit_changes", ["change_id"], unique=False)
    op.create_index("ix_gerrit_changes_status", "gerrit_changes", ["status"], unique=False)
    op.create_table(
        "gerrit_people",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("username", sa.Text(), nullable=False),
        sa.Column("email", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_gerrit_people")),
    )
    op.create_table(
        "gerrit_branches",
        sa.Column("project", sa.Text(), nullable=False),
        sa.Column("branch", sa.Text(), nullable=False),
        sa.Column("commit", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("project", "branch", name=op.f("pk_gerrit_branches")),
    )
    op.create_table(
        "gerrit_reports",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_gerrit_reports")),
    )


def downgrade() -> None:
    for table in ("gerrit_reports", "gerrit_branches", "gerrit_people", "gerrit_changes", "gerrit_sites"):
        op.drop_table(table)
