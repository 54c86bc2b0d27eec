# SPDX-License-Identifier: Apache-2.0
"""Whether a job finds the artifacts that it `requires`: in builds ahead of its item, or in builds of the past.

Pure, as Zuul does it. A change ahead in the queue provides what its jobs build; one that only stands in (its own item
is elsewhere in the pipeline, or was) provides what was built for it there. A job waits for providers that still run.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace

from ..reasons import Reason, reason
from .queue.facts import BuildAssigned, QueueFact, RequirementsFailed
from .queue.graph import counts, result
from .queue.model import SUCCESS, Item, ItemChange, PlannedJob, Queue
from .view import View


@dataclass(frozen=True, slots=True)
class PastBuild:
    """A build that ended, of a change that has no item any more."""

    build: str
    job: str
    result: str
    provides: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Lost:
    """A build whose artifacts are not kept any more."""

    build: str
    change: int
    provides: tuple[str, ...]


Past = Callable[[Queue, ItemChange, frozenset[str]], Sequence[PastBuild]]
"""The builds of the newest buildset of a change in the pipeline of a queue that provide any of these."""


Losses = Callable[[Sequence[str]], Sequence[Lost]]
"""Those of some builds whose artifacts are not kept any more."""


@dataclass(frozen=True, slots=True)
class Provision:
    """`builds` are those whose artifacts the job gets, nearest first; `waits` and `failed` say why it cannot start."""

    builds: tuple[str, ...] = ()
    waits: bool = False
    failed: Reason | None = None

    def __add__(self, other: Provision) -> Provision:
        return Provision(self.builds + other.builds, self.waits or other.waits, self.failed or other.failed)


@dataclass(frozen=True, slots=True)
class Providers:
    """The small model that is read: all queues as they are now, and the past with what was lost of it."""

    view: View
    past: Past = field(default=lambda queue, change, requires: ())
    losses: Losses = field(default=lambda builds: ())

    def settle(self, queue: Queue, command: QueueFact) -> QueueFact | None:
        """The command with what it needs; another where that has failed; None: not yet."""
        if not isinstance(command, BuildAssigned):
            return command
        item = queue.items[command.item]
        job = item.job(command.job)
        if job is None or not job.requires:
            return command
        found = self._there(self.provision(queue, item, job), frozenset(job.requires))
        if found.failed is not None:
            where = (command.queue, command.item, command.attempt, command.job, command.build)
            return RequirementsFailed(*where, found.failed, command.tries)
        return None if found.waits else replace(command, provided=tuple(reversed(found.builds)))

    def provision(self, queue: Queue, item: Item, job: PlannedJob) -> Provision:
        """What the items that one stands on have for a job of it."""
        numbers = item.prepared.ahead if item.prepared is not None else ()
        present = {number: other for other in queue.items.values() for number in other.numbers}
        ahead = dict.fromkeys(present[number].id for number in reversed(numbers) if number in present)
        return sum((self._of(queue, queue.items[one], frozenset(job.requires)) for one in ahead), Provision())

    def _there(self, found: Provision, requires: frozenset[str]) -> Provision:
        """The same, where what is to be handed on is kept; a job never starts as if it were."""
        gone = None if found.waits or not found.builds else next(iter(self.losses(found.builds)), None)
        if gone is None:
            return found
        wanted = ", ".join(sorted(requires.intersection(gone.provides)))
        why = reason("pipeline.required-artifacts-gone", artifacts=wanted, build=gone.build, change=gone.change)
        return replace(found, failed=found.failed or why)

    def _of(self, queue: Queue, ahead: Item, requires: frozenset[str]) -> Provision:
        if ahead.live:
            return _running(ahead, requires)
        itself = self._elsewhere(queue, ahead)
        if itself is None:
            return self._ended(queue, ahead, requires)
        # What fails there is told at once: the item will not provide it any more.
        failed = next(_failed(itself, requires), None)
        return Provision(failed=failed) if failed is not None else _running(itself, requires)

    def _elsewhere(self, queue: Queue, ahead: Item) -> Item | None:
        """The item that tests these very patch sets, in the same pipeline."""
        stays = (stay for number in ahead.numbers[:1] for stay in self.view.stays(number))
        same = [(change.number, change.patch_set) for change in ahead.changes]
        for other, item in stays:
            here = item.live and (other.tenant, other.pipeline) == (queue.tenant, queue.pipeline)
            if here and [(change.number, change.patch_set) for change in item.changes] == same:
                return item
        return None

    def _ended(self, queue: Queue, ahead: Item, requires: frozenset[str]) -> Provision:
        for change in ahead.changes:
            builds = self.past(queue, change, requires)
            if builds:
                lost = next((one for one in builds if one.result != SUCCESS), None)
                if lost is not None:
                    return Provision(failed=_why(requires, lost.provides, change.number, lost.job, lost.result))
                return Provision(tuple(one.build for one in builds))
        return Provision()


def _providing(item: Item, requires: frozenset[str]) -> Iterator[PlannedJob]:
    jobs = item.prepared.jobs if item.prepared is not None else ()
    return (job for job in jobs if not requires.isdisjoint(job.provides))


def _running(item: Item, requires: frozenset[str]) -> Provision:
    """What the builds of an item have; a build that failed will not have it before the item has left."""
    if item.prepared is None:
        return Provision(waits=True)
    found: list[str] = []
    for job in _providing(item, requires):
        build = counts(item.builds.get(job.key))
        ended = result(job, build)
        if build is None or (ended != SUCCESS and not (build.paused and not ended)):
            return Provision(waits=True)
        found.append(build.id)
    return Provision(tuple(found))


def _failed(item: Item, requires: frozenset[str]) -> Iterator[Reason]:
    for job in _providing(item, requires):
        ended = result(job, item.builds.get(job.key))
        if ended not in ("", SUCCESS):
            own = item.subject(job)
            number = own.number if isinstance(own, ItemChange) else 0
            yield _why(requires, job.provides, number, job.name, ended)


def _why(requires: frozenset[str], provides: Sequence[str], change: int, job: str, ended: str) -> Reason:
    wanted = ", ".join(sorted(requires.intersection(provides)))
    return reason("pipeline.required-build-failed", artifacts=wanted, change=change, job=job, result=ended)
