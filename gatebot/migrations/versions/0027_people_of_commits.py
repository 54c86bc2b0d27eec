# SPDX-License-Identifier: Apache-2.0
"""Indexes of who wrote and who committed: queries ask first how people are spelled, then for their commits."""

from __future__ import annotations

from alembic import op

revision = "0027_people_of_commits"
down_revision = "0023_made_of"
branch_labels = None
depends_on = None

_COLUMNS = ("author_email", "author_name", "committer_email", "committer_name")


def upgrade() -> None:
    for column in _COLUMNS:
        op.create_index(f"ix_review_patch_sets_{column}", "review_patch_sets", [column])


def downgrade() -> None:
    for column in _COLUMNS:
        op.drop_index(f"ix_review_patch_sets_{column}", "review_patch_sets")
