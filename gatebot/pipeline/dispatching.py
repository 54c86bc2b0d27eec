# SPDX-License-Identifier: Apache-2.0
"""Which of the builds that queues ask for may start now: as many as executors take, within the semaphores.

Pure. What is not accepted is asked for again at the next pass, so nothing waits in a list of its own, and who comes
first is decided anew each time, as the queues are then.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from .config.model import Precedence
from .queue.facts import BuildAssigned, QueueFact, SemaphoresGranted
from .queue.model import Item, Queue
from .queue.plan import again

_URGENCY = {Precedence.HIGH: 0, Precedence.NORMAL: 1, Precedence.LOW: 2}


Wish = tuple[Queue, BuildAssigned]
"""A build that a queue asks for."""


def by_urgency(wishes: Sequence[Wish], queues: Iterable[Queue], slots: int) -> Sequence[Wish]:
    """The order in which builds are given out, where there may not be room, or semaphores, for all of them.

    By the pipeline's precedence, chains of merges first; then by turn, as Zuul's relative priority: in a queue that is
    shared the place in it, elsewhere the number of the item among those of its project, so that a project with
    many changes does not keep the others waiting. `queues` are all queues there are.
    """
    if len(wishes) <= slots and not any(_of_job(queue.items[one.item], one.job) for queue, one in wishes):
        return wishes
    turns = _turns(queues)

    def urgency(wish: Wish) -> tuple[int, bool, int, datetime, tuple[int, ...]]:
        queue, command = wish
        policy, item = queue.policy, queue.items[command.item]
        return _URGENCY[policy.precedence], not policy.lands, turns.get(item.id, 0), item.enqueued, item.numbers

    return sorted(wishes, key=urgency)


def _turns(queues: Iterable[Queue]) -> dict[str, int]:
    """The turn of each live item."""
    turns: dict[str, int] = {}
    alone: dict[tuple[str, str, str], list[Item]] = {}
    for queue in queues:
        live = [item for item in queue.items.values() if item.live]
        if queue.policy.ordered:
            turns.update((item.id, turn) for turn, item in enumerate(live))
        else:
            for item in live:
                own = item.changes[-1] if item.changes else item.ref
                project = own.project if own is not None else ""
                alone.setdefault((queue.tenant, queue.pipeline, project), []).append(item)
    for items in alone.values():
        turns.update((item.id, turn) for turn, item in enumerate(sorted(items, key=lambda item: item.enqueued)))
    return turns


Semaphore = tuple[str, str]
"""Tenant and name; no tenant: one that tenants share."""


def held(queue: Queue) -> Iterator[tuple[str, frozenset[str]]]:
    """The semaphores that each build of a queue holds: its job's while it lives, a playbook's while that runs."""
    for owner in set(queue.owners.values()):
        item = queue.items[owner]
        for build in item.unfinished:
            names = _of_job(item, build.job).union(build.holds)
            if names:
                yield build.id, names


def _of_job(item: Item, key: str) -> frozenset[str]:
    job = item.job(key)
    return frozenset(job.semaphores) if job is not None else frozenset()


@dataclass(slots=True)
class Room:
    """What is left to give out in one pass.

    `limits` are the sizes of semaphores, 1 where nothing is configured; `shared` are those that a tenant shares with
    others. Each build holds a semaphore once, however often it asks. What is held is counted only where somebody asks.
    `hopeless` are definitions of jobs that nobody could ever run: these take nothing, and are told so at once.
    """

    slots: int
    queues: Collection[Queue] = ()
    limits: Mapping[Semaphore, int] = field(default_factory=dict[Semaphore, int])
    shared: Collection[Semaphore] = ()
    hopeless: Collection[str] = ()
    _held: Counter[Semaphore] | None = None

    def takes(self, queue: Queue, command: QueueFact) -> bool:
        """Whether a command may be accepted; what it takes is counted."""
        match command:
            case BuildAssigned():
                item = queue.items[command.item]
                if (job := item.job(command.job)) is not None and job.definition in self.hopeless:
                    return True
                if self.slots <= 0 or not self._take(queue, _of_job(item, command.job)):
                    return False
                self.slots -= 1
                return True
            case SemaphoresGranted():
                item = queue.items[command.item]
                build = next((one for one in item.unfinished if one.id == command.build), None)
                mine = _of_job(item, build.job).union(build.holds) if build is not None else frozenset[str]()
                return self._take(queue, frozenset(command.names) - mine)
            case _:
                return True

    def _take(self, queue: Queue, names: frozenset[str]) -> bool:
        """Take all of these, or none."""
        if not names:
            return True
        if self._held is None:
            self._held = Counter(
                self._semaphore(one.tenant, name) for one in self.queues for _, names in held(one) for name in names
            )
        wanted = [self._semaphore(queue.tenant, name) for name in names]
        if any(self._held[one] >= self.limits.get(one, 1) for one in wanted):
            return False
        self._held.update(wanted)
        return True

    def _semaphore(self, tenant: str, name: str) -> Semaphore:
        return ("", name) if (tenant, name) in self.shared else (tenant, name)


def silent(
    queues: Iterable[Queue], heard: Mapping[str, datetime], now: datetime, lease: timedelta
) -> list[tuple[Queue, BuildAssigned]]:
    """The builds whose executor was not heard for longer than its lease: to be given to another, with a new fence."""
    return [
        (queue, again(queue, item, build))
        for queue in queues
        for item in queue.items.values()
        for build in item.unfinished
        if now - heard.get(build.id, now) > lease
    ]
