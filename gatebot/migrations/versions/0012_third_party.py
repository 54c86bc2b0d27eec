# SPDX-License-Identifier: Apache-2.0
"""CIs elsewhere have a group; what was pushed and said lately is found without reading all that ever was."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0012_third_party"
down_revision = "0011_accepted_errors"
branch_labels = None
depends_on = None


_groups = sa.table("account_group", sa.column("name", sa.Text), sa.column("description", sa.Text))
_members = sa.table("account_member", sa.column("group", sa.Text))
GROUP = "Third-Party CI"


def upgrade() -> None:
    op.bulk_insert(_groups, [{"name": GROUP, "description": "CIs elsewhere, which vote Verified +1 or -1."}])
    op.create_index("ix_review_messages_created", "review_messages", ["created"])
    op.create_index("ix_review_patch_sets_created", "review_patch_sets", ["created"])


def downgrade() -> None:
    op.drop_index("ix_review_patch_sets_created", "review_patch_sets")
    op.drop_index("ix_review_messages_created", "review_messages")
    op.execute(sa.delete(_members).where(_members.c.group == GROUP))
    op.execute(sa.delete(_groups).where(_groups.c.name == GROUP))
