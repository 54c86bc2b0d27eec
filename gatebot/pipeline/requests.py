# SPDX-License-Identifier: Apache-2.0
"""What people ask of pipelines by name: a place, a departure, the head of a queue; a submit asks for the gate.

An adapter. Whoever asks was allowed to; what cannot be is told on the change.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from ..events import (
    BuildAbortRequested,
    DequeueRequested,
    EnqueueRequested,
    Event,
    PromoteRequested,
    RefDequeueRequested,
    RefEnqueueRequested,
    SubmitRequested,
)
from ..reasons import reason
from .batch import Batch
from .config.freeze import participates
from .config.model import Manager
from .entering import Entering
from .queue.facts import BuildAborted, ItemsPromoted, ItemUnfit
from .queue.model import ItemRef
from .staying import Staying

ASKED: tuple[type[Event], ...] = (
    SubmitRequested,
    EnqueueRequested,
    DequeueRequested,
    RefEnqueueRequested,
    RefDequeueRequested,
    PromoteRequested,
    BuildAbortRequested,
)
_HEADS = "refs/heads/"


@dataclass(frozen=True, slots=True)
class Requests:
    """`username` tells who is behind an account."""

    batch: Batch
    doors: Entering
    staying: Staying
    username: Callable[[int], Awaitable[str]]

    async def answer(self, event: Event) -> None:
        """Do what was asked for, or say why not."""
        match event:
            case SubmitRequested():
                await self._submit(event)
            case EnqueueRequested():
                await self._enqueue(event)
            case DequeueRequested():
                why = reason("pipeline.dequeued-by-person", username=await self.username(event.account))
                for queue, item in list(self.batch.view.stays(event.change)):
                    if queue.pipeline == event.pipeline:
                        self.staying.leave(queue, item, why)
            case RefEnqueueRequested():
                await self._enqueue_ref(event)
            case RefDequeueRequested():
                await self._dequeue_ref(event)
            case PromoteRequested():
                await self._promote(event)
            case BuildAbortRequested():
                await self._abort(event)
            case _:
                pass

    async def _submit(self, event: SubmitRequested) -> None:
        change = await self.batch.near.change(event.change)
        if change is None:
            return
        for layout in self.batch.ties.layouts.of_project(change.project):
            for pipeline in layout.pipelines.values():
                gate = pipeline.manager is Manager.DEPENDENT
                if gate and participates(layout, pipeline.name, change.project, change.branch):
                    await self.doors.demand(layout, pipeline, change)
                    return
        await self.batch.refuse(change, "submit", reason("pipeline.no-gate", project=change.project))

    async def _enqueue(self, event: EnqueueRequested) -> None:
        change = await self.batch.near.change(event.change)
        if change is None:
            return
        for layout in self.batch.ties.layouts.of_project(change.project):
            pipeline = layout.pipelines.get(event.pipeline)
            if pipeline is not None:
                await self.doors.demand(layout, pipeline, change, asked=True)
                return
        why = reason("pipeline.unknown-pipeline", pipeline=event.pipeline)
        await self.batch.refuse(change, event.pipeline, why)

    async def _enqueue_ref(self, event: RefEnqueueRequested) -> None:
        """A branch or tag, at the commit that was named, else where it is now."""
        name = _short(event.ref)
        for layout in self.batch.ties.layouts.of_project(event.project):
            pipeline = layout.pipelines.get(event.pipeline)
            if pipeline is not None:
                new = event.new or self.batch.ties.merger.tip(event.project, name) or ""
                ref = ItemRef(event.project, name, new, event.old, event.parameters)
                await self.doors.enter_ref(layout, pipeline, ref, asked=True)
                return

    async def _dequeue_ref(self, event: RefDequeueRequested) -> None:
        why = reason("pipeline.dequeued-by-person", username=await self.username(event.account))
        wanted = (event.project, _short(event.ref))
        for queue in list(self.batch.view.queues.values()):
            for item in queue.items.values() if queue.pipeline == event.pipeline else ():
                if item.ref is not None and (item.ref.project, item.ref.branch) == wanted and item.unfit is None:
                    self.batch.add(ItemUnfit(queue.id, item.id, why))

    async def _promote(self, event: PromoteRequested) -> None:
        """To the head of their queue, in this order; who lost what the pipeline requires leaves instead."""
        for number in event.changes:
            await self.staying.check(number)
        first: dict[str, dict[str, None]] = {}
        for number in event.changes:
            for queue, item in self.batch.view.stays(number):
                if queue.pipeline == event.pipeline and queue.policy.ordered and item.live and item.unfit is None:
                    first.setdefault(queue.id, {})[item.id] = None
        for queue, items in first.items():
            self.batch.add(ItemsPromoted(queue, tuple(items)))

    async def _abort(self, event: BuildAbortRequested) -> None:
        why = reason("pipeline.aborted-by-person", username=await self.username(event.account))
        for queue in list(self.batch.view.queues.values()):
            if (item := queue.owners.get(event.build)) is not None:
                self.batch.add(BuildAborted(queue.id, item, event.build, why))


def _short(ref: str) -> str:
    """A branch by its name; anything else in full."""
    return ref.removeprefix(_HEADS)
