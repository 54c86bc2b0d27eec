# SPDX-License-Identifier: Apache-2.0
"""Which of the builds that queues ask for may start now: as many as executors take, within the semaphores.

Pure. What is not accepted is asked for again at the next pass, so nothing waits in a list of its own; the queues of
more urgent pipelines are asked first.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from .config.model import Precedence
from .queue.facts import BuildAssigned, QueueFact
from .queue.model import Item, Queue

_URGENCY = {Precedence.HIGH: 0, Precedence.NORMAL: 1, Precedence.LOW: 2}


def by_urgency(queues: Iterable[Queue]) -> list[Queue]:
    """The order in which queues are asked for builds: chains of merges first where precedence is equal."""
    return sorted(queues, key=lambda queue: (_URGENCY[queue.policy.precedence], not queue.policy.lands))


def held(queues: Iterable[Queue]) -> Counter[tuple[str, str]]:
    """How often each semaphore of each tenant is held by builds."""
    return Counter(
        (queue.tenant, name)
        for queue in queues
        for owner in set(queue.owners.values())
        for build in queue.items[owner].unfinished
        for name in _semaphores(queue.items[owner], build.job)
    )


def _semaphores(item: Item, job: str) -> tuple[str, ...]:
    jobs = item.prepared.jobs if item.prepared is not None else ()
    return next((one.semaphores for one in jobs if one.name == job), ())


@dataclass(slots=True)
class Room:
    """What is left to give out in one pass. `limits` are the sizes of semaphores by tenant and name; else 1."""

    slots: int
    held: Counter[tuple[str, str]] = field(default_factory=Counter[tuple[str, str]])
    limits: Mapping[tuple[str, str], int] = field(default_factory=dict[tuple[str, str], int])

    def takes(self, queue: Queue, command: QueueFact) -> bool:
        """Whether a command may be accepted; a build that may is counted."""
        if not isinstance(command, BuildAssigned):
            return True
        needed = [(queue.tenant, name) for name in _semaphores(queue.items[command.item], command.job)]
        if self.slots <= 0 or any(self.held[one] >= self.limits.get(one, 1) for one in needed):
            return False
        self.slots -= 1
        self.held.update(needed)
        return True


def silent(
    queues: Iterable[Queue], heard: Mapping[str, datetime], now: datetime, lease: timedelta
) -> list[tuple[Queue, BuildAssigned]]:
    """The builds whose executor was not heard for longer than its lease: to be given to another, with a new fence."""
    return [
        (queue, BuildAssigned(queue.id, item.id, item.attempt, build.job, build.id, build.tries, build.fence + 1))
        for queue in queues
        for item in queue.items.values()
        for build in item.unfinished
        if now - heard.get(build.id, now) > lease
    ]
