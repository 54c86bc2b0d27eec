# SPDX-License-Identifier: Apache-2.0
"""Tries a change of configuration before it is merged: what it does to the graphs of every project.

The change alone is tried: a patch set against the commit that it stands on, with everything else as it is merged. One
at a time, since it takes a processor for a second, and remembered while neither side moves. The asker sees the projects
that he may read.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from dataclasses import dataclass

from ...access import Actor
from ...change import ChangeFacts
from ...errors import NotFound
from ...reasons import reason
from ..config.layout import Layout
from ..config.loader import Proposed
from ..config.trial import Difference
from ..ports import Review, Sight
from ..tenants.service import Overview

_REMEMBERED = 32


@dataclass(frozen=True, slots=True)
class Trial:
    """What a patch set does in one of the tenants that its project belongs to."""

    change: ChangeFacts
    tenant: str
    tenants: tuple[str, ...]
    differences: tuple[Difference, ...]


class Trials:
    """Looks only; nothing that is tried is used."""

    def __init__(self, overview: Overview, review: Review, sight: Sight) -> None:
        self._overview = overview
        self._review = review
        self._sight = sight
        self._one = asyncio.Lock()
        self._known: OrderedDict[tuple[str, int, int], tuple[Layout, tuple[Difference, ...]]] = OrderedDict()

    async def of(self, actor: Actor, number: int, tenant: str = "", patch_set: int | None = None) -> Trial:
        """The graphs that a change alters; without a tenant, in the first that its project belongs to."""
        await self._sight.change_project(actor, number)
        change = await self._review.change(number, patch_set)
        if change is None:
            raise NotFound(reason=reason("review.no-such-change", change=number))
        names = tuple(
            name
            for name in self._overview.names(actor)
            if self._overview.layout(actor, name).project(change.project) is not None
        )
        layout = self._overview.layout(actor, tenant or next(iter(names), ""))
        project = self._overview.project(actor, layout, change.project).name
        found = await self._tried(layout, project, change)
        seen = {one.name for one in self._overview.projects(actor, layout)}
        shown = tuple(one for one in found if one.place.project in seen)
        return Trial(change, layout.tenant.name, names, shown)

    async def _tried(self, layout: Layout, project: str, change: ChangeFacts) -> tuple[Difference, ...]:
        """From memory, where this patch set was tried on this very layout."""
        if not change.parents:
            return ()
        key = (layout.tenant.name, change.number, change.patch_set)
        async with self._one:
            known = self._known.get(key)
            if known is None or known[0] is not layout:
                sides = (Proposed(project, change.branch, project, at) for at in (change.parents[0], change.commit))
                known = layout, await asyncio.to_thread(self._overview.layouts.tried, layout, *sides)
                self._known[key] = known
            self._known.move_to_end(key)
            while len(self._known) > _REMEMBERED:
                self._known.popitem(last=False)
        return known[1]
