# SPDX-License-Identifier: Apache-2.0
"""What accounts say of themselves: how they want to be called, and whether they are away."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0054_said_of_oneself"
down_revision = "0053_meetings_by_time"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for name in ("display_name", "status"):
        op.add_column("account", sa.Column(name, sa.Text(), nullable=False, server_default=""))


def downgrade() -> None:
    for name in ("status", "display_name"):
        op.drop_column("account", name)
