# SPDX-License-Identifier: Apache-2.0
"""Tries a change of configuration before it is merged: what it does to the graphs of every project.

The change alone is tried: its patch set against the commit that it stands on, with everything else as it is merged.
The asker sees the projects that he may read.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from ...access import Actor
from ...errors import NotFound
from ...reasons import reason
from ..config.loader import Proposed
from ..config.trial import Difference
from ..ports import Review, Sight
from ..tenants.service import Overview


@dataclass(frozen=True, slots=True)
class Trials:
    overview: Overview
    review: Review
    sight: Sight

    async def of(self, actor: Actor, tenant: str, number: int) -> tuple[Difference, ...]:
        """The graphs that the newest patch set of a change alters in a tenant."""
        await self.sight.change_project(actor, number)
        layout = self.overview.layout(actor, tenant)
        change = await self.review.change(number)
        if change is None:
            raise NotFound(reason=reason("review.no-such-change", change=number))
        project = self.overview.project(actor, layout, change.project).name
        if not change.parents:
            return ()
        before, after = (
            Proposed(project, change.branch, project, commit) for commit in (change.parents[0], change.commit)
        )
        found = await asyncio.to_thread(self.overview.layouts.tried, layout, before, after)
        seen = {one.name for one in self.overview.projects(actor, layout)}
        return tuple(one for one in found if one.project in seen)
