# SPDX-License-Identifier: Apache-2.0
"""Turns what happened elsewhere into facts of queues: who enters which pipeline, and who may not stay.

Asks the rooms of changes, so it is asynchronous; it writes nothing: the driver stores the facts. Who enters with which
dependencies is decided in `admission.py`, who must leave in `staying.py`, what people ask for in `requests.py`.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Sequence
from copy import deepcopy
from dataclasses import replace

from ..change import ChangeFacts
from ..errors import Unavailable
from ..events import (
    BranchMoved,
    ChangeAbandoned,
    ChangeDeleted,
    ChangeMerged,
    ChangeRestored,
    CommentAdded,
    Event,
    HashtagsChanged,
    PatchSetCreated,
    TopicChanged,
    VoteCast,
    WorkInProgressChanged,
)
from ..journal import Entry
from .batch import Batch
from .config.freeze import participates
from .config.layout import Layout
from .config.model import PipelineConfig
from .entering import Entering
from .happenings import TOLD, Cast, happenings
from .homes import concerning
from .layouts import configures
from .model import AgeReached, TimerFired
from .queue.facts import QueueFact
from .queue.model import ItemRef
from .requests import ASKED, Requests
from .staying import Staying
from .triggers import Happening, may_wake, wakes
from .view import View

log = logging.getLogger(__name__)

TRIGGERS: tuple[type[Event], ...] = (*TOLD, *ASKED, TimerFired, AgeReached)
"""The kinds of events that are looked at."""
_OUTSIDE = (OSError, Unavailable)
_OFTEN, _FEW = 60, 3  # how often an event is looked at, about once a second, before it is passed over


class Intake:
    """`batch` carries the ties to the rooms beside; `gate` is the username of the gate's account."""

    def __init__(self, batch: Batch, gate: str = "gatebot") -> None:
        self._in = batch
        self._gate = gate
        self._doors = Entering(batch)
        self._staying = Staying(batch, self._doors)
        self._requests = Requests(batch, self._doors, self._staying, self._username)
        self._people: dict[int, tuple[str, str]] = {}
        self._cast = Cast()
        self._waited: tuple[int, Cast] = (0, self._cast)
        self._tries: Counter[int] = Counter()
        self._fresh = False
        self._moved: set[str] = set()

    async def translate(self, entries: Sequence[Entry], view: View) -> list[QueueFact]:
        """The facts that follow from these entries, given the queues as they are; `view` is changed on the way.

        Raises what keeps an entry from being dealt with now: all of them are to be looked at again, a moment later.
        """
        self._in.begin(view)
        self._begin_again(entries[0].id if entries else 0)
        self._fresh = False
        self._moved = {entry.event.project for entry in entries if isinstance(entry.event, BranchMoved)}
        changed, deleted = self._cast.of((entry.id, entry.event) for entry in entries)
        for entry in entries:
            self._in.entry = entry
            try:
                await self._stay(entry.event)
                for told, account in happenings(
                    entry.event, changed=changed.get(entry.id, ()), deleted=entry.id in deleted
                ):
                    username, email = await self._person(account)
                    await self._wake(replace(told, username=username, email=email))
                await self._requests.answer(entry.event)
                if isinstance(entry.event, TimerFired):
                    await self._timer_fired(entry.event)
                await self._tell_inside(entry.event)
            except Exception as error:
                # Nothing may be forgotten because of a moment's trouble, nor may one event stop all others for ever.
                self._tries[entry.id] += 1
                if self._tries[entry.id] < (_OFTEN if isinstance(error, _OUTSIDE) else _FEW):
                    raise
                log.exception("the event %d (%s) could not be dealt with", entry.id, type(entry.event).__name__)
        return self._in.facts

    def _begin_again(self, first: int) -> None:
        """The votes that wait for their comment, as they were before these entries, also when these come again."""
        if first and first == self._waited[0]:
            self._cast = deepcopy(self._waited[1])
        else:
            self._tries.clear()
            self._waited = (first, deepcopy(self._cast))

    async def _stay(self, event: Event) -> None:
        """What an event means for those that are inside, before it brings others in."""
        match event:
            case PatchSetCreated():
                await self._staying.replaced(event.change, event.patch_set)
                await self._staying.regroup(await self._staying.around(event.change))
            case VoteCast() | CommentAdded() | WorkInProgressChanged() | HashtagsChanged():
                told = not isinstance(event, CommentAdded) or bool(event.votes)
                if told and event.change in self._in.view.members and await self._username(event.account) != self._gate:
                    await self._staying.check(event.change)
            case ChangeAbandoned():
                near = await self._staying.around(event.change)
                await self._staying.abandoned(event.change)
                await self._staying.regroup(near)
            case ChangeDeleted():
                await self._staying.deleted(event.change)
            case ChangeRestored():
                await self._staying.regroup(await self._staying.around(event.change))
            case TopicChanged():
                await self._staying.regroup(await self._staying.around(event.change, event.old))
            case ChangeMerged():
                self._staying.merged(event)
            case BranchMoved():
                await self._refresh(event)
            case AgeReached():
                await self._aged(event)
            case _:
                pass

    # Triggers

    async def _wake(self, happening: Happening) -> None:
        """Offer an event to every pipeline of its tenants."""
        change: ChangeFacts | None = None
        if happening.change is not None and not happening.project:
            # Only numbers are known: the change says which project this is, where that can matter to anybody.
            layouts = self._in.ties.layouts.all.values()
            if not any(may_wake(pipeline, happening) for layout in layouts for pipeline in layout.pipelines.values()):
                return
            change = await self._in.near.change(happening.change)
            if change is None:
                return
            happening = replace(happening, project=change.project, branch=change.branch, patch_set=change.patch_set)
        happening = replace(happening, ref=happening.ref or f"refs/heads/{happening.branch}")
        for layout in self._in.ties.layouts.of_project(happening.project):
            for pipeline in layout.pipelines.values():
                if may_wake(concerning(layout, pipeline, happening.project), happening):
                    if change is None and happening.change is not None:
                        change = await self._in.near.change(happening.change)
                    await self._woken(layout, pipeline, happening, change)

    async def _woken(
        self, layout: Layout, pipeline: PipelineConfig, happening: Happening, change: ChangeFacts | None
    ) -> None:
        at = change.project if change is not None else happening.project
        if not wakes(concerning(layout, pipeline, at), happening, change, self._in.now()):
            return
        if change is not None:
            await self._doors.enter(layout, pipeline, change)
        elif happening.change is None:
            told = happening.project, happening.branch or happening.ref, happening.new, happening.old
            await self._doors.enter_ref(layout, pipeline, ItemRef(*told))

    async def _tell_inside(self, event: Event) -> None:
        """What pipelines tell each other: a change merged, or entered one of them."""
        if isinstance(event, ChangeMerged):
            layouts = self._in.ties.layouts.of_project(event.project)
            if any(pipeline.zuul_triggers for layout in layouts for pipeline in layout.pipelines.values()):
                for number in await self._in.ties.review.open_changes(event.project):
                    await self._wake(Happening("project-change-merged", "", "", number))
        while self._in.entered:
            layout, name, number = self._in.entered.pop(0)
            told = Happening("parent-change-enqueued", "", "", pipeline=name)
            listening = [one for one in layout.pipelines.values() if may_wake(one, told)]
            for behind in await self._in.near.behind(number) if listening else ():
                change = await self._in.near.change(behind)
                for pipeline in listening if change is not None else ():
                    await self._woken(layout, pipeline, replace(told, change=behind), change)

    # Branches and timers

    async def _refresh(self, event: BranchMoved) -> None:
        """Read the configuration again where it may have moved: once for all the moves of a batch, which are made."""
        if not self._fresh and self._may_configure(event):
            await asyncio.to_thread(self._in.ties.layouts.refresh, self._moved)
            self._fresh = True

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

    async def _timer_fired(self, event: TimerFired) -> None:
        """Every branch of every project that has jobs in the pipeline."""
        layout = self._in.ties.layouts.current(event.tenant)
        pipeline = layout.pipelines.get(event.pipeline) if layout is not None else None
        if layout is None or pipeline is None:
            return
        for project in layout.projects:
            for branch in layout.sources.branches.get(project, ()):
                if participates(layout, pipeline.name, project, branch):
                    tip = self._in.ties.merger.tip(project, branch) if event.dereference else ""
                    await self._doors.enter_ref(layout, pipeline, ItemRef(project, branch, tip or ""))

    async def _aged(self, event: AgeReached) -> None:
        """Votes are older now: who is inside may have to leave, who was refused for their age may enter."""
        await self._staying.check(event.change)
        layout = self._in.ties.layouts.current(event.tenant)
        pipeline = layout.pipelines.get(event.pipeline) if layout is not None else None
        change = await self._in.near.change(event.change) if event.refused else None
        if layout is not None and pipeline is not None and change is not None:
            await self._doors.enter(layout, pipeline, change)

    async def _person(self, account: int | None) -> tuple[str, str]:
        if account is None:
            return "", ""
        known = self._people.get(account)
        if known is None:
            found = await self._in.ties.people.by_id(account)
            known = (found.username, found.email) if found is not None else ("", "")
            self._people[account] = known
        return known

    async def _username(self, account: int) -> str:
        return (await self._person(account))[0]
