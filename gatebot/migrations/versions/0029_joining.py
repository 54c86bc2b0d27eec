# SPDX-License-Identifier: Apache-2.0
"""Accounts that somebody asked for by mail, and those that an OpenID Connect provider knows."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0029_joining"
down_revision = "0028_mail"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "account_pending",
        sa.Column("hash", sa.Text(), nullable=False),
        sa.Column("username", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("email", sa.Text(), nullable=False),
        sa.Column("expires", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("hash", name=op.f("pk_account_pending")),
    )
    op.create_table(
        "account_external",
        sa.Column("issuer", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("account", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["account"], ["account.id"], name=op.f("fk_account_external_account")),
        sa.PrimaryKeyConstraint("issuer", "subject", name=op.f("pk_account_external")),
    )
    op.create_index(op.f("ix_account_external_account"), "account_external", ["account"])


def downgrade() -> None:
    op.drop_table("account_external")
    op.drop_table("account_pending")
