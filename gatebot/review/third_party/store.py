# SPDX-License-Identifier: Apache-2.0
"""The patch sets and messages of a window of time, as far as they may be read. Transaction functions; nothing is kept.

What a CI did is derived from what everybody said: no counters that could be wrong.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import func, select

from ...db import Session
from ..model import Status
from ..search import Clause
from ..tables import changes, messages, patch_sets
from .model import Remark, Upload

_OF_CHANGE = (changes.c.project, changes.c.branch, changes.c.owner, changes.c.current, changes.c.status)
_TEXT = 4000  # of a message: votes are said in its first line, and so is a recheck, or soon after


def uploads(session: Session, since: datetime, seen: Clause, most: int) -> tuple[Upload, ...]:
    """The newest patch sets since a moment, at most so many, of the changes that `seen` lets through."""
    columns = (patch_sets.c.change, patch_sets.c.number, patch_sets.c.subject, patch_sets.c.created)
    wanted = (
        select(*columns, *_OF_CHANGE)
        .join(changes, changes.c.number == patch_sets.c.change)
        .where(patch_sets.c.created >= since, seen)
        .order_by(patch_sets.c.created.desc())
        .limit(most)
    )
    return tuple(
        Upload(
            change=row.change,
            patch_set=row.number,
            project=row.project,
            subject=row.subject,
            at=row.created,
            branch=row.branch,
            owner=row.owner,
            current=row.number == row.current and row.status == Status.NEW.value,
            replaced=row.number != row.current,
        )
        for row in session.execute(wanted)
    )


def remarks(session: Session, since: datetime, seen: Clause) -> tuple[Remark, ...]:
    """The messages since a moment on the changes that `seen` lets through."""
    columns = (messages.c.change, messages.c.patch_set, messages.c.account, messages.c.created, messages.c.tag)
    wanted = (
        select(*columns, func.substr(messages.c.text, 1, _TEXT).label("text"))
        .join(changes, changes.c.number == messages.c.change)
        .where(messages.c.created >= since, seen)
        .order_by(messages.c.id)
    )
    return tuple(
        Remark(row.change, row.patch_set, row.account, row.text, row.created, row.tag)
        for row in session.execute(wanted)
    )
