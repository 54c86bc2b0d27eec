# SPDX-License-Identifier: Apache-2.0
"""Letters about changes, messages that wait to be sent, and projects that somebody wants no mail of."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0028_mail"
down_revision = "0027_people_of_commits"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "review_mail_letters",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("happening", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("month", sa.String(length=7), nullable=False),
        sa.Column("change", sa.Integer(), nullable=False),
        sa.Column("project", sa.String(length=255), nullable=False),
        sa.Column("writer", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("message_id", sa.Text(), nullable=False),
        sa.Column("first", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_review_mail_letters")),
        sa.UniqueConstraint("happening", "kind", name=op.f("uq_review_mail_letters_happening_kind")),
    )
    op.create_index("ix_review_mail_letters_month", "review_mail_letters", ["project", "month"])
    op.create_table(
        "review_mail_outbox",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("account", sa.Integer(), nullable=False),
        sa.Column("email", sa.Text(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("due", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created", sa.DateTime(timezone=True), nullable=False),
        sa.Column("problem", sa.Text(), nullable=False, server_default=""),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_review_mail_outbox")),
    )
    op.create_index("ix_review_mail_outbox_due", "review_mail_outbox", ["due"])
    op.create_table(
        "review_mail_mutes",
        sa.Column("account", sa.Integer(), nullable=False),
        sa.Column("project", sa.String(length=255), nullable=False),
        sa.PrimaryKeyConstraint("account", "project", name=op.f("pk_review_mail_mutes")),
    )


def downgrade() -> None:
    op.drop_table("review_mail_mutes")
    op.drop_table("review_mail_outbox")
    op.drop_table("review_mail_letters")
