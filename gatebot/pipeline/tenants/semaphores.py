# SPDX-License-Identifier: Apache-2.0
"""The semaphores as people see them: which builds hold each, and which jobs wait for it.

Pure: derived from the queues as they are. A build holds those of its job as long as it runs, and those that a playbook
of it was given until the playbook ends.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from ..dispatching import held
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
    """One semaphore. `shared` is one of several tenants; what the others hold of it is only counted (`elsewhere`)."""

    name: str
    max: int
    shared: bool = False
    holders: list[Holder] = field(default_factory=list[Holder])
    waiting: list[Holder] = field(default_factory=list[Holder])
    elsewhere: int = 0

    @property
    def held(self) -> int:
        """How often it is held by anybody."""
        return len(self.holders) + self.elsewhere


def semaphores(
    tenant: str, limits: Mapping[str, int], shared: Mapping[str, int], queues: Iterable[Queue]
) -> tuple[SemaphoreView, ...]:
    """Every semaphore that is configured in a tenant (with its size), shared with others, or held, by name."""
    found = {name: SemaphoreView(name, most, shared=True) for name, most in shared.items()}
    found |= {name: SemaphoreView(name, most) for name, most in limits.items()}
    for queue in queues:
        taken = dict(held(queue))
        if queue.tenant != tenant:
            for name in (name for names in taken.values() for name in names):
                if name in found and found[name].shared:
                    found[name].elsewhere += 1
            continue
        for item in queue.items.values():
            for job in item.prepared.jobs if item.prepared is not None else ():
                build = item.builds.get(job.key)
                holder = _holder(queue, item, job)
                for name in taken.get(build.id, ()) if build is not None else ():
                    found.setdefault(name, SemaphoreView(name, 1)).holders.append(holder)
                for name in _waits_for(item, job):
                    found.setdefault(name, SemaphoreView(name, 1)).waiting.append(holder)
    return tuple(found[name] for name in sorted(found))


def _waits_for(item: Item, job: PlannedJob) -> tuple[str, ...]:
    """What a job that is not begun will take, or what a playbook of its build has asked for."""
    build = item.builds.get(job.key)
    if build is None:
        return job.semaphores if item.live else ()
    return build.wants if not build.result else ()


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
