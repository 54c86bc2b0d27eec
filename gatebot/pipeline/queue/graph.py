# SPDX-License-Identifier: Apache-2.0
"""The jobs of an item as a graph: who waits for whom, and what the end of one means for those after it.

Pure; nothing here knows of queues. Words are Zuul's: a job *depends* on others; a soft dependency is ignored where the
other job does not run; `child_jobs` of a build choose among the jobs that depend on it directly.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from ...reasons import Reason, reason
from .model import (
    MERGE_CONFLICT,
    MERGE_FAILURE,
    NODE_FAILURE,
    NOOP,
    RETRY,
    RETRY_LIMIT,
    SKIPPED,
    SUCCESS,
    Build,
    PlannedJob,
)
from .sharing import INITIALIZER

_INFRASTRUCTURE = (MERGE_CONFLICT, MERGE_FAILURE, "MERGER_FAILURE")
"""Results of an executor whose repositories failed: tried again, and kept where no attempt is left."""


_LOST = ("executor.node-lost", "executor.node-gone", "executor.node-not-made")


def counts(build: Build | None) -> Build | None:
    """The build of a job, unless it is void."""
    return None if build is None or build.void else build


def open_again(job: PlannedJob, build: Build) -> bool:
    """Whether a build that ended is followed by another of the same job."""
    if build.void:
        return True
    if build.result == NODE_FAILURE:
        return build.choice + 1 < job.alternatives
    return build.result in (RETRY, *_INFRASTRUCTURE) and build.tries - build.spared < job.attempts


def next_choice(job: PlannedJob, build: Build) -> int:
    """Which alternative of the nodeset the build after one is given: another where its nodes were not had, or lost."""
    if build.result == NODE_FAILURE:
        return build.choice + 1
    lost = build.result == RETRY and build.reason is not None and _tells_of_lost_nodes(build.reason)
    return (build.choice + lost) % max(job.alternatives, 1)


def _tells_of_lost_nodes(why: Reason) -> bool:
    return why.kind in _LOST or any(_tells_of_lost_nodes(one) for one in why.because)


def spares(build: Build) -> bool:
    """Whether a build that is followed by another does not count as an attempt."""
    return build.void or build.result == NODE_FAILURE


def result(job: PlannedJob, build: Build | None) -> str:
    """The result of a job by its own build alone; empty: not known yet."""
    if job.name == NOOP:
        return SUCCESS
    if build is None or not build.result or open_again(job, build):
        return ""
    return build.result


def exhausted(job: PlannedJob | None, build: Build) -> Build:
    """A build that asks for another attempt has another result where none is left."""
    over = build.result == RETRY and job is not None and not open_again(job, build)
    return replace(build, result=RETRY_LIMIT) if over else build


@dataclass(frozen=True, slots=True)
class JobGraph:
    """Jobs by key, in order, with the edges both ways: key -> other key -> whether the dependency is soft."""

    jobs: Mapping[str, PlannedJob]
    parents: Mapping[str, Mapping[str, bool]] = field(default_factory=dict[str, dict[str, bool]])
    children: Mapping[str, Mapping[str, bool]] = field(default_factory=dict[str, dict[str, bool]])

    @classmethod
    def of(cls, jobs: Iterator[PlannedJob]) -> JobGraph:
        """The graph of some jobs; needs of jobs that are not among them are no edges."""
        known = {job.key: job for job in jobs}
        parents: dict[str, dict[str, bool]] = {}
        children: dict[str, dict[str, bool]] = {}
        for key, job in known.items():
            for need in job.needs:
                if need.name in known:
                    parents.setdefault(key, {})[need.name] = need.soft
                    children.setdefault(need.name, {})[key] = need.soft
        return cls(known, parents, children)

    def before(self, key: str) -> set[str]:
        """All jobs that one depends on, however far."""
        return _reach(self.parents, key, hard=False)

    def after(self, key: str, *, hard: bool = False) -> set[str]:
        """All jobs that depend on one, however far; `hard`: by hard dependencies alone."""
        return _reach(self.children, key, hard=hard)

    def skipped(self, builds: Mapping[str, Build]) -> set[str]:
        """The jobs that do not run, because of how others ended or which children they chose."""
        found: set[str] = set()
        for key, job in self.jobs.items():
            if any(not need.soft and need.name not in self.jobs for need in job.needs):
                found |= {key} | self.after(key, hard=True)
            build = counts(builds.get(key))
            if build is not None and key in self.children:
                found |= self._skips(job, build)
        return {key for key in found if counts(builds.get(key)) is None}

    def not_chosen(self, builds: Mapping[str, Build]) -> set[str]:
        """Those of the skipped that others did not choose (`child_jobs`); the rest comes after a failure."""
        found: set[str] = set()
        for key in self.children:
            build = counts(builds.get(key))
            if build is not None and result(self.jobs[key], build) in ("", SUCCESS):
                found |= self._skips(self.jobs[key], build)
        return {key for key in found if counts(builds.get(key)) is None}

    def _skips(self, job: PlannedJob, build: Build) -> set[str]:
        ended = result(job, build)
        if ended not in ("", SUCCESS, SKIPPED):
            return self.after(job.key)
        if build.child_jobs is None or not (ended == SUCCESS or build.paused):
            return set()
        if not build.child_jobs and job.type != INITIALIZER:
            return self.after(job.key, hard=True)
        left = [key for key in self.children[job.key] if self.jobs[key].name not in build.child_jobs]
        return set(left).union(*(self.after(key, hard=True) for key in left))

    def unknown_children(self, builds: Mapping[str, Build]) -> Iterator[Reason]:
        """Warnings: names that a build chose and that are no jobs depending on it."""
        for key, job in self.jobs.items():
            build = builds.get(key)
            known = {self.jobs[child].name for child in self.children.get(key, ())}
            for name in (build.child_jobs or ()) if build is not None else ():
                if name not in known:
                    yield reason("pipeline.child-job-unknown", job=job.name, name=name)


def _reach(edges: Mapping[str, Mapping[str, bool]], start: str, *, hard: bool) -> set[str]:
    found: set[str] = set()
    if start not in edges:
        return found
    waiting = [start]
    while waiting:
        new = [key for key, soft in edges.get(waiting.pop(), {}).items() if not (hard and soft) and key not in found]
        found.update(new)
        waiting += new
    return found
