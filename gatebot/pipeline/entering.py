# SPDX-License-Identifier: Apache-2.0
"""Who asks for a place in a pipeline, and what they hear when there is none: a trigger, a person, a branch.

An adapter in name only: `admission.py` looks a change up and `joining.py` decides.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from datetime import datetime

from ..change import ChangeFacts
from ..reasons import Reason
from .admission import Admission
from .batch import TOLD, Batch
from .config.freeze import participates
from .config.layout import Layout
from .config.model import PipelineConfig
from .homes import concerning, stranger
from .model import AgeAwaited
from .naming import queue_of
from .queue.facts import ItemEnqueued
from .queue.model import ItemRef
from .triggers import bars_refs, turn

_OF_VOTES = ("pipeline.needs-approval", "pipeline.rejects-approval")


@dataclass(frozen=True, slots=True)
class Entering:
    """The doors of all pipelines; whoever comes in is a fact of the batch."""

    batch: Batch

    async def enter(self, layout: Layout, pipeline: PipelineConfig, change: ChangeFacts) -> None:
        """A trigger fired: enter if all is well; people hear only of what they cannot see on the change."""
        why = await Admission(self.batch, layout, pipeline).enter(change)
        await self.watch(layout, pipeline, change, why)
        if why is not None and why.kind in TOLD:
            await self.batch.refuse(change, pipeline, why)

    async def watch(
        self, layout: Layout, pipeline: PipelineConfig, change: ChangeFacts, refused: Reason | None = None
    ) -> None:
        """Look again when a vote is old enough, or too old; a change that was refused otherwise needs another event."""
        for_its_votes = refused is not None and refused.kind in _OF_VOTES
        due: datetime | None = None
        if refused is None or for_its_votes:
            due = turn(concerning(layout, pipeline, change.project), change, self.batch.now())
        awaited = AgeAwaited(layout.tenant.name, pipeline.name, change.number, due, for_its_votes)
        await self.batch.ties.ages.wait(awaited)

    async def demand(
        self, layout: Layout, pipeline: PipelineConfig, change: ChangeFacts, *, asked: bool = False
    ) -> None:
        """A person wants it in: if that cannot be, say why. `asked` by name, the requirements are not looked at."""
        why = await Admission(self.batch, layout, pipeline, asked=asked).enter(change)
        if why is not None:
            await self.batch.refuse(change, pipeline, why)

    async def come_back(self, layout: Layout, pipeline: PipelineConfig, number: int, *, told: bool) -> None:
        """A change that was inside enters as it is now, if it still may.

        Nobody asked; but whoever was not `told` that it left hears why it stays out.
        """
        change = await self.batch.near.change(number)
        why = await Admission(self.batch, layout, pipeline).enter(change) if change is not None else None
        if change is not None and why is not None and (not told or why.kind in TOLD):
            await self.batch.refuse(change, pipeline, why)

    async def enter_ref(
        self,
        layout: Layout,
        pipeline: PipelineConfig,
        ref: ItemRef,
        *,
        asked: bool = False,
    ) -> None:
        """A branch or tag as an item; one that waits or runs already is enough."""
        project, branch = ref.project, ref.branch
        barred = bars_refs(concerning(layout, pipeline, project)) and not asked
        if barred or stranger(layout, pipeline, project) is not None:
            return
        if branch.startswith("refs/"):
            here = frozenset(layout.sources.branches.get(project, ()))
            found = await asyncio.to_thread(self.batch.ties.merger.containing, project, ref.new)
            ref = replace(ref, containing=tuple(name for name in found if name in here))
        if not participates(layout, pipeline.name, project, branch, ref.containing):
            return
        mine = (layout.tenant.name, pipeline.name)
        same = (queue for queue in self.batch.view.queues.values() if (queue.tenant, queue.pipeline) == mine)
        if any(item.ref == ref for queue in same for item in queue.items.values()):
            return
        item = self.batch.name_item(layout, pipeline, f"{project}:{branch}")
        self.batch.open_queue(layout, pipeline, project, branch, item)
        queue = queue_of(layout, pipeline, project, branch, item).queue
        self.batch.add(ItemEnqueued(queue, item, self.batch.now(), ref=ref))
