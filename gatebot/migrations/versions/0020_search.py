# SPDX-License-Identifier: Apache-2.0
"""What queries need: the files of current patch sets, how much they change, indexes, and on SQLite pieces of words."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0020_search"
down_revision = "0017_ssh_keys"
branch_labels = None
depends_on = None

# The row is the change's number. A trigger keeps it: nobody can write a patch set and forget the index.
_INDEX = "CREATE VIRTUAL TABLE review_search USING fts5(message, people, paths, tokenize='trigram')"
_FILL = """\
INSERT INTO review_search (rowid, message, people, paths)
SELECT change, message, author_name || ' ' || author_email || ' ' || committer_name || ' ' || committer_email, ''
FROM review_patch_sets AS one
WHERE number = (SELECT max(number) FROM review_patch_sets AS other WHERE other.change = one.change)"""
_TRIGGER = """\
CREATE TRIGGER review_patch_sets_search AFTER INSERT ON review_patch_sets BEGIN
DELETE FROM review_search WHERE rowid = new.change;
INSERT INTO review_search (rowid, message, people, paths) VALUES (new.change, new.message,
new.author_name || ' ' || new.author_email || ' ' || new.committer_name || ' ' || new.committer_email, '');
END"""


def upgrade() -> None:
    op.create_table(
        "review_files",
        sa.Column("change", sa.Integer(), nullable=False),
        sa.Column("path", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["change"], ["review_changes.number"], name=op.f("fk_review_files_change")),
        sa.PrimaryKeyConstraint("change", "path", name=op.f("pk_review_files")),
    )
    op.create_index("ix_review_files_path", "review_files", ["path"])
    op.add_column("review_patch_sets", sa.Column("added", sa.Integer(), nullable=True))
    op.add_column("review_patch_sets", sa.Column("deleted", sa.Integer(), nullable=True))
    op.create_index("ix_review_patch_sets_added", "review_patch_sets", ["added"])
    op.create_index("ix_review_patch_sets_uploader", "review_patch_sets", ["uploader"])
    op.create_index("ix_review_changes_updated", "review_changes", ["updated", "number"])
    op.create_index("ix_review_changes_owner", "review_changes", ["owner", "updated"])
    op.create_index("ix_review_reviewers_account", "review_reviewers", ["account"])
    op.create_index("ix_review_messages_account", "review_messages", ["account"])
    for column in ("account", "in_reply_to", "unresolved"):
        op.create_index(f"ix_review_comments_{column}", "review_comments", [column])
    if op.get_bind().dialect.name == "sqlite":
        for statement in (_INDEX, _FILL, _TRIGGER):
            op.execute(statement)


def downgrade() -> None:
    if op.get_bind().dialect.name == "sqlite":
        op.execute("DROP TRIGGER review_patch_sets_search")
        op.execute("DROP TABLE review_search")
    for column in ("account", "in_reply_to", "unresolved"):
        op.drop_index(f"ix_review_comments_{column}", "review_comments")
    op.drop_index("ix_review_messages_account", "review_messages")
    op.drop_index("ix_review_reviewers_account", "review_reviewers")
    op.drop_index("ix_review_changes_owner", "review_changes")
    op.drop_index("ix_review_changes_updated", "review_changes")
    op.drop_index("ix_review_patch_sets_uploader", "review_patch_sets")
    op.drop_index("ix_review_patch_sets_added", "review_patch_sets")
    op.drop_column("review_patch_sets", "deleted")
    op.drop_column("review_patch_sets", "added")
    op.drop_table("review_files")
