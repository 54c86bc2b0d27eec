# SPDX-License-Identifier: Apache-2.0
"""When a build that waits for a node may get it: guessed from who is before it and how long jobs usually take.

Pure. A guess that lacks a number is none: then only who waits for what is said.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from ..assignment import NodeWait
from ..durations import about_seconds
from ..reasons import Reason, reason
from .queue.model import Build, Queue

_MINUTE = 60.0


@dataclass(frozen=True, slots=True)
class Forecast:
    """Why a build waits, in words, and for how many seconds more by the last runs; None: nobody knows."""

    why: Reason
    seconds: float | None


def begins(slots: int, running: Sequence[float], ahead: Sequence[float]) -> float:
    """In how many seconds the next one gets a node, of `slots`: after those `ahead`, which take theirs in order.

    `running` is how long those run on that have nodes, `ahead` how long each will have its own.
    """
    if slots <= 0:
        return 0.0
    free = sorted(running)
    while len(free) > slots:  # more than there may be: the first that end give nothing back
        free.pop(0)
    free = [0.0] * (slots - len(free)) + free
    for one in ahead:
        heapq.heapreplace(free, free[0] + one)
    return free[0]


def forecasts(
    waits: Mapping[str, NodeWait], queues: Iterable[Queue], usual: Mapping[str, float], elapsed: Mapping[str, float]
) -> dict[str, Forecast]:
    """What is said of each build that waits; `usual` is of jobs, `elapsed` of builds, both in seconds."""
    names = {build.id: job for build, job in _builds(queues)}

    def left(build: str) -> float | None:
        whole = usual.get(names.get(build, ""))
        return max(whole - elapsed.get(build, 0.0), 0.0) if whole else None

    return {build: _said(wait, [left(one) for one in wait.holders], [left(one) for one in wait.before])
            for build, wait in waits.items()}  # fmt: skip


def slot(queues: Iterable[Queue], usual: Mapping[str, float], elapsed: Mapping[str, float]) -> Reason:
    """What a job waits for that no executor has room for: how many builds run, and when the first of them may end.

    A paused build takes no room. Where not all have run before, only their number is said.
    """
    jobs = _running(queues)
    left = [max(usual[job] - elapsed.get(build, 0.0), 0.0) for build, job in jobs.items() if usual.get(job)]
    if not jobs:
        return reason("pipeline.waits-for-executor")
    if len(left) < len(jobs):
        return reason("pipeline.waits-for-executor", reason("pipeline.builds-run-now", count=len(jobs)))
    return reason("pipeline.waits-for-executor", _in("pipeline.slot", min(left), count=len(jobs)))


def _in(what: str, seconds: float, **params: int) -> Reason:
    """When something is guessed to happen; below a minute that is not called one."""
    if seconds <= 50:
        return reason(f"{what}-in-seconds", seconds=about_seconds(seconds), **params)
    return reason(f"{what}-in-minutes", minutes=max(1, round(seconds / _MINUTE)), **params)


def _said(wait: NodeWait, running: Sequence[float | None], ahead: Sequence[float | None]) -> Forecast:
    known = [one for one in (*running, *ahead) if one is not None]
    seconds = None
    if wait.slots and len(known) == len(running) + len(ahead):
        seconds = begins(wait.slots, known[: len(running)], known[len(running) :])
    because: tuple[Reason, ...] = ()
    if seconds is not None:
        because = (_in("pipeline.node", seconds),)
    if wait.otherwise is not None:
        because = (*because, reason("pipeline.node-otherwise", minutes=round(wait.otherwise / _MINUTE)))
    if wait.lacks is not None:
        return Forecast(replace(wait.lacks, because=because), None)
    told = reason(
        "pipeline.waits-for-label",
        *because,
        label=wait.label,
        arch=wait.arch,
        before=len(wait.before),
        used=len(wait.holders),
        slots=wait.slots,
    )
    return Forecast(told, seconds)


def _running(queues: Iterable[Queue]) -> dict[str, str]:
    """The job of each build that runs and takes room."""
    return {
        build.id: job
        for build, job in _builds(queues)
        if build.started and not build.result and (build.resumed or not build.paused)
    }


def _builds(queues: Iterable[Queue]) -> Iterator[tuple[Build, str]]:
    """Each build with the name of its job."""
    for queue in queues:
        for item in queue.items.values():
            for job in item.prepared.jobs if item.prepared is not None else ():
                if (build := item.builds.get(job.key)) is not None:
                    yield build, job.name
