# SPDX-License-Identifier: Apache-2.0
"""`record(queue, event) -> queue`: one fact is written down. The only way by which a queue changes.

Decides nothing: what a fact means for others is worked out by `plan`. A fact of an older attempt, of a build that
somebody else has by now, or of an item that left, changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from functools import reduce
from itertools import groupby
from typing import TypeVar, cast

from ...events import BranchMoved, Event
from ..config.model import Moment, Step, Window
from . import builds
from .facts import (
    BuildAborted,
    BuildAssigned,
    BuildReset,
    ItemDequeued,
    ItemEnqueued,
    ItemFailed,
    ItemReset,
    ItemsPromoted,
    ItemUnfit,
    LandAsked,
    Landed,
    LandingRefused,
    PrepareAsked,
    Prepared,
    PrepareFailed,
    QueueFact,
    QueueOpened,
    ReportAsked,
    Reported,
    RequirementsFailed,
    ResumeAsked,
    SemaphoresGranted,
)
from .graph import exhausted
from .model import (
    CANCELED,
    NOTHING,
    Build,
    Departure,
    Item,
    Outcome,
    Preparation,
    Queue,
    Unfit,
    place,
)
from .promotion import promoted

V = TypeVar("V")


def opened(event: QueueOpened) -> Queue:
    """A queue of which nothing else is known."""
    return Queue(event.queue, event.tenant, event.pipeline, event.name, event.policy, event.policy.window.size)


def record(queue: Queue, event: Event) -> Queue:
    """The queue with one more fact."""
    match event:
        case QueueOpened():
            limited = queue.window and event.policy.window.size  # between limits and none it begins as configured
            return replace(queue, policy=event.policy, window=queue.window if limited else event.policy.window.size)
        case ItemEnqueued():
            return _enqueued(queue, event)
        case ItemDequeued():
            return _dequeued(queue, event)
        case ItemsPromoted():
            return replace(queue, items={name: queue.items[name] for name in promoted(queue, event.items)})
        case Reported() if report_key(event.item, event.moment) in queue.reports:
            return replace(queue, reports=_without(queue.reports, report_key(event.item, event.moment)))
        case BranchMoved():
            return replace(queue, tips={**queue.tips, place(event.project, event.branch): event.new})
        case _ if isinstance(event, builds.TOLD):
            return _build_told(queue, event)
        case QueueFact() if (item := queue.items.get(getattr(event, "item", ""))) is not None:
            return _item_fact(queue, item, event)
        case _:
            return queue


def record_all(queue: Queue, facts: Iterable[Event]) -> Queue:
    """The queue with several facts, in their order. Resets come in long rows: a row of them changes the queue once."""
    for kind, alike in groupby(facts, key=type):
        row = list(alike)
        queue = _reset(queue, cast("list[ItemReset]", row)) if kind is ItemReset else reduce(record, row, queue)
    return queue


def _item_fact(queue: Queue, item: Item, event: QueueFact) -> Queue:
    match event:
        case ItemUnfit() if item.unfit is None:
            return _put(queue, replace(item, unfit=Unfit(event.reason, event.report)))
        case PrepareAsked() if event.attempt == item.attempt:
            return _put(queue, replace(item, asked=True, onto=event.onto))
        case Prepared() | PrepareFailed() if event.attempt == item.attempt and item.prepared is None:
            known = replace(queue, tips={**event.pins, **queue.tips})
            return _put(known, replace(item, asked=True, prepared=_preparation(event)))
        case BuildAssigned() if event.attempt == item.attempt:
            return _assigned(queue, item, event)
        case BuildAborted() | BuildReset() | ResumeAsked() | SemaphoresGranted():
            return _build_fact(queue, item, event)
        case RequirementsFailed() if event.attempt == item.attempt:
            return _put(queue, replace(item, builds={**item.builds, event.job: builds.refused(event)}))
        case ItemReset():
            return _reset(queue, (event,))
        case ItemFailed():
            return _put(queue, replace(item, failed=event.reason))
        case LandAsked() if event.attempt == item.attempt:
            return _put(queue, replace(item, landing=True))
        case Landed() if not item.landed:
            state = item.prepared.state if item.prepared else NOTHING
            moved = {change.place: state[change.place] for change in item.changes if change.place in state}
            return _put(replace(queue, tips={**queue.tips, **moved}), replace(item, landing=False, landed=True))
        case LandingRefused():
            known = replace(queue, tips={**queue.tips, **event.tips})
            return _put(known, replace(item, landing=False, refused=event.reason))
        case ReportAsked():
            told = replace(item, announced=(*item.announced, event.moment))
            return _put(_reporting(queue, Departure(told, event.moment)), told)
        case _:
            return queue


def _preparation(event: Prepared | PrepareFailed) -> Preparation:
    if isinstance(event, PrepareFailed):
        return Preparation(event.base, {}, ahead=event.ahead, broken=event.reason, moment=event.moment)
    return Preparation(
        event.base,
        event.state,
        event.jobs,
        event.ahead,
        event.pinned,
        event.fail_fast,
        commits=event.commits,
        tolerated=event.tolerated,
    )


def _enqueued(queue: Queue, event: ItemEnqueued) -> Queue:
    if event.item in queue.items:
        return queue
    return _put(
        queue,
        Item(event.item, event.enqueued, event.changes, event.ref, event.live, event.needs, event.passed),
    )


def _reset(queue: Queue, resets: Iterable[ItemReset]) -> Queue:
    """Nothing is left of what was prepared and run for these items."""
    fresh: dict[str, Item] = {}
    lost: list[str] = []
    for event in resets:
        item = fresh.get(event.item) or queue.items.get(event.item)
        if item is not None and event.attempt > item.attempt:
            lost += [build.id for build in item.unfinished]
            fresh[item.id] = replace(
                item, attempt=event.attempt, asked=False, onto="", prepared=None, builds={}, refused=None, landing=False
            )
    if not fresh:
        return queue
    return replace(
        queue, items={**queue.items, **fresh}, owners=_without(queue.owners, *lost) if lost else queue.owners
    )


def _assigned(queue: Queue, item: Item, event: BuildAssigned) -> Queue:
    build = builds.assigned(item.builds.get(event.job), event)
    if build is None:
        return queue
    owned = replace(queue, owners={**queue.owners, event.build: item.id})
    return _put(owned, replace(item, builds={**item.builds, event.job: build}))


def _build_fact(queue: Queue, item: Item, event: BuildAborted | BuildReset | ResumeAsked | SemaphoresGranted) -> Queue:
    build = next((build for build in item.builds.values() if build.id == event.build), None)
    return queue if build is None else _rebuilt(queue, item, build, builds.after(build, event))


def _build_told(queue: Queue, event: builds.Told) -> Queue:
    item = queue.items.get(queue.owners.get(event.build, ""))
    build = None if item is None else next((b for b in item.unfinished if b.id == event.build), None)
    if item is None or build is None or build.fence != event.fence:
        return queue
    return _rebuilt(queue, item, build, exhausted(item.job(build.job), builds.told(build, event)))


def _rebuilt(queue: Queue, item: Item, before: Build, build: Build) -> Queue:
    """The item with one of its builds changed; what ended has no owner any more."""
    if build is before:
        return queue
    if build.result and build.id in queue.owners:
        queue = replace(queue, owners=_without(queue.owners, build.id))
    return _put(queue, replace(item, builds={**item.builds, build.job: build}))


def _dequeued(queue: Queue, event: ItemDequeued) -> Queue:
    item = queue.items.get(event.item)
    if item is None:
        return queue
    items = _without(queue.items, item.id)
    if event.outcome is Outcome.MERGED:
        items = {name: _met(other, item.numbers) for name, other in items.items()}
    left = replace(
        queue,
        items=items,
        owners=_disowned(queue, item),
        tips=queue.tips if items else {},
        window=_window(queue.window, queue.policy.window, event.outcome),
    )
    if event.moment is None:
        return left
    return _reporting(left, Departure(replace(item, builds=_settled(item)), event.moment, event.reason))


def _settled(item: Item) -> Mapping[str, Build]:
    """The builds of an item that leaves: nobody waits for those that still run."""
    return {job: build if build.result else replace(build, result=CANCELED) for job, build in item.builds.items()}


def _met(item: Item, merged: tuple[int, ...]) -> Item:
    if not set(merged) & set(item.needs):
        return item
    return replace(item, needs=tuple(number for number in item.needs if number not in merged))


def _window(size: int, window: Window, outcome: Outcome) -> int:
    """The window after an item left: wider after a merge, narrower after a failure, never beyond its limits."""
    if window.size == 0:
        return 0
    match outcome, window:
        case Outcome.MERGED, Window(increase=Step.LINEAR):
            wider = size + window.increase_by
        case Outcome.MERGED, _:
            wider = size * window.increase_by
        case Outcome.FAILED, Window(decrease=Step.LINEAR):
            return min(size, max(window.floor, size - window.decrease_by))
        case Outcome.FAILED, _:
            return min(size, max(window.floor, size // max(1, window.decrease_by)))
        case _:
            return size
    return wider if window.ceiling is None else max(size, min(wider, window.ceiling))


def report_key(item: str, moment: Moment) -> str:
    """What makes a report the same report when it is made again."""
    return f"{item}:{moment}"


def _reporting(queue: Queue, departure: Departure) -> Queue:
    return replace(queue, reports={**queue.reports, report_key(departure.item.id, departure.moment): departure})


def _disowned(queue: Queue, item: Item) -> Mapping[str, str]:
    lost = [build.id for build in item.unfinished]
    return _without(queue.owners, *lost) if lost else queue.owners


def _put(queue: Queue, item: Item) -> Queue:
    return replace(queue, items={**queue.items, item.id: item})


def _without(mapping: Mapping[str, V], *keys: str) -> dict[str, V]:
    # A copy first: a reset of a long queue comes here for every item, and this is by far the fastest.
    left = dict(mapping)
    for key in keys:
        left.pop(key, None)
    return left
