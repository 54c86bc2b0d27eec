# SPDX-License-Identifier: Apache-2.0
"""What people keep for themselves: stars, watched projects, preferences, files that were read."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0018_kept_by_people"
down_revision = "0016_taken"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "review_stars",
        sa.Column("account", sa.Integer(), nullable=False),
        sa.Column("change", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["change"], ["review_changes.number"], name=op.f("fk_review_stars_change")),
        sa.PrimaryKeyConstraint("account", "change", name=op.f("pk_review_stars")),
    )
    op.create_index("ix_review_stars_change", "review_stars", ["change"])
    op.create_table(
        "review_watches",
        sa.Column("account", sa.Integer(), nullable=False),
        sa.Column("project", sa.String(length=255), nullable=False),
        sa.Column("filter", sa.String(length=500), nullable=False),
        sa.Column("kinds", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("account", "project", "filter", name=op.f("pk_review_watches")),
    )
    op.create_table(
        "review_preferences",
        sa.Column("account", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("chosen", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("account", "kind", name=op.f("pk_review_preferences")),
    )
    op.create_table(
        "review_reviewed",
        sa.Column("account", sa.Integer(), nullable=False),
        sa.Column("change", sa.Integer(), nullable=False),
        sa.Column("patch_set", sa.Integer(), nullable=False),
        sa.Column("file", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["change"], ["review_changes.number"], name=op.f("fk_review_reviewed_change")),
        sa.PrimaryKeyConstraint("account", "change", "patch_set", "file", name=op.f("pk_review_reviewed")),
    )


def downgrade() -> None:
    for table in ("review_reviewed", "review_preferences", "review_watches", "review_stars"):
        op.drop_table(table)
