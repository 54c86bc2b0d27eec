# SPDX-License-Identifier: Apache-2.0
"""Who may stay in a queue: what a new patch set, a vote, a topic or an end of a change means for its items.

An item that is not what it should be any more leaves; what else was in it comes back as it belongs together now, and
never with an old patch set.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from ..change import ChangeFacts
from ..events import ChangeMerged
from ..reasons import Reason, reason
from .batch import Batch
from .config.layout import Layout
from .config.model import Manager, PipelineConfig
from .entering import Entering
from .homes import concerning
from .joining import MERGED, OPEN, groups
from .queue.facts import ItemUnfit
from .queue.model import Item, Queue
from .triggers import own_labels, unmet

_MOST = 100


@dataclass(frozen=True, slots=True)
class Staying:
    """Looks at the items of changes to which something happened."""

    batch: Batch
    doors: Entering

    async def replaced(self, number: int, patch_set: int) -> None:
        """Items of older patch sets are not what people want any more."""
        why = reason("pipeline.new-patch-set", patch_set=patch_set)
        for queue, item in self._stays(number):
            known = self.batch.pipeline(queue)
            old = next(change for change in item.changes if change.number == number)
            if old.patch_set < patch_set and (known is None or known[1].dequeue_on_new_patchset):
                await self._part(queue, item, why, {number})

    async def abandoned(self, number: int) -> None:
        """An abandoned change is tested no more."""
        for queue, item in self._stays(number):
            await self._part(queue, item, reason("pipeline.abandoned"), {number})

    async def deleted(self, number: int) -> None:
        """A deleted change is tested no more, and nothing can be told on it."""
        for queue, item in self._stays(number):
            await self._part(queue, item, reason("pipeline.deleted"), {number})

    def merged(self, event: ChangeMerged) -> None:
        """A change that merged without its queue has nothing to do there."""
        for queue, item in self._stays(event.change):
            if queue.policy.lands and item.id != event.item:
                self.leave(queue, item, reason("pipeline.merged-elsewhere"))

    async def check(self, number: int) -> None:
        """Votes or states differ: whoever does not meet the requirements any more leaves."""
        for queue, item in self._stays(number):
            known = self.batch.pipeline(queue)
            patch_set = next(change.patch_set for change in item.changes if change.number == number)
            change = await self.batch.near.change(number, patch_set) if item.live else None
            why = await self._lost(queue, *known, change) if known is not None and change is not None else None
            if why is not None:
                self.leave(queue, item, Reason("pipeline.requirements-lost", (), (why,)))
            elif known is not None and change is not None:
                await self.doors.watch(*known, change)

    async def regroup(self, numbers: Iterable[int]) -> None:
        """Items of these changes in which others belong by now leave, and come back as they should be."""
        for number in dict.fromkeys(numbers):
            for queue, item in self._stays(number):
                known = self.batch.pipeline(queue)
                if known is not None and item.live and await self._differs(known[0], known[1], item):
                    await self._part(queue, item, reason("pipeline.dependencies-changed"), set())

    async def around(self, number: int, *topics: str) -> list[int]:
        """The changes inside that may belong to others when something happens to this one."""
        change = await self.batch.near.change(number)
        if change is None or not self.batch.view.members:
            return []
        known = [number, *await self.batch.near.behind(number)]
        for topic in dict.fromkeys((change.topic, *topics)):
            known += await self.batch.near.topic(change, topic) if topic else ()
        return [one for one in dict.fromkeys(known) if one in self.batch.view.members]

    def leave(self, queue: Queue, item: Item, why: Reason, *, quiet: bool = False) -> None:
        """Take an item out; from a check, where the cause is seen on the change itself, without a further word."""
        self.batch.add(ItemUnfit(queue.id, item.id, why, report=queue.policy.lands and not quiet))

    def _stays(self, number: int) -> list[tuple[Queue, Item]]:
        return [(queue, item) for queue, item in self.batch.view.stays(number) if item.unfit is None]

    async def _lost(self, queue: Queue, layout: Layout, pipeline: PipelineConfig, change: ChangeFacts) -> Reason | None:
        mine = concerning(layout, pipeline, change.project)
        why = unmet(mine, change, self.batch.now(), own_labels(mine))
        return await self.batch.near.ready(change.number) if why is None and queue.policy.lands else why

    async def _part(self, queue: Queue, item: Item, why: Reason, but: set[int]) -> None:
        """An item leaves; its members, but these, come back."""
        others = [number for number in item.numbers if number not in but]
        told = bool(but)  # a regrouping is nothing that people have to hear of, while all are inside again
        self.leave(queue, item, why, quiet=not told)
        known = self.batch.pipeline(queue)
        if known is not None and item.live:
            for number in others:
                await self.doors.come_back(*known, number, told=told)

    async def _differs(self, layout: Layout, pipeline: PipelineConfig, item: Item) -> bool:
        """Whether other changes than those of the item need each other now."""
        chained = pipeline.manager is Manager.DEPENDENT
        if pipeline.manager is Manager.SUPERCEDENT or (pipeline.ignore_dependencies and not chained):
            return False
        found = [await self.batch.near.change(number) for number in item.numbers]
        inside = [change for change in found if change is not None and change.status != MERGED]
        first = next((change for change in inside if change.status == OPEN), None)
        if first is None or item.patch_sets.isdisjoint((one.number, one.patch_set) for one in inside):
            return False
        near = await self.batch.near.around(layout, first, layout.tenant.max_dependencies or _MOST)
        if near is None:
            return False
        own = next(group for group in groups(near) if first.number in group.numbers)
        return {one.number for one in own.changes if one.status == OPEN} != {one.number for one in inside}
