# SPDX-License-Identifier: Apache-2.0
"""The values of comments that are not published yet.

Floor 0. A draft is seen by its author alone; publishing makes it a comment and keeps its id.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from ..model import DraftedComment


@dataclass(frozen=True, slots=True)
class StoredDraft:
    """A comment that its author has not published."""

    id: str
    change: int
    patch_set: int
    account: int
    updated: datetime
    comment: DraftedComment
