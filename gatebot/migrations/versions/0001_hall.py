# SPDX-License-Identifier: Apache-2.0
"""The hall: journal, accounts, groups, tokens, sessions, mentions."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from gatebot.db import utc

revision = "0001_hall"
down_revision = None
branch_labels = None
depends_on = None

GROUPS = (
    ("Administrators", "May do everything and change the site's settings."),
    ("Core", "Approve changes: Code-Review up to +2, Workflow, submit."),
    ("Service Users", "Programs: the gate's own account and other CI systems, which vote Verified."),
)


def upgrade() -> None:
    op.create_table(
        "journal",
        sa.Column("id", sa.BigInteger, autoincrement=False, nullable=False),
        sa.Column("at", utc, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("subject", sa.Text, nullable=False),
        sa.Column("body", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_journal"),
    )
    op.create_index("ix_journal_subject", "journal", ["subject", "id"])
    op.create_table(
        "journal_clock",
        sa.Column("id", sa.Integer, autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_journal_clock"),
    )
    op.create_table(
        "journal_cursor",
        sa.Column("reader", sa.Text, nullable=False),
        sa.Column("id", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("reader", name="pk_journal_cursor"),
    )
    op.create_table(
        "account",
        sa.Column("id", sa.Integer, autoincrement=False, nullable=False),
        sa.Column("username", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("email", sa.Text, nullable=False),
        sa.Column("active", sa.Boolean, nullable=False),
        sa.Column("password", sa.Text, nullable=True),
        sa.Column("created", utc, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_account"),
        sa.UniqueConstraint("username", name="uq_account_username"),
        sa.UniqueConstraint("email", name="uq_account_email"),
    )
    groups = op.create_table(
        "account_group",
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("description", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_account_group"),
    )
    op.bulk_insert(groups, [{"name": name, "description": description} for name, description in GROUPS])
    op.create_table(
        "account_member",
        sa.Column("account", sa.Integer, nullable=False),
        sa.Column("group", sa.Text, nullable=False),
        sa.ForeignKeyConstraint(["account"], ["account.id"], name="fk_account_member_account"),
        sa.ForeignKeyConstraint(["group"], ["account_group.name"], name="fk_account_member_group"),
        sa.PrimaryKeyConstraint("account", "group", name="pk_account_member"),
    )
    op.create_table(
        "account_token",
        sa.Column("hash", sa.Text, nullable=False),
        sa.Column("account", sa.Integer, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("created", utc, nullable=False),
        sa.ForeignKeyConstraint(["account"], ["account.id"], name="fk_account_token_account"),
        sa.PrimaryKeyConstraint("hash", name="pk_account_token"),
        sa.UniqueConstraint("account", "name", name="uq_account_token_account_name"),
    )
    op.create_table(
        "account_session",
        sa.Column("hash", sa.Text, nullable=False),
        sa.Column("account", sa.Integer, nullable=False),
        sa.Column("expires", utc, nullable=False),
        sa.ForeignKeyConstraint(["account"], ["account.id"], name="fk_account_session_account"),
        sa.PrimaryKeyConstraint("hash", name="pk_account_session"),
    )
    op.create_index("ix_account_session_account", "account_session", ["account"])
    op.create_table(
        "mention",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("at", utc, nullable=False),
        sa.Column("target", sa.String(80), nullable=False),
        sa.Column("source", sa.String(120), nullable=False),
        sa.Column("path", sa.Text, nullable=False),
        sa.Column("who", sa.Text, nullable=False),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("meeting", sa.Integer, server_default="0", nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_mention"),
        sa.UniqueConstraint("target", "source", name="uq_mention_target_source"),
    )
    op.create_index("ix_mention_target", "mention", ["target"])
    op.create_index("ix_mention_meeting", "mention", ["meeting"])
    op.create_table(
        "mention_meeting",
        sa.Column("meeting", sa.Integer, autoincrement=False, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("path", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("meeting", name="pk_mention_meeting"),
    )


def downgrade() -> None:
    for table in (
        "mention_meeting",
        "mention",
        "account_session",
        "account_token",
        "account_member",
        "account_group",
        "account",
        "journal_cursor",
        "journal_clock",
        "journal",
    ):
        op.drop_table(table)
