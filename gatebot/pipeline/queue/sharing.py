# SPDX-License-Identifier: Apache-2.0
"""From the frozen jobs of each change of an item to the jobs that are planned: what runs once, what waits for what.

Pure. Jobs that are the same for several changes run once, as `deduplicate` asks. A job waits for the jobs that it names
of the same change; one that is shared waits for those of every change that shares it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from ...assignment import FrozenJob, JobDependency
from .model import Item, PlannedJob

INITIALIZER, REGULAR, REPORTER = "initializer", "regular", "reporter"


def plan_jobs(item: Item, graphs: Sequence[Sequence[FrozenJob]]) -> tuple[PlannedJob, ...]:
    """The jobs of an item. `graphs` are the frozen jobs of each of its changes, in their order, or of its branch."""
    if len(graphs) <= 1:
        return tuple(planned(job, 0, _needs(job, graphs[0])) for graph in graphs for job in graph)
    runs = _runs(item, graphs)
    keys = {(member, job.name): key for members, job, key in runs for member in members}
    return tuple(
        planned(
            job, 0 if key == job.name else item.changes[members[0]].number, _shared_needs(job, members, graphs, keys)
        )
        for members, job, key in runs
    )


def planned(job: FrozenJob, change: int, needs: tuple[JobDependency, ...]) -> PlannedJob:
    """What planning needs of a frozen job. Its build itself asks for the semaphores that come after the nodes."""
    return PlannedJob(
        job.name,
        job.definition,
        job.voting,
        needs,
        job.attempts,
        tuple(name for name in job.semaphores if name not in job.resources_first),
        job.hold_following,
        change,
        job.type,
        job.provides,
        job.requires,
        max(1, len(job.alternatives)),
        job.success_message,
        job.failure_message,
    )


def _needs(job: FrozenJob, graph: Sequence[FrozenJob]) -> tuple[JobDependency, ...]:
    """The jobs of its own graph that a job waits for; initializers come before all that are regular."""
    needs = {need.name: need.soft for need in job.dependencies}
    if job.type == REGULAR:
        needs |= {other.name: True for other in graph if other.type == INITIALIZER}
    return tuple(JobDependency(name, soft) for name, soft in needs.items())


def _runs(item: Item, graphs: Sequence[Sequence[FrozenJob]]) -> list[tuple[list[int], FrozenJob, str]]:
    """What runs: the members (by position) that share a run, the job, and its key; in order of first mention."""
    runs: list[tuple[list[int], FrozenJob]] = []
    for member, graph in enumerate(graphs):
        for job in graph:
            same = next((run for run in runs if _same(item, run[0][0], run[1], member, job)), None)
            if same is None:
                runs.append(([member], job))
            else:
                same[0].append(member)
    everyone = len(graphs)
    return [
        (members, job, job.name if len(members) == everyone else f"{job.name}#{item.changes[members[0]].number}")
        for members, job in runs
    ]


def _same(item: Item, one: int, job: FrozenJob, two: int, other: FrozenJob) -> bool:
    """Whether two changes need one run of a job between them."""
    if one == two or job.name != other.name or False in (job.deduplicate, other.deduplicate):
        return False
    alike = not job.required_projects and item.changes[one].project != item.changes[two].project
    if job.deduplicate is None and alike:
        return False  # what such a job does depends on the project that it is for
    return replace(job, parents=()) == replace(other, parents=())


def _shared_needs(
    job: FrozenJob, members: Sequence[int], graphs: Sequence[Sequence[FrozenJob]], keys: dict[tuple[int, str], str]
) -> tuple[JobDependency, ...]:
    return tuple(dict.fromkeys(_per_member(job, members, graphs, keys)))


def _per_member(
    job: FrozenJob, members: Sequence[int], graphs: Sequence[Sequence[FrozenJob]], keys: dict[tuple[int, str], str]
) -> Iterator[JobDependency]:
    for member in members:
        for need in _needs(job, graphs[member]):
            key = keys.get((member, need.name))
            if key is not None or not need.soft:
                yield JobDependency(key or need.name, need.soft)
