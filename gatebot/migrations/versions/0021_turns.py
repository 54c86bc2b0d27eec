# SPDX-License-Identifier: Apache-2.0
"""Comments that are not published yet, and whose turn it is."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0021_turns"
down_revision = "0020_search"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "review_attention",
        sa.Column("change", sa.Integer(), nullable=False),
        sa.Column("account", sa.Integer(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["change"], ["review_changes.number"], name=op.f("fk_review_attention_change")),
        sa.PrimaryKeyConstraint("change", "account", name=op.f("pk_review_attention")),
    )
    op.create_index("ix_review_attention_account", "review_attention", ["account", "active"])
    op.create_table(
        "review_drafts",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("change", sa.Integer(), nullable=False),
        sa.Column("patch_set", sa.Integer(), nullable=False),
        sa.Column("account", sa.Integer(), nullable=False),
        sa.Column("updated", sa.DateTime(timezone=True), nullable=False),
        sa.Column("file", sa.Text(), nullable=False),
        sa.Column("line", sa.Integer(), nullable=True),
        sa.Column("side", sa.String(length=10), nullable=False),
        sa.Column("range", sa.String(length=80), server_default="", nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("in_reply_to", sa.String(length=40), server_default="", nullable=False),
        sa.Column("unresolved", sa.Boolean(), nullable=True),
        sa.ForeignKeyConstraint(["change"], ["review_changes.number"], name=op.f("fk_review_drafts_change")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_review_drafts")),
    )
    op.create_index("ix_review_drafts_account", "review_drafts", ["account", "change"])


def downgrade() -> None:
    op.drop_table("review_drafts")
    op.drop_table("review_attention")
