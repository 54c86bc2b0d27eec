# SPDX-License-Identifier: Apache-2.0
"""What was pushed and said lately is found without reading all that ever was."""

from __future__ import annotations

from alembic import op

revision = "0012_third_party"
down_revision = "0011_accepted_errors"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("ix_review_messages_created", "review_messages", ["created"])
    op.create_index("ix_review_patch_sets_created", "review_patch_sets", ["created"])


def downgrade() -> None:
    op.drop_index("ix_review_patch_sets_created", "review_patch_sets")
    op.drop_index("ix_review_messages_created", "review_messages")
