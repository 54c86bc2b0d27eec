# SPDX-License-Identifier: Apache-2.0
"""A gate for stories about the jobs inside one item: builds pause, choose their children, and ask for semaphores."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from gatebot.assignment import JobDependency
from gatebot.events import BuildCompleted, BuildPaused, Event, SemaphoresAsked, SemaphoresReleased
from gatebot.pipeline.dispatching import Room
from gatebot.pipeline.providing import Losses, Past, Providers
from gatebot.pipeline.queue import facts
from gatebot.pipeline.queue.model import Item, PlannedJob, Queue
from gatebot.pipeline.queue.verdict import judge
from gatebot.pipeline.view import View
from gatebot.reasons import Reason
from tests.fakes.gate import Change, Gate


def job(name: str, *needs: str, soft: tuple[str, ...] = (), **options) -> PlannedJob:
    """A planned job; `needs` are hard, `soft` soft."""
    wants = tuple(JobDependency(need, need in soft) for need in (*needs, *soft))
    return PlannedJob(name, f"d-{name}", needs=wants, **options)


class JobsGate(Gate):
    """What tests of jobs say and ask; the change is 1 where none is named."""

    def _skipped(self, item: str, attempt: int, job: PlannedJob) -> bool:
        """Whether the job was skipped, in whatever way, or comes after the merge."""
        return job.type == "reporter" or self.results_of(int(item[1:])).get(job.key) == "SKIPPED"

    def item(self, number: int = 1) -> Item:
        return self.queue.items[self.item_of(number)]

    def results_of(self, number: int = 1) -> dict[str, str]:
        return dict(judge(self.item(number)).results)

    def builds(self, number: int = 1) -> list[str]:
        """The jobs that run now."""
        return sorted(build.job for build in self.running.values() if build.change == number)

    def runs(self, job: str, number: int = 1) -> int:
        """How often a job was given to an executor."""
        return sum(
            isinstance(fact, facts.BuildAssigned) and fact.job == job and fact.item == f"i{number}"
            for fact in self.history
        )

    def ends(
        self, job: str, result: str = "SUCCESS", *, number: int = 1, chosen: tuple[str, ...] | None = None
    ) -> None:
        """A build ends, after naming the children that may run."""
        build = self.build(number, job)
        self.running.pop(build.build)
        self.results[build.item, self.item(number).attempt, job] = (result, build.state)
        self.happen(BuildCompleted(build.build, build.fence, result, child_jobs=chosen))
        self.settle()

    def node_lost(self, job: str, why: Reason, number: int = 1) -> None:
        """A build asks for another try, and says why."""
        build = self.build(number, job)
        self.running.pop(build.build)
        self.happen(BuildCompleted(build.build, build.fence, "RETRY", reason=why, retry=True))
        self.settle()

    def lost(self, job: str, number: int = 1) -> None:
        """The executor of a build is gone, or what comes before the tests failed: it asks for another try."""
        self.finish(self.build(number, job), "", retry=True)
        self.settle()

    def pauses(self, job: str, number: int = 1, chosen: tuple[str, ...] | None = None) -> None:
        build = self.build(number, job)
        self.happen(BuildPaused(build.build, build.fence, child_jobs=chosen))
        self.settle()

    @property
    def resumed(self) -> list[str]:
        """The builds that were told to go on, by job, in order."""
        jobs = {fact.build: fact.job for fact in self.history if isinstance(fact, facts.BuildAssigned)}
        return [jobs[fact.build] for fact in self.history if isinstance(fact, facts.ResumeAsked)]


class Providing(JobsGate):
    """Jobs get what they require from those ahead, and from the past that a test tells."""

    past: Past = staticmethod(lambda queue, change, requires: ())
    losses: Losses = staticmethod(lambda builds: ())
    beside: tuple[Queue, ...] = ()

    def _accepted(self, command: facts.QueueFact) -> facts.QueueFact | None:
        view = View.of({queue.id: queue for queue in (self.queue, *self.beside)})
        return Providers(view, self.past, self.losses).settle(self.queue, command)

    def happen(self, *events: Event) -> None:
        super().happen(*events)
        if isinstance(self.history[-1], facts.RequirementsFailed):
            super().happen()  # as the driver does

    def again(self) -> None:
        """Another look, because something happened elsewhere."""
        self.happen()
        self.settle()


@dataclass
class Counting(JobsGate):
    """Builds and semaphores are given out as executors with room for nine allow."""

    limits: dict[tuple[str, str], int] = field(default_factory=dict)
    shared: frozenset[tuple[str, str]] = frozenset()
    beside: tuple[Queue, ...] = ()

    def happen(self, *events: Event) -> None:
        self.room = Room(9, (), self.limits, self.shared)
        super().happen(*events)

    def _accepted(self, command: facts.QueueFact) -> facts.QueueFact | None:
        room = replace(self.room, queues=(self.queue, *self.beside), _held=None)
        return command if room.takes(self.queue, command) else None

    def asks(self, job: str, *names: str, number: int = 1) -> None:
        build = self.build(number, job)
        self.happen(SemaphoresAsked(build.build, build.fence, names))
        self.settle()

    def releases(self, job: str, *names: str, number: int = 1) -> None:
        build = self.build(number, job)
        self.happen(SemaphoresReleased(build.build, build.fence, names))
        self.settle()

    @property
    def everything(self) -> list[tuple[int, str]]:
        return sorted((build.change, build.job) for build in self.running.values())

    @property
    def granted(self) -> list[tuple[str, tuple[str, ...]]]:
        return [(fact.item, fact.names) for fact in self.history if isinstance(fact, facts.SemaphoresGranted)]


class FailingFast(JobsGate):
    """The pipeline of the project fails fast."""

    def _prepare(self, asked: facts.PrepareAsked) -> list:
        told = super()._prepare(asked)
        return [replace(one, fail_fast=True) if isinstance(one, facts.Prepared) else one for one in told]


def jobs_gate(*jobs: PlannedJob, behind: tuple[Change, ...] = (), made: JobsGate | None = None) -> JobsGate:
    """Change 1 with these jobs, as far as it goes without results, and others behind it."""
    q = made or JobsGate()
    q.enqueue(Change(1, jobs=jobs), *behind)
    q.settle()
    return q
