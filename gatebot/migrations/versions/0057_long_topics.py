# SPDX-License-Identifier: Apache-2.0
"""Topics as long as Gerrit takes them: a row of PostgreSQL's usual index holds 2,704 bytes, its hash index any text."""

from __future__ import annotations

from alembic import op

revision = "0057_long_topics"
down_revision = "0056_reviewer_updates"
branch_labels = None
depends_on = None

_NAME = "ix_review_changes_topic"


def upgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        op.drop_index(_NAME, "review_changes")
        op.create_index(_NAME, "review_changes", ["topic"], postgresql_using="hash")


def downgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        op.drop_index(_NAME, "review_changes")
        op.create_index(_NAME, "review_changes", ["topic"])
