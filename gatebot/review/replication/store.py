# SPDX-License-Identifier: Apache-2.0
"""The patch sets of a project, as the rows know them.

Transaction functions.
"""

from __future__ import annotations

from sqlalchemy import select

from ...db import Session
from ..tables import changes, patch_sets
from .model import PatchSetOf


def commits_of(session: Session, project: str) -> tuple[PatchSetOf, ...]:
    """Every patch set of a project."""
    wanted = select(patch_sets.c.change, patch_sets.c.number, patch_sets.c.commit)
    wanted = wanted.join(changes, changes.c.number == patch_sets.c.change).where(changes.c.project == project)
    return tuple(PatchSetOf(row.change, row.number, row.commit) for row in session.execute(wanted))
