# SPDX-License-Identifier: Apache-2.0
"""What was brought from another Gerrit, and further addresses of accounts."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0034_imports"
down_revision = "0036_message_ids"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "review_imports",
        sa.Column("source", sa.String(length=255), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("theirs", sa.Text(), nullable=False),
        sa.Column("here", sa.Text(), nullable=False),
        sa.Column("seen", sa.Text(), nullable=False, server_default=""),
        sa.PrimaryKeyConstraint("source", "kind", "theirs", name=op.f("pk_review_imports")),
    )
    op.create_table(
        "account_email",
        sa.Column("folded", sa.Text(), nullable=False),
        sa.Column("email", sa.Text(), nullable=False),
        sa.Column("account", sa.Integer(), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["account"], ["account.id"], name=op.f("fk_account_email_account")),
        sa.PrimaryKeyConstraint("folded", name=op.f("pk_account_email")),
    )
    op.create_index("ix_account_email_account", "account_email", ["account"])


def downgrade() -> None:
    op.drop_table("account_email")
    op.drop_table("review_imports")
