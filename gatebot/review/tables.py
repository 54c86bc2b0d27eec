# SPDX-License-Identifier: Apache-2.0
"""The tables of the review room, as SQLAlchemy Core knows them; the statements are in the stores.

Everything is a fact with its time. Commits, messages and parents are kept beside git, because
queries and Depends-On look for them; the trees and files are only in git.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, ForeignKey, Index, Integer, String, Table, Text, UniqueConstraint

from ..db import metadata, utc

projects = Table(
    "review_projects",
    metadata,
    Column("name", String(255), primary_key=True),
    Column("description", Text, nullable=False, server_default=""),
    Column("submit_type", String(40), nullable=False),
    Column("rules", String(40), nullable=False),
    Column("default_branch", String(255), nullable=False),
    Column("position", Integer, nullable=False),
    Column("created", utc, nullable=False),
    Column("creator", Integer),
)

# Numbers are handed out before the push that uses them is done, so they cannot be a row's own key.
counters = Table(
    "review_counters",
    metadata,
    Column("name", String(40), primary_key=True),
    Column("value", Integer, nullable=False),
)

changes = Table(
    "review_changes",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("project", String(255), ForeignKey("review_projects.name"), nullable=False),
    Column("branch", String(255), nullable=False),
    Column("change_id", String(64), nullable=False),
    Column("subject", Text, nullable=False),
    Column("status", String(20), nullable=False),
    Column("owner", Integer, nullable=False),
    Column("current", Integer, nullable=False),
    Column("created", utc, nullable=False),
    Column("updated", utc, nullable=False),
    Column("topic", Text, nullable=False, server_default=""),
    Column("work_in_progress", Boolean, nullable=False),
    Column("private", Boolean, nullable=False),
    Column("submitted", utc),
    Column("submitter", Integer),
    Column("merged_as", String(64), nullable=False, server_default=""),
    # The same for all that was merged together.
    Column("submission", String(80), nullable=False, server_default=""),
    # Where the server made a change of another one.
    Column("revert_of", Integer),
    Column("picked_change", Integer),
    Column("picked_patch_set", Integer),
    # Gerrit's rule: a Change-Id names one change per branch of a project.
    UniqueConstraint("project", "branch", "change_id"),
    Index("ix_review_changes_change_id", "change_id"),
    Index("ix_review_changes_status_updated", "status", "updated"),
    Index("ix_review_changes_project_branch_status", "project", "branch", "status"),
    # PostgreSQL's usual index holds no text of 2,048 letters.
    Index("ix_review_changes_topic", "topic", postgresql_using="hash"),
    Index("ix_review_changes_updated", "updated", "number"),
    Index("ix_review_changes_owner", "owner", "updated"),
    Index("ix_review_changes_submission", "submission"),
    Index("ix_review_changes_revert_of", "revert_of"),
    Index("ix_review_changes_picked_change", "picked_change"),
)

patch_sets = Table(
    "review_patch_sets",
    metadata,
    Column("change", Integer, ForeignKey("review_changes.number"), primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("commit", String(64), nullable=False, index=True),
    Column("uploader", Integer, nullable=False),
    Column("kind", String(40), nullable=False),
    Column("created", utc, nullable=False),
    Column("subject", Text, nullable=False),
    Column("message", Text, nullable=False),
    Column("author_name", Text, nullable=False),
    Column("author_email", Text, nullable=False),
    Column("authored", String(40), nullable=False),
    Column("committer_name", Text, nullable=False),
    Column("committer_email", Text, nullable=False),
    Column("committed", String(40), nullable=False),
    Column("description", Text, nullable=False, server_default=""),
    # How many lines it changes; nothing until its files were read (`indexing.py`).
    Column("added", Integer),
    Column("deleted", Integer),
    # Of a revert, whether it does nothing else; nothing until it was compared (`indexing.py`).
    Column("pure_revert", Boolean),
    Index("ix_review_patch_sets_created", "created"),
    Index("ix_review_patch_sets_added", "added"),
    Index("ix_review_patch_sets_uploader", "uploader"),
    Index("ix_review_patch_sets_author_email", "author_email"),
    Index("ix_review_patch_sets_author_name", "author_name"),
    Index("ix_review_patch_sets_committer_email", "committer_email"),
    Index("ix_review_patch_sets_committer_name", "committer_name"),
)

parents = Table(
    "review_parents",
    metadata,
    Column("change", Integer, primary_key=True),
    Column("patch_set", Integer, primary_key=True),
    Column("position", Integer, primary_key=True),
    Column("parent", String(64), nullable=False, index=True),
)

# The `Depends-On:` footers of each patch set. `number` is what the address seems to name; whether
# the address is this site's is asked when it is read.
dependencies = Table(
    "review_dependencies",
    metadata,
    Column("change", Integer, primary_key=True),
    Column("patch_set", Integer, primary_key=True),
    Column("position", Integer, primary_key=True),
    Column("address", Text, nullable=False),
    Column("number", BigInteger, index=True),
)

votes = Table(
    "review_votes",
    metadata,
    Column("change", Integer, ForeignKey("review_changes.number"), primary_key=True),
    Column("patch_set", Integer, primary_key=True),
    Column("label", String(100), primary_key=True),
    Column("account", Integer, primary_key=True),
    Column("value", Integer, nullable=False),
    Column("granted", utc, nullable=False),
    Column("tag", Text, nullable=False, server_default=""),
    Column("copied", Boolean, nullable=False),
)

messages = Table(
    "review_messages",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("change", Integer, ForeignKey("review_changes.number"), nullable=False, index=True),
    Column("patch_set", Integer, nullable=False),
    Column("account", Integer),
    Column("text", Text, nullable=False),
    Column("created", utc, nullable=False),
    Column("tag", Text, nullable=False, server_default=""),
    # The event that a report answers: a report that is sent again is the same report.
    Column("event_key", String(200), unique=True),
    Index("ix_review_messages_created", "created"),
    Index("ix_review_messages_account", "account"),
)

comments = Table(
    "review_comments",
    metadata,
    Column("id", String(40), primary_key=True),
    Column("change", Integer, ForeignKey("review_changes.number"), nullable=False, index=True),
    Column("patch_set", Integer, nullable=False),
    Column("account", Integer, nullable=False),
    Column("file", Text, nullable=False),
    Column("line", Integer),
    Column("side", String(10), nullable=False),
    Column("range", String(80), nullable=False, server_default=""),
    Column("text", Text, nullable=False),
    Column("created", utc, nullable=False),
    Column("message", Integer, nullable=False),
    Column("in_reply_to", String(40), nullable=False, server_default=""),
    Column("unresolved", Boolean, nullable=False),
    Column("tag", Text, nullable=False, server_default=""),
    Column("fixes", Text, nullable=False, server_default=""),
    Index("ix_review_comments_account", "account"),
    Index("ix_review_comments_in_reply_to", "in_reply_to"),
    Index("ix_review_comments_unresolved", "unresolved"),
)

reviewers = Table(
    "review_reviewers",
    metadata,
    Column("change", Integer, ForeignKey("review_changes.number"), primary_key=True),
    Column("account", Integer, primary_key=True),
    Column("state", String(20), nullable=False),
    Column("since", utc, nullable=False),
    Index("ix_review_reviewers_account", "account"),
)

hashtags = Table(
    "review_hashtags",
    metadata,
    Column("change", Integer, ForeignKey("review_changes.number"), primary_key=True),
    Column("hashtag", String(255), primary_key=True),
)

intents = Table(
    "review_intents",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("kind", String(40), nullable=False),
    Column("key", String(255), nullable=False),
    Column("moves", Text, nullable=False),
    Column("payload", Text, nullable=False),
    Column("opened", utc, nullable=False),
    Column("closed", utc),
    Column("outcome", Text, nullable=False, server_default=""),
    UniqueConstraint("kind", "key"),
    Index("ix_review_intents_closed", "closed"),
)
