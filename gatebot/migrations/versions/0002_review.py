# SPDX-License-Identifier: Apache-2.0
"""The review room: projects, changes, patch sets, votes, conversation, intents."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002_review"
down_revision = "0001_hall"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "review_counters",
        sa.Column("name", sa.String(length=40), nullable=False),
        sa.Column("value", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_review_counters")),
    )
    op.create_table(
        "review_dependencies",
        sa.Column("change", sa.Integer(), nullable=False),
        sa.Column("patch_set", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("change", "patch_set", "position", name=op.f("pk_review_dependencies")),
    )
    op.create_index(op.f("ix_review_dependencies_number"), "review_dependencies", ["number"], unique=False)
    op.create_table(
        "review_intents",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("key", sa.String(length=255), nullable=False),
        sa.Column("moves", sa.Text(), nullable=False),
        sa.Column("payload", sa.Text(), nullable=False),
        sa.Column("opened", sa.DateTime(timezone=True), nullable=False),
        sa.Column("closed", sa.DateTime(timezone=True), nullable=True),
        sa.Column("outcome", sa.Text(), server_default="", nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_review_intents")),
        sa.UniqueConstraint("kind", "key", name=op.f("uq_review_intents_kind_key")),
    )
    op.create_index("ix_review_intents_closed", "review_intents", ["closed"], unique=False)
    op.create_table(
        "review_parents",
        sa.Column("change", sa.Integer(), nullable=False),
        sa.Column("patch_set", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("parent", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("change", "patch_set", "position", name=op.f("pk_review_parents")),
    )
    op.create_index(op.f("ix_review_parents_parent"), "review_parents", ["parent"], unique=False)
    op.create_table(
        "review_projects",
        sa.Column("name", sa.String(length=255), nullable=False),
        sa.Column("description", sa.Text(), server_default="", nullable=False),
        sa.Column("submit_type", sa.String(length=40), nullable=False),
        sa.Column("rules", sa.String(length=40), nullable=False),
        sa.Column("default_branch", sa.String(length=255), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("created", sa.DateTime(timezone=True), nullable=False),
        sa.Column("creator", sa.Integer(), nullable=True),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_review_projects")),
    )
    op.create_table(
        "review_changes",
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("project", sa.String(length=255), nullable=False),
        sa.Column("branch", sa.String(length=255), nullable=False),
        sa.Column("change_id", sa.String(length=64), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("status", sa.String(length=20), nullable=False),
        sa.Column("owner", sa.Integer(), nullable=False),
        sa.Column("current", sa.Integer(), nullable=False),
        sa.Column("created", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated", sa.DateTime(timezone=True), nullable=False),
        sa.Column("topic", sa.Text(), server_default="", nullable=False),
        sa.Column("work_in_progress", sa.Boolean(), nullable=False),
        sa.Column("private", sa.Boolean(), nullable=False),
        sa.Column("submitted", sa.DateTime(timezone=True), nullable=True),
        sa.Column("submitter", sa.Integer(), nullable=True),
        sa.Column("merged_as", sa.String(length=64), server_default="", nullable=False),
        sa.ForeignKeyConstraint(["project"], ["review_projects.name"], name=op.f("fk_review_changes_project")),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_review_changes")),
        sa.UniqueConstraint("project", "branch", "change_id", name=op.f("uq_review_changes_project_branch_change_id")),
    )
    op.create_index("ix_review_changes_change_id", "review_changes", ["change_id"], unique=False)
    op.create_index(
        "ix_review_changes_project_branch_status", "review_changes", ["project", "branch", "status"], unique=False
    )
    op.create_index("ix_review_changes_status_updated", "review_changes", ["status", "updated"], unique=False)
    op.create_index("ix_review_changes_topic", "review_changes", ["topic"], unique=False)
    op.create_table(
        "review_comments",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("change", sa.Integer(), nullable=False),
        sa.Column("patch_set", sa.Integer(), nullable=False),
        sa.Column("account", sa.Integer(), nullable=False),
        sa.Column("file", sa.Text(), nullable=False),
        sa.Column("line", sa.Integer(), nullable=True),
        sa.Column("side", sa.String(length=10), nullable=False),
        sa.Column("range", sa.String(length=80), server_default="", nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("created", sa.DateTime(timezone=True), nullable=False),
        sa.Column("message", sa.Integer(), nullable=False),
        sa.Column("in_reply_to", sa.String(length=40), server_default="", nullable=False),
        sa.Column("unresolved", sa.Boolean(), nullable=False),
        sa.Column("tag", sa.Text(), server_default="", nullable=False),
        sa.ForeignKeyConstraint(["change"], ["review_changes.number"], name=op.f("fk_review_comments_change")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_review_comments")),
    )
    op.create_index(op.f("ix_review_comments_change"), "review_comments", ["change"], unique=False)
    op.create_table(
        "review_hashtags",
        sa.Column("change", sa.Integer(), nullable=False),
        sa.Column("hashtag", sa.String(length=255), nullable=False),
        sa.ForeignKeyConstraint(["change"], ["review_changes.number"], name=op.f("fk_review_hashtags_change")),
        sa.PrimaryKeyConstraint("change", "hashtag", name=op.f("pk_review_hashtags")),
    )
    op.create_table(
        "review_messages",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("change", sa.Integer(), nullable=False),
        sa.Column("patch_set", sa.Integer(), nullable=False),
        sa.Column("account", sa.Integer(), nullable=True),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("created", sa.DateTime(timezone=True), nullable=False),
        sa.Column("tag", sa.Text(), server_default="", nullable=False),
        sa.Column("event_key", sa.String(length=200), nullable=True),
        sa.ForeignKeyConstraint(["change"], ["review_changes.number"], name=op.f("fk_review_messages_change")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_review_messages")),
        sa.UniqueConstraint("event_key", name=op.f("uq_review_messages_event_key")),
    )
    op.create_index(op.f("ix_review_messages_change"), "review_messages", ["change"], unique=False)
    op.create_table(
        "review_patch_sets",
        sa.Column("change", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("commit", sa.String(length=64), nullable=False),
        sa.Column("uploader", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("created", sa.DateTime(timezone=True), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("author_name", sa.Text(), nullable=False),
        sa.Column("author_email", sa.Text(), nullable=False),
        sa.Column("authored", sa.String(length=40), nullable=False),
        sa.Column("committer_name", sa.Text(), nullable=False),
        sa.Column("committer_email", sa.Text(), nullable=False),
        sa.Column("committed", sa.String(length=40), nullable=False),
        sa.Column("description", sa.Text(), server_default="", nullable=False),
        sa.ForeignKeyConstraint(["change"], ["review_changes.number"], name=op.f("fk_review_patch_sets_change")),
        sa.PrimaryKeyConstraint("change", "number", name=op.f("pk_review_patch_sets")),
    )
    op.create_index(op.f("ix_review_patch_sets_commit"), "review_patch_sets", ["commit"], unique=False)
    op.create_table(
        "review_reviewers",
        sa.Column("change", sa.Integer(), nullable=False),
        sa.Column("account", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["change"], ["review_changes.number"], name=op.f("fk_review_reviewers_change")),
        sa.PrimaryKeyConstraint("change", "account", name=op.f("pk_review_reviewers")),
    )
    op.create_table(
        "review_votes",
        sa.Column("change", sa.Integer(), nullable=False),
        sa.Column("patch_set", sa.Integer(), nullable=False),
        sa.Column("label", sa.String(length=100), nullable=False),
        sa.Column("account", sa.Integer(), nullable=False),
        sa.Column("value", sa.Integer(), nullable=False),
        sa.Column("granted", sa.DateTime(timezone=True), nullable=False),
        sa.Column("tag", sa.Text(), server_default="", nullable=False),
        sa.Column("copied", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["change"], ["review_changes.number"], name=op.f("fk_review_votes_change")),
        sa.PrimaryKeyConstraint("change", "patch_set", "label", "account", name=op.f("pk_review_votes")),
    )


def downgrade() -> None:
    op.drop_table("review_votes")
    op.drop_table("review_reviewers")
    op.drop_index(op.f("ix_review_patch_sets_commit"), table_name="review_patch_sets")
    op.drop_table("review_patch_sets")
    op.drop_index(op.f("ix_review_messages_change"), table_name="review_messages")
    op.drop_table("review_messages")
    op.drop_table("review_hashtags")
    op.drop_index(op.f("ix_review_comments_change"), table_name="review_comments")
    op.drop_table("review_comments")
    op.drop_index("ix_review_changes_topic", table_name="review_changes")
    op.drop_index("ix_review_changes_status_updated", table_name="review_changes")
    op.drop_index("ix_review_changes_project_branch_status", table_name="review_changes")
    op.drop_index("ix_review_changes_change_id", table_name="review_changes")
    op.drop_table("review_changes")
    op.drop_table("review_projects")
    op.drop_index(op.f("ix_review_parents_parent"), table_name="review_parents")
    op.drop_table("review_parents")
    op.drop_index("ix_review_intents_closed", table_name="review_intents")
    op.drop_table("review_intents")
    op.drop_index(op.f("ix_review_dependencies_number"), table_name="review_dependencies")
    op.drop_table("review_dependencies")
    op.drop_table("review_counters")
