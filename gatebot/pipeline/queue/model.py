# SPDX-License-Identifier: Apache-2.0
"""A queue and what is known of it: items, what was prepared for them, their builds.

Floor 0: frozen values, changed only by `record.py`. A *place* is a branch of a repository, written
`project:branch` (no name of git holds a colon); a state maps places to commits. Everything survives a trip
through JSON, because a snapshot of a queue is a cache of its facts.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType

from ...assignment import JobDependency, Json
from ...reasons import Reason
from ..config.model import Manager, Moment, Order, Precedence, Speculation, Window

SUCCESS, FAILURE, SKIPPED, ABORTED = "SUCCESS", "FAILURE", "SKIPPED", "ABORTED"
RETRY, RETRY_LIMIT, CANCELED = "RETRY", "RETRY_LIMIT", "CANCELED"
NODE_FAILURE, MERGE_FAILURE, MERGE_CONFLICT = "NODE_FAILURE", "MERGE_FAILURE", "MERGE_CONFLICT"
NOOP = "noop"
"""The job that passes without an executor."""

State = Mapping[str, str]
"""Place -> commit."""
NOTHING: State = MappingProxyType({})
_NOWHERE = "0" * 40


def place(project: str, branch: str) -> str:
    """The name of a branch of a repository in a state."""
    return f"{project}:{branch}"


class Outcome(StrEnum):
    """How an item left its queue."""

    MERGED = "merged"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    WITHDRAWN = "withdrawn"


@dataclass(frozen=True, slots=True)
class ItemChange:
    """One patch set in an item, as it was when it was enqueued.

    `files` are against its first parent, `footers` what its commit gets when it is picked onto its branch.
    """

    number: int
    patch_set: int
    project: str
    branch: str
    commit: str
    change_id: str = ""
    subject: str = ""
    url: str = ""
    owner: str = ""
    submit_type: str = "MERGE_IF_NECESSARY"
    merged: bool = False
    files: tuple[str, ...] = ()
    footers: tuple[str, ...] = ()

    @property
    def place(self) -> str:
        return place(self.project, self.branch)


@dataclass(frozen=True, slots=True)
class ItemRef:
    """A branch as an item: a timer fired for it, it moved from `old` to `new`, or a person asked, with `parameters`.

    Or a tag: then `branch` is its full name, and `containing` are the branches that its commit is part of.
    """

    project: str
    branch: str
    new: str = ""
    old: str = ""
    parameters: Mapping[str, Json] = field(default_factory=dict[str, Json])
    containing: tuple[str, ...] = field(default=(), compare=False)

    @property
    def gone(self) -> bool:
        """Whether the item is about a deletion."""
        return self.new == _NOWHERE


@dataclass(frozen=True, slots=True)
class PlannedJob:
    """What planning needs of a frozen job; the rest is kept under `definition`.

    In an item of several changes each has its own jobs: `change` is the number of the change that this one is for, 0
    where the item has one change or all of them share the run. `needs` are keys of jobs of the same item.
    `alternatives` is how many nodesets can be tried, one after the other, when nodes cannot be had. The messages stand
    in reports where the result would.
    """

    name: str
    definition: str
    voting: bool = True
    needs: tuple[JobDependency, ...] = ()
    attempts: int = 3
    semaphores: tuple[str, ...] = ()
    hold_following: bool = False
    change: int = 0
    type: str = "regular"
    provides: tuple[str, ...] = ()
    requires: tuple[str, ...] = ()
    alternatives: int = 1
    success_message: str = ""
    failure_message: str = ""

    @property
    def key(self) -> str:
        """What tells it from the other jobs of its item."""
        return f"{self.name}#{self.change}" if self.change else self.name


@dataclass(frozen=True, slots=True)
class Policy:
    """What a pipeline asks of its queues. `announces` are the moments before the end that reporters want."""

    manager: Manager
    window: Window = field(default_factory=Window)
    speculation: Speculation = Speculation.CLASSIC
    order: Order = Order.QUEUE
    announces: tuple[Moment, ...] = ()
    precedence: Precedence = Precedence.NORMAL

    @property
    def lands(self) -> bool:
        """Whether the queue is a chain whose head merges."""
        return self.manager is Manager.DEPENDENT

    @property
    def ordered(self) -> bool:
        """Whether items wait for their turn: only those within the window are worked on."""
        return self.manager is not Manager.INDEPENDENT


@dataclass(frozen=True, slots=True)
class Preparation:
    """An item merged onto a base, and the jobs to run on the result; with `broken` it could not be.

    `base` has every place of the queue that the item assumes or its jobs read, `state` the same after the
    item's own changes. `pinned` are commits outside the queue that its jobs read: their movement voids nothing.
    `ahead` are the changes it was merged on top of, nearest last; `commits` what each of the item's changes became.
    `tolerated` are errors of the configuration that an administrator accepts.
    """

    base: State
    state: State
    jobs: tuple[PlannedJob, ...] = ()
    ahead: tuple[int, ...] = ()
    pinned: State = field(default_factory=dict[str, str])
    fail_fast: bool = False
    broken: Reason | None = None
    moment: Moment = Moment.MERGE_CONFLICT
    commits: tuple[str, ...] = ()
    tolerated: tuple[Reason, ...] = ()

    def commit_of(self, item: Item, position: int) -> str:
        """What one of the item's changes, by its position, became."""
        return self.commits[position] if self.commits else self.state[item.changes[position].place]


@dataclass(frozen=True, slots=True)
class Build:
    """One run of one job. `tries` counts the runs of this job in this buildset, `fence` who may speak for this one.

    `job` is the job's key. `choice` is which alternative of the nodeset it was given. A `paused` build waits for the
    jobs that depend on it, until it was told to go on (`resumed`). `child_jobs` are the only ones of those that may
    run, None: all. `wants` are semaphores that a playbook of it waits for, `holds` those that it was given.
    `provided` are the builds whose artifacts it was given. `void`: a build that it depended on was lost, and it counts
    no more; `spared` is how many tries before it do not count against the job's attempts.
    """

    id: str
    job: str
    tries: int = 1
    fence: int = 1
    started: bool = False
    failing: Reason | None = None
    result: str = ""
    retry: bool = False
    reason: Reason | None = None
    error_line: int = 0
    error_text: str = ""
    choice: int = 0
    paused: bool = False
    resumed: bool = False
    child_jobs: tuple[str, ...] | None = None
    wants: tuple[str, ...] = ()
    holds: tuple[str, ...] = ()
    provided: tuple[str, ...] = ()
    void: bool = False
    spared: int = 0


@dataclass(frozen=True, slots=True)
class Unfit:
    """Why an item may not stay: its change is no longer what was enqueued, or somebody took it out."""

    reason: Reason
    report: bool = True


@dataclass(frozen=True, slots=True)
class Item:
    """A stay of changes, or of a branch, in a queue.

    `needs` are the changes that must merge before it, and have not. `attempt` grows with each reset; what
    an older attempt brings is ignored. `onto` is the item that its preparation was asked on. `passed` are jobs that
    succeeded for this patch set without the queue. `failed` is a final verdict: nothing undecided was ahead.
    """

    id: str
    enqueued: datetime
    changes: tuple[ItemChange, ...] = ()
    ref: ItemRef | None = None
    live: bool = True
    needs: tuple[int, ...] = ()
    passed: tuple[str, ...] = ()
    attempt: int = 1
    asked: bool = False
    onto: str = ""
    announced: tuple[Moment, ...] = ()
    prepared: Preparation | None = None
    builds: Mapping[str, Build] = field(default_factory=dict[str, Build])
    unfit: Unfit | None = None
    landing: bool = False
    landed: bool = False
    refused: Reason | None = None
    failed: Reason | None = None

    @property
    def numbers(self) -> tuple[int, ...]:
        """The numbers of its changes."""
        return tuple([change.number for change in self.changes])

    @property
    def reported(self) -> bool:
        """Whether its success was told before its end, because reporter jobs come after that."""
        return Moment.SUCCESS in self.announced

    def job(self, key: str) -> PlannedJob | None:
        """One of its planned jobs."""
        jobs = self.prepared.jobs if self.prepared is not None else ()
        return next((job for job in jobs if job.key == key), None)

    def subject(self, job: PlannedJob) -> ItemChange | ItemRef | None:
        """The change or branch that a job of the item is for."""
        own = [change for change in self.changes if change.number == job.change] or self.changes[-1:]
        return own[0] if own else self.ref

    @property
    def patch_sets(self) -> frozenset[tuple[int, int]]:
        """Number and patch set of each of its changes."""
        return frozenset((change.number, change.patch_set) for change in self.changes)

    @property
    def unfinished(self) -> Iterator[Build]:
        """Builds that an executor has, as far as is known."""
        return (build for build in self.builds.values() if not build.result)


@dataclass(frozen=True, slots=True)
class Departure:
    """An item that left and of which its people have not been told yet, or a report before its end."""

    item: Item
    moment: Moment
    reason: Reason | None = None


@dataclass(frozen=True, slots=True)
class Queue:
    """Everything known of one queue, in the order of the queue.

    `tips` is where the branches are, as far as the queue knows; an empty queue assumes nothing. `owners` tells
    which item an unfinished build belongs to, `reports` what is to be said and was not confirmed yet.
    """

    id: str
    tenant: str
    pipeline: str
    name: str
    policy: Policy
    window: int
    items: Mapping[str, Item] = field(default_factory=dict[str, Item])
    tips: State = field(default_factory=dict[str, str])
    owners: Mapping[str, str] = field(default_factory=dict[str, str])
    reports: Mapping[str, Departure] = field(default_factory=dict[str, Departure])

    @property
    def forgotten(self) -> bool:
        """Whether nothing would be lost with it: only a shared queue keeps something (its window) when empty."""
        return not self.items and not self.reports and not self.policy.lands
