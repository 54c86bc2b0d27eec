# SPDX-License-Identifier: Apache-2.0
"""Turns what happened elsewhere into facts of queues: who enters which pipeline, and who may not stay.

Asks the review room about changes, so it is asynchronous; it writes nothing: the driver stores the facts. Who enters
with which dependencies is decided in `entering.py`.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable
from dataclasses import replace

from ..change import ChangeFacts
from ..events import (
    BranchMoved,
    ChangeAbandoned,
    ChangeMerged,
    ChangeRestored,
    CommentAdded,
    DequeueRequested,
    EnqueueRequested,
    Event,
    PatchSetCreated,
    SubmitRequested,
    VoteCast,
    WorkInProgressChanged,
)
from ..journal import Entry
from ..reasons import Reason, reason
from .config.freeze import participates
from .config.layout import Layout
from .config.model import Manager, PipelineConfig
from .entering import Entering
from .layouts import configures
from .model import TimerFired
from .queue.facts import ItemUnfit, QueueFact
from .queue.model import Item, Queue
from .triggers import Happening, may_wake, own_labels, unmet, wakes
from .view import View

log = logging.getLogger(__name__)

TRIGGERS: tuple[type[Event], ...] = (
    PatchSetCreated,
    CommentAdded,
    VoteCast,
    ChangeAbandoned,
    ChangeRestored,
    ChangeMerged,
    BranchMoved,
    WorkInProgressChanged,
    SubmitRequested,
    EnqueueRequested,
    DequeueRequested,
    TimerFired,
)
"""The kinds of events that are looked at."""


class Intake:
    """`entering` carries the ties to the review room and the layouts; `gate` is the username of the gate's account."""

    def __init__(self, entering: Entering, gate: str = "gatebot") -> None:
        self._in = entering
        self._gate = gate
        self._people: dict[int, tuple[str, str]] = {}

    async def translate(self, entries: Iterable[Entry], view: View) -> list[QueueFact]:
        """The facts that follow from these entries, given the queues as they are; `view` is changed on the way."""
        self._in.begin(view)
        for entry in entries:
            try:
                await self._look_at(entry)
            except Exception:
                # One event that cannot be dealt with must not stop all others for ever.
                log.exception("the event %d (%s) could not be dealt with", entry.id, type(entry.event).__name__)
        return self._in.facts

    async def _look_at(self, entry: Entry) -> None:
        self._in.entry = entry
        match entry.event:
            case BranchMoved() as event:
                await self._branch_moved(event)
            case TimerFired() as event:
                self._timer_fired(event)
            case SubmitRequested() as event:
                await self._submit(event)
            case EnqueueRequested() as event:
                await self._demand(event)
            case DequeueRequested() as event:
                why = reason("pipeline.dequeued-by-person", username=(await self._person(event.account))[0])
                for queue, item in self._in.view.stays(event.change):
                    if queue.pipeline == event.pipeline:
                        self._unfit(queue, item, why)
            case (
                PatchSetCreated() | CommentAdded() | ChangeAbandoned() | ChangeRestored() | ChangeMerged() | VoteCast()
            ) as event:
                await self._change_event(event)
            case WorkInProgressChanged() as event:
                await self._check_stays(event.change, event.account)
                await self._wake(Happening("wip-state-changed", "", "", event.change))
            case _:
                pass

    # Events of changes

    async def _change_event(
        self, event: PatchSetCreated | CommentAdded | ChangeAbandoned | ChangeRestored | ChangeMerged | VoteCast
    ) -> None:
        number = event.change
        match event:
            case PatchSetCreated():
                self._replaced(number, event.patch_set)
                named = Happening("patchset-created", event.project, event.branch, number, event.patch_set)
            case CommentAdded():
                if event.votes:
                    await self._check_stays(number, event.account)
                named = Happening("comment-added", "", "", number, comment=event.text, approvals=event.votes)
            case VoteCast():
                # The comment of the same posting triggers; this only says that approvals differ.
                await self._check_stays(number, event.account)
                return
            case ChangeAbandoned():
                for queue, item in list(self._in.view.stays(number)):
                    self._unfit(queue, item, reason("pipeline.abandoned"))
                named = Happening("change-abandoned", "", "", number, comment=event.text)
            case ChangeRestored():
                named = Happening("change-restored", "", "", number, comment=event.text)
            case ChangeMerged():
                self._merged(event)
                named = Happening("change-merged", event.project, event.branch, number, event.patch_set)
        account = event.uploader if isinstance(event, PatchSetCreated) else event.account
        username, email = await self._person(account)
        await self._wake(replace(named, username=username, email=email))

    def _replaced(self, number: int, patch_set: int) -> None:
        """Items of older patch sets are not what people want any more."""
        for queue, item in list(self._in.view.stays(number)):
            pipeline = self._in.pipeline(queue)
            old = next(change for change in item.changes if change.number == number)
            if old.patch_set < patch_set and (pipeline is None or pipeline.dequeue_on_new_patchset):
                self._unfit(queue, item, reason("pipeline.new-patch-set", patch_set=patch_set))

    def _merged(self, event: ChangeMerged) -> None:
        """A change that merged without its queue has nothing to do there."""
        for queue, item in list(self._in.view.stays(event.change)):
            if queue.policy.lands and item.id != event.item:
                self._unfit(queue, item, reason("pipeline.merged-elsewhere"))

    async def _check_stays(self, number: int, account: int) -> None:
        """Votes or states differ: whoever does not meet the requirements any more leaves."""
        stays = [(queue, item) for queue, item in self._in.view.stays(number) if item.live]
        if not stays or (await self._person(account))[0] == self._gate:
            return
        for queue, item in stays:
            pipeline = self._in.pipeline(queue)
            patch_set = next(change.patch_set for change in item.changes if change.number == number)
            change = await self._in.ties.review.change(number, patch_set)
            if pipeline is None or change is None:
                continue
            why = unmet(pipeline, change, self._in.now(), own_labels(pipeline))
            if why is None and queue.policy.lands:
                why = await self._in.ties.review.ready(number)
            if why is not None:
                self._unfit(queue, item, Reason("pipeline.requirements-lost", (), (why,)))

    def _unfit(self, queue: Queue, item: Item, why: Reason) -> None:
        """Take an item out; from a check, where the cause is seen on the change itself, without a further word."""
        self._in.add(ItemUnfit(queue.id, item.id, why, report=queue.policy.lands))

    async def _wake(self, happening: Happening) -> None:
        """Offer an event of a change to every pipeline of its tenants."""
        change: ChangeFacts | None = None
        if happening.change is not None and not happening.project:
            # Only numbers are known: the change says which project this is.
            change = await self._in.ties.review.change(happening.change)
            if change is None:
                return
            happening = replace(happening, project=change.project, branch=change.branch, patch_set=change.patch_set)
        ref = happening.ref or f"refs/heads/{happening.branch}"
        happening = replace(happening, ref=ref)
        for layout in self._in.ties.layouts.of_project(happening.project):
            for pipeline in layout.pipelines.values():
                if may_wake(pipeline, happening):
                    if change is None and happening.change is not None:
                        change = await self._in.ties.review.change(happening.change)
                    await self._woken(layout, pipeline, happening, change)

    async def _woken(
        self, layout: Layout, pipeline: PipelineConfig, happening: Happening, change: ChangeFacts | None
    ) -> None:
        if not wakes(pipeline, happening, change, self._in.now()):
            return
        if change is not None:
            await self._in.enter(layout, pipeline, change)
        elif happening.change is None:
            self._in.enter_ref(layout, pipeline, happening.project, happening.branch, happening.new, happening.old)

    # Branches, timers, people

    async def _branch_moved(self, event: BranchMoved) -> None:
        if self._may_configure(event):
            await asyncio.to_thread(self._in.ties.layouts.refresh, {event.project})
        await self._wake(Happening("ref-updated", event.project, event.branch, None, None, "", event.old, event.new))

    def _may_configure(self, event: BranchMoved) -> bool:
        """Whether configuration may have moved with the branch: of the gate's own items the files are known."""
        queues = self._in.view.queues.values()
        item = next((queue.items[event.item] for queue in queues if event.item and event.item in queue.items), None)
        if item is None:
            return True
        return any(
            configures(layout, change.project, change.files)
            for change in item.changes
            for layout in self._in.ties.layouts.of_project(change.project)
        )

    def _timer_fired(self, event: TimerFired) -> None:
        """Every branch of every project that has jobs in the pipeline."""
        layout = self._in.ties.layouts.current(event.tenant)
        pipeline = layout.pipelines.get(event.pipeline) if layout is not None else None
        if layout is None or pipeline is None:
            return
        for project in layout.projects:
            for branch in layout.sources.branches.get(project, ()):
                if participates(layout, pipeline.name, project, branch):
                    tip = self._in.ties.merger.tip(project, branch) if event.dereference else ""
                    self._in.enter_ref(layout, pipeline, project, branch, tip or "", "")

    async def _submit(self, event: SubmitRequested) -> None:
        change = await self._in.ties.review.change(event.change)
        if change is None:
            return
        for layout in self._in.ties.layouts.of_project(change.project):
            for pipeline in layout.pipelines.values():
                gate = pipeline.manager is Manager.DEPENDENT
                if gate and participates(layout, pipeline.name, change.project, change.branch):
                    await self._in.demand(layout, pipeline, change)
                    return
        await self._in.refuse(change, "submit", reason("pipeline.no-gate", project=change.project))

    async def _demand(self, event: EnqueueRequested) -> None:
        change = await self._in.ties.review.change(event.change)
        if change is None:
            return
        for layout in self._in.ties.layouts.of_project(change.project):
            pipeline = layout.pipelines.get(event.pipeline)
            if pipeline is not None:
                await self._in.demand(layout, pipeline, change, asked=True)
                return
        await self._in.refuse(change, event.pipeline, reason("pipeline.unknown-pipeline", pipeline=event.pipeline))

    async def _person(self, account: int) -> tuple[str, str]:
        known = self._people.get(account)
        if known is None:
            found = await self._in.ties.people.by_id(account)
            known = (found.username, found.email) if found is not None else ("", "")
            self._people[account] = known
        return known
