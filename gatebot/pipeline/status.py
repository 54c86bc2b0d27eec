# SPDX-License-Identifier: Apache-2.0
"""The queues as people see them: what each item is tested on top of, its jobs, and why anything waits.

Pure: derived from the queues as they are, the configured pipelines, and when builds started. Pages
and REST show these values; every waiting thing has a reason here.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from ..reasons import Reason, reason
from .config.model import Manager, PipelineConfig
from .forecast import Forecast
from .queue.model import NOOP, SUCCESS, Build, Item, ItemChange, ItemRef, PlannedJob, Queue
from .queue.verdict import judge

_SLOT = reason("pipeline.waits-for-executor")
_NODE = Forecast(reason("pipeline.waits-for-node"), 0.0)
RUNNING, WAITING, FAILING, LANDING, PASSED = "running", "waiting", "failing", "landing", "passed"


@dataclass(frozen=True, slots=True)
class Times:
    """When builds started, how long each job usually takes (seconds), what time it is, and what builds wait for.

    `slot` is what jobs wait for that nobody has room for.
    """

    started: Mapping[str, datetime]
    usual: Mapping[str, float]
    now: datetime
    waits: Mapping[str, Forecast] = field(default_factory=dict[str, Forecast])
    slot: Reason = _SLOT

    def elapsed(self, build: str) -> float | None:
        """How long a build runs already."""
        at = self.started.get(build)
        return None if at is None else max(0.0, (self.now - at).total_seconds())

    def forecast(self, build: str) -> Forecast:
        """What a build waits for that has not begun."""
        return self.waits.get(build, _NODE)


@dataclass(frozen=True, slots=True)
class JobView:
    """One job of an item. `state` is a result of Zuul's, or running, failing, waiting; `left` are seconds, guessed."""

    name: str
    state: str
    voting: bool
    build: str = ""
    why: Reason | None = None
    elapsed: float | None = None
    left: float | None = None
    tries: int = 1
    error_line: int = 0
    needs: tuple[str, ...] = ()
    paused: bool = False


@dataclass(frozen=True, slots=True)
class ItemView:
    """One item; `onto` are the changes that it is tested on top of, `left` the guessed seconds to its end."""

    id: str
    changes: tuple[ItemChange, ...]
    ref: ItemRef | None
    position: int
    state: str
    why: Reason
    onto: tuple[int, ...]
    jobs: tuple[JobView, ...]
    enqueued: datetime
    restarts: int
    left: float | None
    live: bool = True


@dataclass(frozen=True, slots=True)
class Unbegun:
    """A job of a change that nobody has begun to run, and where it waits."""

    pipeline: str
    patch_set: int
    job: JobView


@dataclass(frozen=True, slots=True)
class QueueView:
    """One queue; `window` 0: no limit. `chained`: each item is tested on top of those before it."""

    id: str
    name: str
    window: int
    items: tuple[ItemView, ...]
    chained: bool = False


@dataclass(frozen=True, slots=True)
class PipelineView:
    """One pipeline of a tenant with its queues that hold something."""

    tenant: str
    name: str
    description: str
    manager: Manager
    queues: tuple[QueueView, ...]

    @property
    def size(self) -> int:
        """How many items are in it."""
        return sum(len(queue.items) for queue in self.queues)


def pipelines(
    configured: Iterable[tuple[str, PipelineConfig]], queues: Iterable[Queue], times: Times
) -> tuple[PipelineView, ...]:
    """Every pipeline (of a tenant's name and its configuration) in configured order, then those that are gone."""
    held: dict[tuple[str, str], list[Queue]] = {}
    for queue in queues:
        if queue.items:
            held.setdefault((queue.tenant, queue.pipeline), []).append(queue)
    found: list[PipelineView] = []
    for tenant, config in configured:
        inside = _queues(held.pop((tenant, config.name), []), times)
        found.append(PipelineView(tenant, config.name, config.description, config.manager, inside))
    for (tenant, name), left in sorted(held.items()):
        found.append(PipelineView(tenant, name, "", left[0].policy.manager, _queues(left, times)))
    return tuple(found)


def _queues(queues: Iterable[Queue], times: Times) -> tuple[QueueView, ...]:
    return tuple(queue_view(queue, times) for queue in sorted(queues, key=lambda queue: queue.name))


def queue_view(queue: Queue, times: Times) -> QueueView:
    """One queue from its head to its tail."""
    failing: set[int] = set()
    items: list[ItemView] = []
    longest: float | None = 0.0
    undecided = False
    for position, item in enumerate(queue.items.values(), 1):
        view = _item(queue, item, position, failing, undecided, times)
        if view.state == FAILING:
            failing.update(item.numbers)
        elif item.live:
            undecided = True
        if queue.policy.lands:
            # In a chain nothing ends sooner than what is ahead of it.
            longest = None if longest is None or view.left is None else max(longest, view.left)
            view = replace(view, left=longest)
        items.append(view)
    lands = queue.policy.lands
    return QueueView(queue.id, queue.name, queue.window if lands else 0, tuple(items), lands)


def unbegun(queues: Iterable[Queue], change: int, times: Times) -> tuple[Unbegun, ...]:
    """The jobs of a change that have no build yet."""
    return tuple(
        Unbegun(queue.pipeline, one.patch_set, job)
        for queue in queues
        for item in queue.items.values()
        if item.live
        for one in item.changes
        if one.number == change
        for job in _jobs(item, times)
        if job.state == WAITING and not job.build
    )


def _item(queue: Queue, item: Item, position: int, failing: set[int], undecided: bool, times: Times) -> ItemView:
    jobs = _jobs(item, times)
    state, why = _state(queue, item, position, failing, undecided, jobs)
    left = max((job.left for job in jobs if job.left is not None), default=0.0)
    unknown = item.prepared is None or any(job.left is None and job.state in (RUNNING, WAITING) for job in jobs)
    return ItemView(
        id=item.id,
        changes=item.changes,
        ref=item.ref,
        position=position,
        state=state,
        why=why,
        onto=item.prepared.ahead if item.prepared is not None else (),
        jobs=jobs,
        enqueued=item.enqueued,
        restarts=item.attempt - 1,
        left=None if unknown else left,
        live=item.live,
    )


def _state(
    queue: Queue, item: Item, position: int, failing: set[int], undecided: bool, jobs: tuple[JobView, ...]
) -> tuple[str, Reason]:
    broken = item.failed or judge(item).failure
    needed = next((number for number in item.needs if number in failing), None)
    if not item.live:
        return WAITING, reason("pipeline.stands-in")
    if item.reported:
        return RUNNING, reason("pipeline.reporter-jobs-run")
    if item.landing or item.landed:
        return LANDING, reason("pipeline.is-landing")
    if item.unfit is not None:
        return FAILING, item.unfit.reason
    if broken is not None:
        return FAILING, reason("pipeline.failing", broken)
    if needed is not None:
        return WAITING, reason("pipeline.needed-change-failing", change=needed)
    if not item.asked and queue.policy.lands and 0 < queue.window < position:
        return WAITING, reason("pipeline.waits-for-window", window=queue.window)
    if item.prepared is None:
        return WAITING, reason("pipeline.waits-for-preparation")
    if judge(item).complete:
        return PASSED, reason("pipeline.waits-for-ahead" if undecided else "pipeline.is-landing")
    if any(job.state == RUNNING for job in jobs):
        return RUNNING, reason("pipeline.builds-run")
    return WAITING, next((job.why for job in jobs if job.why is not None), _SLOT)


def _jobs(item: Item, times: Times) -> tuple[JobView, ...]:
    if item.prepared is None:
        return ()
    results = judge(item).results
    # What runs nothing is shown only where there is nothing else.
    real = [job for job in item.prepared.jobs if job.name != NOOP] or item.prepared.jobs
    return tuple(
        replace(
            _job(item, job, results, times), needs=tuple(need.name for need in job.needs), paused=_paused(item, job)
        )
        for job in real
    )


def _paused(item: Item, job: PlannedJob) -> bool:
    build = item.builds.get(job.key)
    return build is not None and build.paused and not build.result


def _job(item: Item, job: PlannedJob, results: Mapping[str, str], times: Times) -> JobView:
    build, usual, result = item.builds.get(job.key), times.usual.get(job.name), results.get(job.key, "")
    if build is None or (build.result and not result):
        view = JobView(job.name, result or WAITING, job.voting)
        if view.state != WAITING:
            return view
        return replace(
            view, why=_why_not_started(item, job, results, times), left=usual, tries=build.tries + 1 if build else 1
        )
    view = JobView(job.name, result, job.voting, build.id, tries=build.tries)
    if result:
        return replace(view, why=build.reason, error_line=build.error_line)
    if not build.started:
        forecast = times.forecast(build.id)
        left = usual + forecast.seconds if usual is not None and forecast.seconds is not None else None
        return replace(view, state=WAITING, why=forecast.why, left=left)
    elapsed = times.elapsed(build.id)
    left = max(usual - elapsed, 0.0) if usual is not None and elapsed is not None else None
    state = RUNNING if build.failing is None else FAILING
    return replace(view, state=state, why=build.failing or _why_it_stands(build), elapsed=elapsed, left=left)


def _why_it_stands(build: Build) -> Reason | None:
    """What a build that runs waits for."""
    if build.paused and not build.resumed:
        return reason("pipeline.paused-for-jobs")
    return reason("pipeline.waits-for-playbook-semaphores", names=", ".join(build.wants)) if build.wants else None


def _why_not_started(item: Item, job: PlannedJob, results: Mapping[str, str], times: Times) -> Reason:
    if job.key not in results:
        return reason("pipeline.waits-for-report")
    paused = {other.name for other in item.prepared.jobs if _paused(item, other)} if item.prepared is not None else ()
    open_needs = [need.name for need in job.needs if results.get(need.name, SUCCESS) == "" and need.name not in paused]
    if open_needs:
        return reason("pipeline.waits-for-jobs", jobs=", ".join(open_needs))
    if job.requires:
        return reason("pipeline.waits-for-artifacts", names=", ".join(job.requires))
    if job.semaphores:
        return reason("pipeline.waits-for-semaphores", names=", ".join(job.semaphores))
    return times.slot
