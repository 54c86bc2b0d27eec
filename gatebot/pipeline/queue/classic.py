# SPDX-License-Identifier: Apache-2.0
"""The strategy `classic`: Zuul's nearest-non-failing-item with its window, decided anew on every pass.

One walk from the head to the tail. Each item should stand on the nearest item ahead that has not failed; what was
prepared stays valid exactly while its base is what that item (or the branch tips) say, place by place,
commit by commit: "the head merged" changes nothing, "something ahead failed" does. Only an item with
nothing undecided ahead merges or is reported.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice, repeat

from ...reasons import Reason, reason
from ..config.model import Manager, Moment
from .facts import (
    BuildAborted,
    BuildAssigned,
    BuildReset,
    ItemDequeued,
    ItemFailed,
    ItemReset,
    LandAsked,
    PrepareAsked,
    QueueFact,
    ReportAsked,
    ResumeAsked,
    SemaphoresGranted,
    build_id,
)
from .model import NOTHING, Item, Outcome, Policy, Preparation, Queue, State
from .record import report_key
from .verdict import Verdict, judge, reporters_failed, reports_by_jobs

_NEEDED_FAILS = "pipeline.needed-change-failing"
NOTHING_TO_RUN = reason("pipeline.no-job-of-this-pipeline")
_RUNS_AND_WAITS = 2  # items of a supercedent queue: one is worked on, and the newest waits


def propose(queue: Queue, now: datetime) -> tuple[QueueFact, ...]:
    """What this state of the queue asks for next; the clock has no say."""
    if not any(item.live for item in queue.items.values()):
        return tuple(ItemDequeued(queue.id, item, Outcome.WITHDRAWN) for item in queue.items)
    if queue.policy.manager is Manager.SUPERCEDENT and len(queue.items) > _RUNS_AND_WAITS:
        return tuple(
            ItemDequeued(queue.id, item, Outcome.WITHDRAWN, Moment.DEQUEUE, reason("pipeline.superseded-by-newer"))
            for item in tuple(queue.items)[1:-1]
        )
    walk = _Walk(queue)
    commands: list[QueueFact] = []
    for item, inside in _worked_on(queue):
        if walk.passes(item, inside=inside):
            continue
        commands += walk.visit(item, inside=inside)
        if walk.blocked:
            break
    return tuple(commands)


def _worked_on(queue: Queue) -> Iterator[tuple[Item, bool]]:
    """The items in their order, and whether each is inside the window; without those behind it if none was begun."""
    items, policy = queue.items.values(), queue.policy
    size = queue.window if policy.ordered and queue.window else len(items)
    yield from zip(islice(items, size), repeat(True))
    if any(one.asked or one.needs or one.unfit or not _entered(policy, one) for one in islice(items, size, None)):
        yield from zip(islice(items, size, None), repeat(False))


def _entered(policy: Policy, item: Item) -> bool:
    """Whether people were told that the item is in the queue, where they are to be told."""
    return Moment.ENQUEUE not in policy.announces or not item.live or Moment.ENQUEUE in item.announced


@dataclass(slots=True)
class _Walk:
    """What is known so far of the items ahead. `ahead` is the nearest that has not failed.

    `void`: that one is about to be prepared anew. `blocked`: reporter jobs run, and nothing is done for whoever is
    behind before they have ended.
    """

    queue: Queue
    ahead: Item | None = None
    void: bool = False
    present: set[int] = field(default_factory=set[int])
    failing: dict[int, tuple[Reason, Moment]] = field(default_factory=dict[int, tuple[Reason, Moment]])
    held: bool = False
    blocked: bool = False

    def passes(self, item: Item, *, inside: bool) -> bool:
        """Whether nothing is to be said about an item, as most of the time; if so, the walk stands behind it."""
        verdict, prepared = judge(item), item.prepared
        if not verdict.rests or (inside and not item.asked) or not _entered(self.queue.policy, item):
            return False
        if prepared is not None:
            its_turn = self.ahead is None or not self.queue.policy.lands
            if (verdict.complete and its_turn) or not self._stands(prepared):
                return False
        self.present.update([change.number for change in item.changes])
        self.ahead, self.void = item, False
        return True

    def visit(self, item: Item, *, inside: bool) -> Iterator[QueueFact]:
        """The commands about one item; afterwards the walk stands behind it."""
        leaving = self._must_leave(item)
        if leaving is not None:
            yield leaving
            return
        self.present.update(item.numbers)
        if item.landed or item.reported:
            yield from self._afterwards(item)
            return
        doomed = next((number for number in item.needs if number in self.failing), None) if item.needs else None
        if item.landing:
            self.ahead, self.void = item, False
        elif item.failed is not None:
            yield from self._go_on(item, inside=inside)
        elif doomed is not None:
            yield from self._wait_for(item, doomed)
        elif item.prepared is not None and not self._stands(item.prepared):
            yield ItemReset(self.queue.id, item.id, item.attempt + 1, self._why_void(item.prepared))
            self.ahead, self.void = item, True
        else:
            yield from self._go_on(item, inside=inside)

    def _must_leave(self, item: Item) -> QueueFact | None:
        """A departure that nothing can delay; an item whose landing is under way cannot leave."""
        if item.landing:
            return None
        if item.landed or item.reported:
            return None
        if item.unfit is not None:
            told = Moment.DEQUEUE if item.unfit.report and item.live else None
            return ItemDequeued(self.queue.id, item.id, Outcome.WITHDRAWN, told, item.unfit.reason)
        missing = next((number for number in item.needs if number not in self.present), None) if item.needs else None
        if missing is not None:
            moment = Moment.FAILURE if self.queue.policy.lands else Moment.DEQUEUE
            why = reason("pipeline.needed-change-left", change=missing)
            return self._left(item, Outcome.FAILED, moment, why)
        return None

    def _left(self, item: Item, outcome: Outcome, moment: Moment, why: Reason | None) -> ItemDequeued:
        return ItemDequeued(self.queue.id, item.id, outcome, moment if item.live else None, why)

    def _wait_for(self, item: Item, needed: int) -> Iterator[QueueFact]:
        """A change that it needs is failing: nothing is run for it until that is decided."""
        because, moment = self.failing[needed]
        if not self.queue.policy.lands:
            # A change that stands in runs nothing: it cannot be merged, or its configuration cannot be used.
            kind = "pipeline.needed-change-misconfigured" if moment is Moment.CONFIG_ERROR else _NEEDED_FAILS
            why = reason(kind, because, change=needed)
            self.failing.update(dict.fromkeys(item.numbers, (why, moment)))
            yield self._left(item, Outcome.FAILED, moment, why)
            return
        why = reason(_NEEDED_FAILS, change=needed)
        self.failing.update(dict.fromkeys(item.numbers, (why, moment)))
        if item.asked:
            yield ItemReset(self.queue.id, item.id, item.attempt + 1, why)

    def _stands(self, prepared: Preparation) -> bool:
        """Whether the base is what it should be: the proof of the whole gate hangs on this comparison."""
        if not self.queue.policy.lands:
            return True
        if self.ahead is not None and (self.void or self.ahead.prepared is None):
            return False
        ahead = self.ahead.prepared.state if self.ahead is not None and self.ahead.prepared is not None else NOTHING
        return agrees(prepared.base, ahead, self.queue.tips)

    def _why_void(self, prepared: Preparation) -> Reason:
        ahead = set(prepared.ahead)
        failed = next((number for number in reversed(self.failing) if number in ahead), None)
        return reason("pipeline.restarted", change=failed) if failed else reason("pipeline.base-moved")

    def _go_on(self, item: Item, *, inside: bool) -> Iterator[QueueFact]:
        if not _entered(self.queue.policy, item):
            yield ReportAsked(self.queue.id, item.id, Moment.ENQUEUE)
        if not item.asked and inside:
            yield PrepareAsked(self.queue.id, item.id, item.attempt, self.ahead.id if self.ahead else "")
        verdict = judge(item)
        why = verdict.failure or item.failed  # what is known by now says more than what decided it
        if item.live and item.builds:
            yield from self._running(item, verdict)
        if inside and item.live and verdict.ready and not verdict.stopped:
            yield from self._builds(item, verdict)
        if item.live and item.prepared is not None and (self.ahead is None or not self.queue.policy.lands):
            yield from self._finish(item, verdict, why)
        if why is not None:
            self.failing.update(dict.fromkeys(item.numbers, (why, _moment(item))))
        else:
            self.ahead, self.void = item, False
            self.held = self.held or verdict.holds

    def _running(self, item: Item, verdict: Verdict) -> Iterator[QueueFact]:
        """What the builds that there are need to hear; a semaphore is granted where it is free (`dispatching.py`)."""
        if verdict.stopped:
            yield from (BuildAborted(self.queue.id, item.id, build.id) for build in item.unfinished)
            return
        for build in verdict.stale:
            yield BuildReset(self.queue.id, item.id, build.id)
        for build in verdict.resumes:
            yield ResumeAsked(self.queue.id, item.id, build.id)
        for build in item.unfinished:
            if build.wants and build not in verdict.stale:
                yield SemaphoresGranted(self.queue.id, item.id, build.id, build.wants)

    def _builds(self, item: Item, verdict: Verdict) -> Iterator[QueueFact]:
        if self.held:
            return
        announced = Moment.START not in self.queue.policy.announces or Moment.START in item.announced
        for ready in verdict.ready:
            if not announced:
                yield ReportAsked(self.queue.id, item.id, Moment.START)
                announced = True
            key = ready.job.key
            build = build_id(item.id, item.attempt, key, ready.tries)
            yield BuildAssigned(self.queue.id, item.id, item.attempt, key, build, ready.tries, choice=ready.choice)

    def _afterwards(self, item: Item) -> Iterator[QueueFact]:
        """It has merged, or was told that it passed: it leaves, after its reporter jobs if it has any."""
        outcome = Outcome.MERGED if item.landed else Outcome.SUCCEEDED
        if not reports_by_jobs(item):
            yield ItemDequeued(self.queue.id, item.id, outcome, Moment.SUCCESS)
            return
        verdict = judge(item)
        stopped = item.unfit is not None and item.unfit.reason.kind == "pipeline.dequeued-by-person"
        if not item.reported:
            yield ReportAsked(self.queue.id, item.id, Moment.SUCCESS)
        self.blocked = not item.reported or not (verdict.complete or stopped)
        if item.reported and self.blocked and report_key(item.id, Moment.SUCCESS) not in self.queue.reports:
            yield from self._running(item, verdict)
            yield from self._builds(item, verdict)
        if self.blocked:
            return
        if reporters_failed(item):
            why = reason("pipeline.reporter-failed", change=", ".join(map(str, item.numbers)))
            behind = [other for other in self.queue.items.values() if other.asked and other.id != item.id]
            yield from (ItemReset(self.queue.id, other.id, other.attempt + 1, why) for other in behind)
        yield ItemDequeued(self.queue.id, item.id, outcome)

    def _finish(self, item: Item, verdict: Verdict, why: Reason | None) -> Iterator[QueueFact]:
        """It is the item's turn: it merges or leaves when all is known."""
        chained = self.queue.policy.lands
        if not verdict.complete:
            if chained and why is not None and item.failed is None:
                yield ItemFailed(self.queue.id, item.id, why)
        elif why is not None:
            moment = _moment(item)
            outcome = Outcome.WITHDRAWN if moment is Moment.NO_JOBS else Outcome.FAILED
            told = NOTHING_TO_RUN if moment is Moment.NO_JOBS and not chained else why
            yield self._left(item, outcome, moment, told)
        elif chained:
            yield LandAsked(self.queue.id, item.id, item.attempt)
        elif reports_by_jobs(item):
            yield ReportAsked(self.queue.id, item.id, Moment.SUCCESS)
        else:
            yield self._left(item, Outcome.SUCCEEDED, Moment.SUCCESS, None)


def _moment(item: Item) -> Moment:
    if item.prepared is not None and item.prepared.broken is not None:
        return item.prepared.moment
    if item.prepared is not None and not item.prepared.jobs:
        return Moment.NO_JOBS
    return Moment.FAILURE


def agrees(base: State, ahead: State, tips: State) -> bool:
    """Whether a base is exactly what the item ahead leaves, over the branch tips.

    What the item ahead changes must be in the base; what it leaves at the tip need not be.
    """
    for at, commit in base.items():
        if ahead.get(at, tips.get(at)) != commit:
            return False
    return ahead.keys() <= base.keys() or all(at in base or tips.get(at) == commit for at, commit in ahead.items())
