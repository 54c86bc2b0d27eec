# SPDX-License-Identifier: Apache-2.0
"""Who waits for changes: the open ones that stand on them, or name them in Depends-On, for many changes at once.

Transaction functions. The number of queries grows with the depth of the chains, not with the changes.
"""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import or_, select

from ...db import Session
from ..judging import Judge
from ..model import Status
from ..tables import changes, dependencies, parents, patch_sets

_DEEPEST, _MOST = 20, 500

_below = changes.alias("below")
_above = changes.alias("above")
_is_open = _above.c.status == Status.NEW.value
# Rows (change, who stands on its current patch set).
_standing = (
    select(_below.c.number, _above.c.number.label("other"))
    .join(patch_sets, (patch_sets.c.change == _below.c.number) & (patch_sets.c.number == _below.c.current))
    .join(parents, parents.c.parent == patch_sets.c.commit)
    .join(_above, (_above.c.number == parents.c.change) & (_above.c.current == parents.c.patch_set))
    .where(_is_open, _above.c.project == _below.c.project, _above.c.number != _below.c.number)
)
_naming = (
    select(_above.c.number.label("other"), dependencies.c.address)
    .join(dependencies, (dependencies.c.change == _above.c.number) & (dependencies.c.patch_set == _above.c.current))
    .where(_is_open)
)


def waiting_for(session: Session, judge: Judge, numbers: Collection[int]) -> dict[int, frozenset[int]]:
    """The changes that wait for some directly, for these and all that are found on the way."""
    found: dict[int, frozenset[int]] = {}
    asked = set(numbers)
    for _ in range(_DEEPEST):
        asked -= found.keys()
        if not asked or len(found) > _MOST:
            break
        direct = _direct(session, judge, asked)
        found |= {number: frozenset(direct.get(number, ())) for number in asked}
        asked = {other for others in direct.values() for other in others}
    return found


def _direct(session: Session, judge: Judge, numbers: Collection[int]) -> dict[int, set[int]]:
    found: dict[int, set[int]] = {}
    for row in session.execute(_standing.where(_below.c.number.in_(numbers))):
        found.setdefault(row.number, set()).add(row.other)
    ids = select(changes.c.change_id).where(changes.c.number.in_(numbers))
    by_id = (dependencies.c.number.is_(None)) & dependencies.c.address.in_(ids)
    named: dict[str, tuple[int, ...]] = {}
    for row in session.execute(_naming.where(or_(dependencies.c.number.in_(numbers), by_id))):
        if row.address not in named:
            named[row.address] = judge.named(session, row.address)
        for number in named[row.address]:
            if number in numbers and number != row.other:
                found.setdefault(number, set()).add(row.other)
    return found
