# SPDX-License-Identifier: Apache-2.0
"""The public keys by which SSH knows who connects."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from gatebot.db import utc

revision = "0017_ssh_keys"
down_revision = "0019_groups"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "account_ssh_key",
        sa.Column("account", sa.Integer(), sa.ForeignKey("account.id"), primary_key=True),
        sa.Column("seq", sa.Integer(), primary_key=True, autoincrement=False),
        sa.Column("algorithm", sa.Text(), nullable=False),
        sa.Column("encoded", sa.Text(), nullable=False),
        sa.Column("comment", sa.Text(), nullable=False),
        sa.Column("created", utc, nullable=False),
        sa.UniqueConstraint("account", "encoded"),
    )


def downgrade() -> None:
    op.drop_table("account_ssh_key")
