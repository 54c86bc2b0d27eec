# SPDX-License-Identifier: Apache-2.0
"""Fills dashboards: the changes of each list, and for those that wait for somebody the reasons and the order.

Reads only; what the reader may not see is in no list, and counts for nobody.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from ...access import Actor
from ...db import Database
from ...errors import Invalid
from ...reasons import Reason
from ..judging import Judge
from ..reading import ChangeView, Reading
from ..views import ChangeRow, change_row
from .model import Dashboard, Section
from .order import ordered, reachable, turn
from .store import waiting_for


@dataclass(frozen=True, slots=True)
class Filled:
    """A list with its changes; `problem` is why its query cannot be asked."""

    section: Section
    rows: tuple[ChangeRow, ...] = ()
    more: bool = False
    problem: Reason | None = None


class Dashboards:
    """Dashboards for readers."""

    def __init__(self, db: Database, reading: Reading, judge: Judge) -> None:
        self._db = db
        self._reading = reading
        self._judge = judge

    async def fill(self, actor: Actor, wanted: Dashboard, whose: int | None) -> tuple[Filled, ...]:
        """All lists; `whose` turn it is, where the dashboard is somebody's."""
        return tuple([await self._list(actor, section, whose) for section in wanted.sections])

    async def _list(self, actor: Actor, section: Section, whose: int | None) -> Filled:
        try:
            views, more = await self._reading.search(actor, section.query, section.limit)
        except Invalid as error:
            if error.reason is None:
                raise
            return Filled(section, problem=error.reason)
        if section.turns and whose is not None:
            return Filled(section, await self._turns(actor, views, whose), more)
        return Filled(section, tuple(self._row(view) for view in views), more)

    async def _turns(self, actor: Actor, views: Sequence[ChangeView], whose: int) -> tuple[ChangeRow, ...]:
        edges = await self._db.read(waiting_for, self._judge, [view.change.number for view in views])
        others = await self._reading.visible(actor, {other for several in edges.values() for other in several})
        edges = {number: several & others for number, several in edges.items()}
        gates = self._judge.gates
        turns = [
            turn(
                view,
                whose,
                reachable(edges, view.change.number),
                gated=gates.gated(view.change.project, view.change.branch),
                inside={one for one in view.verdict.named() if gates.position(one) is not None},
            )
            for view in views
        ]
        by_number = {view.change.number: view for view in views}
        return tuple(
            replace(self._row(by_number[one.change]), why=one.why)
            for one in ordered(each for each in turns if each is not None)
        )

    def _row(self, view: ChangeView) -> ChangeRow:
        return change_row(view, self._judge.gates.position(view.change.number))
