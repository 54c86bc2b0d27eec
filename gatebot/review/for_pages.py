# SPDX-License-Identifier: Apache-2.0
"""The parts of the review room that only its pages need: differences, dashboards, suggested edits.

Only wiring, as `room.py`.
"""

from __future__ import annotations

from dataclasses import dataclass

from ..db import Database
from ..repo import Repositories
from .dashboards.service import Dashboards
from .diffs.service import Differences
from .diffs.suggesting import Suggesting
from .edits.begun import Beginnings
from .edits.keeping import Keeping
from .edits.service import Edits
from .files.service import Files
from .judging import Judge
from .reading import Reading
from .service import Review
from .threads.service import Threads


@dataclass(frozen=True, slots=True)
class ForPages:
    """What the pages get beside the rest of the room."""

    differences: Differences
    dashboards: Dashboards
    suggesting: Suggesting
    beginnings: Beginnings


def for_pages(
    db: Database, judge: Judge, reading: Reading, files: Files, threads: Threads, edits: Edits, review: Review,
    repositories: Repositories,
) -> ForPages:  # fmt: skip
    """Put them together."""
    return ForPages(
        Differences(reading, files, threads),
        Dashboards(db, reading, judge),
        Suggesting(reading, files, threads, edits, review),
        Beginnings(edits, Keeping(db, repositories), repositories),
    )
