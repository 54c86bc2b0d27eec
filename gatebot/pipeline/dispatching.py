# SPDX-License-Identifier: Apache-2.0
"""Which of the builds that queues ask for may start now: as many as executors take, within the semaphores.

Pure. What is not accepted is asked for again at the next pass, so nothing waits in a list of its own; the queues of
more urgent pipelines are asked first, and in each the items nearer to the head.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from .config.model import Precedence
from .queue.facts import BuildAssigned, QueueFact, SemaphoresGranted
from .queue.model import Item, Queue
from .queue.plan import again

_URGENCY = {Precedence.HIGH: 0, Precedence.NORMAL: 1, Precedence.LOW: 2}


def by_urgency(queues: Iterable[Queue]) -> list[Queue]:
    """The order in which queues are asked for builds: chains of merges first where precedence is equal."""
    return sorted(queues, key=lambda queue: (_URGENCY[queue.policy.precedence], not queue.policy.lands))


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

    `limits` are the sizes of semaphores; one that is configured nowhere has 1. Each build holds a semaphore once,
    however often it asks. What is held is counted only where somebody asks.
    """

    slots: int
    queues: Collection[Queue] = ()
    limits: Mapping[Semaphore, int] = field(default_factory=dict[Semaphore, int])
    _held: Counter[Semaphore] | None = None

    def takes(self, queue: Queue, command: QueueFact) -> bool:
        """Whether a command may be accepted; what it takes is counted."""
        match command:
            case BuildAssigned():
                if self.slots <= 0 or not self._take(queue, _of_job(queue.items[command.item], command.job)):
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
        return (tenant, name) if (tenant, name) in self.limits or ("", name) not in self.limits else ("", name)


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
