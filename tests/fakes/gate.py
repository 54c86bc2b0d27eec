# SPDX-License-Identifier: Apache-2.0
"""A gate without IO: the real `record` and `plan` around repositories, a merger and executors that are simulated.

A commit is the name of the set of changes it contains; a job passes or fails by what its state contains, so
that the truth of every merge can be looked up afterwards. Whoever uses it decides what happens next.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from gatebot.events import BranchMoved, BuildCompleted, BuildFailing, BuildStarted, Event
from gatebot.pipeline.config.model import Manager, Moment, Window
from gatebot.pipeline.queue import facts
from gatebot.pipeline.queue.losing import LOSING, abandoned
from gatebot.pipeline.queue.model import Item, ItemChange, Outcome, PlannedJob, Policy, Queue, place
from gatebot.pipeline.queue.plan import plan
from gatebot.pipeline.queue.record import opened, record
from gatebot.reasons import Reason, reason

NOW = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)
UNIT = (PlannedJob("unit", "d1"),)
Contents = frozenset[str]


def commit(contents: Contents) -> str:
    """The commit that contains these changes and nothing else."""
    return "+".join(sorted(contents)) or "root"


def contents(name: str) -> Contents:
    """The changes that a commit contains."""
    return frozenset(name.split("+")) - {"root"}


@dataclass(frozen=True)
class Change:
    """A change as a test names it. It conflicts, for git, with commits that contain `clashes`."""

    number: int
    project: str = "api"
    branch: str = "main"
    needs: tuple[int, ...] = ()
    clashes: tuple[int, ...] = ()
    jobs: tuple[PlannedJob, ...] = UNIT
    reads: tuple[str, ...] = ()
    passed: tuple[str, ...] = ()

    @property
    def mark(self) -> str:
        return f"c{self.number}"


@dataclass
class Running:
    """A build that an executor has, with the state that it tests."""

    item: str
    change: int
    job: str
    build: str
    fence: int
    state: Mapping[str, str]
    started: bool = False


@dataclass
class Landing:
    """What landed: the change, and the trunk of the whole queue it was tested to become."""

    change: int
    state: Mapping[str, str]


@dataclass
class World:
    """One queue with everything around it. `verdict` says whether a job passes on a state."""

    verdict: Callable[[Change, str, Mapping[str, str]], bool] = lambda change, job, state: True
    manager: Manager = Manager.DEPENDENT
    window: Window = field(default_factory=Window)
    announces: tuple[Moment, ...] = ()
    changes: dict[int, Change] = field(default_factory=dict)
    trunk: dict[str, str] = field(default_factory=dict)
    asked: list[facts.QueueFact] = field(default_factory=list)
    running: dict[str, Running] = field(default_factory=dict)
    history: list[Event] = field(default_factory=list)
    results: dict[tuple[str, int, str], tuple[str, Mapping[str, str]]] = field(default_factory=dict)
    landed: list[Landing] = field(default_factory=list)
    left: list[facts.ItemDequeued] = field(default_factory=list)
    cancelled: list[Running] = field(default_factory=list)
    refuse: Reason | None = None
    moves: int = 0
    members: dict[str, tuple[int, ...]] = field(default_factory=dict)
    name: str = "q"

    def __post_init__(self) -> None:
        self.first = facts.QueueOpened(
            self.name, "main", "gate", "shared", Policy(self.manager, self.window, announces=self.announces)
        )
        self.history.append(self.first)
        self.queue: Queue = opened(self.first)

    # What happens

    def happen(self, *events: Event) -> None:
        """Record what happened, plan, and accept everything that the plan asks for."""
        for event in events:
            self._record(event)
        for wanted in plan(self.queue, NOW):
            command = self._accepted(wanted)
            if command is not None:
                self._record(command)
                self.asked.append(command)

    def _accepted(self, command: facts.QueueFact) -> facts.QueueFact | None:
        """What becomes of a command: all are accepted here."""
        return command

    def _record(self, event: Event) -> None:
        before, self.queue = self.queue, record(self.queue, event)
        self.history.append(event)
        for build in abandoned(before, self.queue, event) if isinstance(event, LOSING) else ():
            self.cancelled.append(self.running.pop(build))
        if isinstance(event, facts.BuildAssigned):
            item = self.queue.items[event.item]
            assert item.prepared is not None
            planned = item.job(event.job)
            number = (planned.change if planned else 0) or item.numbers[-1]
            state = item.prepared.state
            self.running[event.build] = Running(item.id, number, event.job, event.build, event.fence, state)
        if isinstance(event, facts.LandAsked):
            self._check_stands(self.queue.items[event.item])
        if isinstance(event, facts.ItemDequeued):
            self.left.append(event)

    def enqueue(self, *changes: Change, live: bool = True) -> None:
        """Put changes into the queue, in this order."""
        self.happen(*(self.enqueued(change, live=live) for change in changes))

    def enqueued(self, *changes: Change, live: bool = True) -> facts.ItemEnqueued:
        """The fact that a change came in, or several as one item: a cycle. The item is named after the first."""
        first, item = changes[0], f"i{changes[0].number}"
        self.members[item] = tuple(change.number for change in changes)
        for change in changes:
            self.changes[change.number] = change
            self.trunk.setdefault(place(change.project, change.branch), "root")
        described = tuple(ItemChange(one.number, 1, one.project, one.branch, one.mark) for one in changes)
        needs = tuple(dict.fromkeys(number for one in changes for number in one.needs))
        return facts.ItemEnqueued(self.name, item, NOW, described, None, live, needs, first.passed)

    def push(self, at: str, mark: str = "") -> None:
        """Somebody moves a branch without the gate."""
        self.moves += 1
        old, new = self.trunk[at], commit(contents(self.trunk[at]) | {mark or f"p{self.moves}"})
        self.trunk[at] = new
        project, branch = at.split(":")
        self.happen(BranchMoved(project, branch, old, new, "push", account=7))

    def withdraw(self, number: int, why: str = "pipeline.new-patch-set") -> None:
        """The change is not what was enqueued any more."""
        self.happen(facts.ItemUnfit(self.name, self.item_of(number), reason(why)))

    def promote(self, *numbers: int) -> None:
        """A person wants these changes at the head, in this order."""
        self.happen(facts.ItemsPromoted(self.name, tuple(self.item_of(number) for number in numbers)))

    def item_of(self, number: int) -> str:
        """The item that a change is or was in."""
        return next(item for item, numbers in self.members.items() if number in numbers)

    # What the world answers

    def answer(self, index: int = 0) -> None:
        """Carry out one of the accepted commands that wait."""
        command = self.asked.pop(index)
        match command:
            case facts.PrepareAsked():
                self.happen(*self._prepare(command))
            case facts.LandAsked():
                self.happen(*self._land(command))
            case facts.ItemDequeued(moment=Moment() as moment) | facts.ReportAsked(moment=moment):
                self.happen(facts.Reported(self.name, command.item, moment))
            case _:
                pass

    def settle(self) -> None:
        """Carry out everything that is asked for, until only builds are waited for."""
        while self.asked:
            self.answer()

    def _prepare(self, asked: facts.PrepareAsked) -> list[Event]:
        item = self.queue.items.get(asked.item)
        if item is None or item.attempt != asked.attempt or item.prepared is not None:
            return []
        onto = self.queue.items.get(asked.onto)
        inherited = dict(onto.prepared.state) if onto and onto.prepared and not onto.prepared.broken else {}
        changes = [self.changes[number] for number in item.numbers]
        read = {at for change in changes for at in (place(change.project, change.branch), *change.reads)}
        pins = {at: self.trunk[at] for at in read if at not in self.queue.tips}
        base = {**pins, **{at: self.queue.tips[at] for at in read if at in self.queue.tips}, **inherited}
        assumed = {mark for change in changes for mark in contents(base[place(change.project, change.branch)])}
        numbers = [number for other in self.queue.items.values() for number in other.numbers]
        ahead = tuple(sorted(number for number in numbers if f"c{number}" in assumed and number not in item.numbers))
        state, commits = dict(base), list[str]()
        for change in changes:
            own = place(change.project, change.branch)
            if contents(state[own]) & {f"c{number}" for number in change.clashes}:
                why = reason("pipeline.merge-conflict", paths="f")
                return [facts.PrepareFailed(self.name, item.id, item.attempt, base, why, pins, ahead=ahead)]
            state[own] = commit(contents(state[own]) | {change.mark})
            commits.append(state[own])
        jobs = planned_together(changes)
        prepared = facts.Prepared(self.name, item.id, item.attempt, base, state, pins, {}, {}, jobs, ahead)
        return [replace(prepared, commits=tuple(commits))]

    def _land(self, asked: facts.LandAsked) -> list[Event]:
        item = self.queue.items[asked.item]
        assert item.prepared is not None
        if self.refuse is not None:
            tips = {change.place: self.trunk[change.place] for change in item.changes}
            return [facts.LandingRefused(self.name, item.id, self.refuse, tips)]
        moved = {at: self.trunk[at] for at, tested in item.prepared.base.items() if self.trunk[at] != tested}
        if moved:
            return [facts.LandingRefused(self.name, item.id, reason("review.branch-moved"), moved)]
        self._check_proved(item)
        for change in item.changes:
            self.landed.append(Landing(change.number, item.prepared.state))
            self.trunk[change.place] = item.prepared.state[change.place]
        return [facts.Landed(self.name, item.id)]

    def _check_stands(self, item: Item) -> None:
        """Landing is asked for only where the item stands on the trunk as it is: moves are known here at once."""
        assert item.prepared is not None
        for at, tested in item.prepared.base.items():
            assert self.trunk[at] == tested, f"{item.id} is to land on {self.trunk[at]}, tested on {tested} in {at}"

    def _check_proved(self, item: Item) -> None:
        """The law of the gate, at the moment where it counts."""
        assert item.prepared is not None
        own = {change.place for change in item.changes}
        for at, tested in item.prepared.state.items():
            if at not in own:
                assert self.trunk[at] == tested, f"{item.id} was tested with {tested} in {at}, not {self.trunk[at]}"
        for job in item.prepared.jobs:
            if job.voting and job.name != "noop" and not self._skipped(item.id, item.attempt, job):
                result, on = self.results[item.id, item.attempt, job.key]
                assert result == "SUCCESS", f"{item.id} lands although {job.key} is {result}"
                assert on == item.prepared.state, f"{item.id} lands as {item.prepared.state}, tested as {on}"

    def _skipped(self, item: str, attempt: int, job: PlannedJob) -> bool:
        """Whether a parent of the job did not succeed."""
        return any(self.results[item, attempt, need.name][0] != "SUCCESS" for need in job.needs)

    def finish(self, build: Running, result: str | None = None, *, retry: bool = False) -> None:
        """An executor says how a build ended; without a result the truth decides."""
        self.running.pop(build.build, None)
        item = self.queue.items.get(build.item)
        if result is None:
            passed = self.verdict(self.changes[build.change], build.job, build.state)
            result = "SUCCESS" if passed else "FAILURE"
        if item is not None and not retry:
            self.results[build.item, item.attempt, build.job] = (result, build.state)
        line = 0 if retry else 12
        self.happen(BuildCompleted(build.build, build.fence, result, retry=retry, error_line=line, error_text="boom"))

    def start(self, build: Running) -> None:
        build.started = True
        self.happen(BuildStarted(build.build, build.fence, "local"))

    def replayed(self) -> Queue:
        """The queue as a restart finds it: from the facts alone."""
        queue = opened(self.first)
        for event in self.history[1:]:
            queue = record(queue, event)
        return queue


def planned_together(changes: Sequence[Change]) -> tuple[PlannedJob, ...]:
    """The jobs of an item: each change of a cycle has its own."""
    if len(changes) == 1:
        return changes[0].jobs
    return tuple(
        replace(
            job, change=one.number, needs=tuple(replace(need, name=f"{need.name}#{one.number}") for need in job.needs)
        )
        for one in changes
        for job in one.jobs
    )


class Gate(World):
    """What tests say and ask, by the numbers of changes."""

    def failing(self, number: int, job: str = "unit") -> None:
        """A running build is seen to fail before its end."""
        build = self.build(number, job)
        self.happen(BuildFailing(build.build, build.fence, reason("executor.task-failed", task="tox")))
        self.settle()

    def build(self, number: int, job: str = "unit") -> Running:
        return next(b for b in self.running.values() if b.change == number and b.job.split("#")[0] == job)

    def passes(self, number: int, job: str = "unit") -> None:
        self.finish(self.build(number, job), "SUCCESS")
        self.settle()

    def fails(self, number: int, job: str = "unit") -> None:
        self.finish(self.build(number, job), "FAILURE")
        self.settle()

    @property
    def tested(self) -> dict[int, Contents]:
        """What runs now: change -> the changes that its builds see in its own branch."""
        return {
            b.change: contents(b.state[place(self.changes[b.change].project, self.changes[b.change].branch)])
            for b in self.running.values()
        }

    @property
    def merged(self) -> list[int]:
        return [landing.change for landing in self.landed]

    @property
    def departed(self) -> dict[int, Outcome]:
        return {number: fact.outcome for fact in self.left for number in self.members[fact.item]}

    def why(self, number: int) -> Reason | None:
        return next(fact.reason for fact in self.left if number in self.members[fact.item])
