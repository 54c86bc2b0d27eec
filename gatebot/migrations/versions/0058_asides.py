# SPDX-License-Identifier: Apache-2.0
"""What the bot itself says of a change is no place where people speak of it: such mentions go."""

from __future__ import annotations

from alembic import op

revision = "0058_asides"
down_revision = "0057_long_topics"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("DELETE FROM mention WHERE source IN (SELECT 'line/' || id FROM irc_line WHERE own)")


def downgrade() -> None:
    """They are made from lines, which are all still there."""
