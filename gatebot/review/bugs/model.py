# SPDX-License-Identifier: Apache-2.0
"""The values of fixes: a change whose commit message says that it fixes something, and how that stands.

Floor 0: no behaviour. What is fixed is known by its address at its tracker.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Progress(StrEnum):
    """How far the fix of something is; MORE: one is merged, another is in review."""

    REVIEW = "FIX_IN_REVIEW"
    MERGED = "FIX_MERGED"
    MORE = "FIX_MERGED_ANOTHER_IN_REVIEW"
    PART = "PART_OF_THE_FIX_MERGED"


@dataclass(frozen=True, slots=True)
class Fix:
    """A change that fixes what is at `url`; `part`: not all of it."""

    url: str
    change: int
    part: bool = False
