# SPDX-License-Identifier: Apache-2.0
"""The values of comments that are not published yet.

Floor 0. A draft is seen by its author alone; publishing makes it a comment and keeps its id.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from ..model import DraftedComment, InlineComment


@dataclass(frozen=True, slots=True)
class StoredDraft:
    """A comment that its author has not published."""

    id: str
    change: int
    patch_set: int
    account: int
    updated: datetime
    comment: DraftedComment

    def as_comment(self) -> InlineComment:
        """The same as it would be published, by no message yet."""
        one = self.comment
        return InlineComment(
            self.id, self.change, self.patch_set, self.account, one.file, one.text, self.updated, 0, one.line,
            one.side, one.range, one.in_reply_to, one.unresolved is True, fixes=one.fixes,
        )  # fmt: skip
