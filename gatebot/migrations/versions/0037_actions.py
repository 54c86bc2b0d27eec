# SPDX-License-Identifier: Apache-2.0
"""The register of actions across meetings; those of meetings that were held before are taken into it as open."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0037_actions"
down_revision = "0039_announcements"
branch_labels = None
depends_on = None

# What stands in the records: an action that no `#undo` took out. One row a meeting's line, as far as nothing was undone.
_OLD = """
INSERT INTO meeting_action
    (meeting, log_line, name, channel, at, nick, text, line, people, closed_by, how, reference)
SELECT e.meeting, e.log_line, m.name, m.channel, e.at, e.nick, e.text, e.line, '', '', '', ''
FROM meeting_entry e JOIN meeting m ON m.id = e.meeting
WHERE e.kind = 'action' AND NOT EXISTS (
    SELECT 1 FROM meeting_entry u WHERE u.meeting = e.meeting AND u.kind = 'undo' AND u.number > e.number
)
"""


def upgrade() -> None:
    op.create_table(
        "meeting_action",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("meeting", sa.Integer(), nullable=False),
        sa.Column("log_line", sa.Integer(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("nick", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("line", sa.BigInteger(), nullable=False),
        sa.Column("people", sa.Text(), nullable=False),
        sa.Column("closed", sa.DateTime(timezone=True), nullable=True),
        sa.Column("closed_by", sa.Text(), nullable=False),
        sa.Column("how", sa.Text(), nullable=False),
        sa.Column("reference", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_meeting_action")),
        sa.UniqueConstraint("meeting", "log_line", name=op.f("uq_meeting_action_meeting_log_line")),
    )
    op.create_index("ix_meeting_action_closed", "meeting_action", ["closed", "name"])
    op.execute(_OLD)


def downgrade() -> None:
    op.drop_table("meeting_action")
