# SPDX-License-Identifier: Apache-2.0
"""What was merged together, which change a change takes back, and which patch set it was picked from."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0023_made_of"
down_revision = "0022_edits"
branch_labels = None
depends_on = None

_COLUMNS = ("revert_of", "picked_change", "picked_patch_set")
_INDEXED = ("submission", "revert_of", "picked_change")


def upgrade() -> None:
    for name in _COLUMNS:
        op.add_column("review_changes", sa.Column(name, sa.Integer()))
    op.add_column("review_changes", sa.Column("submission", sa.String(length=80), nullable=False, server_default=""))
    for name in _INDEXED:
        op.create_index(f"ix_review_changes_{name}", "review_changes", [name])


def downgrade() -> None:
    for name in _INDEXED:
        op.drop_index(f"ix_review_changes_{name}", "review_changes")
    for name in ("submission", *_COLUMNS):
        op.drop_column("review_changes", name)
