# SPDX-License-Identifier: Apache-2.0
"""Key pairs of projects, for secrets."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006_keys"
down_revision = "0005_meetbot"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "project_keys",
        sa.Column("project", sa.Text(), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("public", sa.Text(), nullable=False),
        sa.Column("private", sa.Text(), nullable=False),
        sa.Column("created", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("project", "kind", name=op.f("pk_project_keys")),
    )


def downgrade() -> None:
    op.drop_table("project_keys")
