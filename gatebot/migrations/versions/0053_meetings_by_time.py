# SPDX-License-Identifier: Apache-2.0
"""Meetings by when they began: those of old logs come later than newer ones."""

from __future__ import annotations

from alembic import op

revision = "0053_meetings_by_time"
down_revision = "0052_fixes"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("ix_meeting_started", "meeting", ["started"])
    op.create_index("ix_meeting_name", "meeting", ["name", "started"])


def downgrade() -> None:
    op.drop_index("ix_meeting_name", "meeting")
    op.drop_index("ix_meeting_started", "meeting")
