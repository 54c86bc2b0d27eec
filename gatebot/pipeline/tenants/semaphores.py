# SPDX-License-Identifier: Apache-2.0
"""The semaphores as people see them: which builds hold each, and which jobs wait for it.

Pure: derived from the queues as they are. A build holds those of its job as long as it runs, and those that a playbook
of it was given until the playbook ends.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from ..queue.facts import buildset_id
from ..queue.model import Item, PlannedJob, Queue


@dataclass(frozen=True, slots=True)
class Holder:
    """A job of an item; `build` is empty while it waits. `changes` are the item's."""

    pipeline: str
    job: str
    build: str
    buildset: str
    changes: tuple[int, ...]
    project: str


@dataclass(slots=True)
class SemaphoreView:
    """One semaphore."""

    name: str
    max: int
    holders: list[Holder] = field(default_factory=list[Holder])
    waiting: list[Holder] = field(default_factory=list[Holder])


def semaphores(limits: Mapping[str, int], queues: Iterable[Queue]) -> tuple[SemaphoreView, ...]:
    """Every semaphore that is configured (with its size) or held, by name."""
    found = {name: SemaphoreView(name, most) for name, most in limits.items()}

    def view(name: str) -> SemaphoreView:
        return found.setdefault(name, SemaphoreView(name, 1))

    for queue in queues:
        for item in queue.items.values():
            for job in item.prepared.jobs if item.prepared is not None else ():
                build = item.builds.get(job.key)
                holder = _holder(queue, item, job)
                if build is not None and not build.result:
                    for name in {*job.semaphores, *build.holds}:
                        view(name).holders.append(holder)
                    for name in build.wants:
                        view(name).waiting.append(holder)
                elif build is None and item.live:
                    for name in job.semaphores:
                        view(name).waiting.append(holder)
    return tuple(found[name] for name in sorted(found))


def _holder(queue: Queue, item: Item, job: PlannedJob) -> Holder:
    build = item.builds.get(job.key)
    own = item.changes[-1] if item.changes else item.ref
    return Holder(
        queue.pipeline,
        job.name,
        build.id if build is not None else "",
        buildset_id(item.id, item.attempt),
        item.numbers,
        own.project if own is not None else "",
    )
