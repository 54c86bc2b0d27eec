# SPDX-License-Identifier: Apache-2.0
"""Facts of queues, as the journal keeps them: only this room reads them.

Two kinds: what happened (`Prepared`, `Landed` ...), and what the plan asked for and the driver accepted
(`PrepareAsked`, `BuildAssigned` ...): a command is stored as the fact that it was given, performed after the commit,
at least once, and answered by a fact of the first kind. Nothing here decides or does anything.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from ...events import Event
from ...reasons import Reason
from ..config.model import Moment
from .model import ItemChange, ItemRef, Outcome, PlannedJob, Policy


@dataclass(frozen=True, slots=True)
class QueueFact(Event):
    """The root of these facts; the journal files them under their queue."""

    queue: str

    @property
    def subject(self) -> str:
        return f"queue/{self.queue}"


@dataclass(frozen=True, slots=True)
class QueueOpened(QueueFact):
    """A queue exists, or its pipeline is configured in another way from now on."""

    tenant: str
    pipeline: str
    name: str
    policy: Policy


@dataclass(frozen=True, slots=True)
class ItemEnqueued(QueueFact):
    item: str
    enqueued: datetime
    changes: tuple[ItemChange, ...] = ()
    ref: ItemRef | None = None
    live: bool = True
    needs: tuple[int, ...] = ()
    passed: tuple[str, ...] = ()
    cause: str = ""


@dataclass(frozen=True, slots=True)
class ItemUnfit(QueueFact):
    """The change is no longer what was enqueued (patch set, votes, status), or a person took the item out."""

    item: str
    reason: Reason
    report: bool = True


@dataclass(frozen=True, slots=True)
class PrepareAsked(QueueFact):
    """Merge the item on top of `onto` (an item; empty: the branch tips) and freeze its jobs."""

    item: str
    attempt: int
    onto: str = ""


@dataclass(frozen=True, slots=True)
class Prepared(QueueFact):
    """The item was merged and its jobs are known. `trees` are those of the commits of `state`, by place.

    `pins` are the branch tips that the queue did not know and that were read for it, `pinned` the commits
    outside the queue that its jobs read, `commits` what each change of the item became.
    """

    item: str
    attempt: int
    base: Mapping[str, str]
    state: Mapping[str, str]
    pins: Mapping[str, str] = field(default_factory=dict[str, str])
    pinned: Mapping[str, str] = field(default_factory=dict[str, str])
    trees: Mapping[str, str] = field(default_factory=dict[str, str])
    jobs: tuple[PlannedJob, ...] = ()
    ahead: tuple[int, ...] = ()
    fail_fast: bool = False
    commits: tuple[str, ...] = ()
    tolerated: tuple[Reason, ...] = ()


@dataclass(frozen=True, slots=True)
class PrepareFailed(QueueFact):
    """The item cannot be tested on this base: a conflict, or a configuration that cannot be used."""

    item: str
    attempt: int
    base: Mapping[str, str]
    reason: Reason
    pins: Mapping[str, str] = field(default_factory=dict[str, str])
    moment: Moment = Moment.MERGE_CONFLICT
    ahead: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class BuildAssigned(QueueFact):
    """A job (its key) is to run. The same build again, with a higher fence, takes it from whoever had it.

    `choice` is which alternative of its nodeset is tried, `provided` are the builds whose artifacts the job requires.
    """

    item: str
    attempt: int
    job: str
    build: str
    tries: int = 1
    fence: int = 1
    choice: int = 0
    provided: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class BuildReset(QueueFact):
    """What the build brought is void, because one that it depended on was lost: its job runs again after that."""

    item: str
    build: str


@dataclass(frozen=True, slots=True)
class RequirementsFailed(QueueFact):
    """The job fails without a run: a build that should have provided what it requires has failed."""

    item: str
    attempt: int
    job: str
    build: str
    reason: Reason
    tries: int = 1


@dataclass(frozen=True, slots=True)
class ResumeAsked(QueueFact):
    """A paused build may go on: nobody depends on it any more."""

    item: str
    build: str


@dataclass(frozen=True, slots=True)
class SemaphoresGranted(QueueFact):
    """A playbook of a build may hold these from now on, until it releases them or the build ends."""

    item: str
    build: str
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ItemsPromoted(QueueFact):
    """These items, in this order, are at the head from now on; everything is tested anew where its base differs."""

    items: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class BuildAborted(QueueFact):
    """Its result is not wanted any more, the item's other results are; no `reason`: another job failed."""

    item: str
    build: str
    reason: Reason | None = None


@dataclass(frozen=True, slots=True)
class ItemReset(QueueFact):
    """What was prepared and built for the item is void; `attempt` is the number of the next try."""

    item: str
    attempt: int
    reason: Reason


@dataclass(frozen=True, slots=True)
class ItemFailed(QueueFact):
    """It fails with nothing undecided ahead: that is final. It stays only until its builds have ended."""

    item: str
    reason: Reason


@dataclass(frozen=True, slots=True)
class LandAsked(QueueFact):
    item: str
    attempt: int


@dataclass(frozen=True, slots=True)
class Landed(QueueFact):
    item: str


@dataclass(frozen=True, slots=True)
class LandingRefused(QueueFact):
    """Nothing moved. `tips` are where the branches really are."""

    item: str
    reason: Reason
    tips: Mapping[str, str] = field(default_factory=dict[str, str])


@dataclass(frozen=True, slots=True)
class ReportAsked(QueueFact):
    """Tell the people of an item something before its end (`enqueue`, `start`)."""

    item: str
    moment: Moment


@dataclass(frozen=True, slots=True)
class ItemDequeued(QueueFact):
    """The item left. `moment` says which reporters speak; None: nobody needs to be told."""

    item: str
    outcome: Outcome
    moment: Moment | None = None
    reason: Reason | None = None


@dataclass(frozen=True, slots=True)
class Reported(QueueFact):
    item: str
    moment: Moment


ALL: tuple[type[QueueFact], ...] = (
    QueueOpened,
    ItemEnqueued,
    ItemUnfit,
    PrepareAsked,
    Prepared,
    PrepareFailed,
    BuildAssigned,
    BuildAborted,
    BuildReset,
    RequirementsFailed,
    ResumeAsked,
    SemaphoresGranted,
    ItemsPromoted,
    ItemReset,
    ItemFailed,
    LandAsked,
    Landed,
    LandingRefused,
    ReportAsked,
    ItemDequeued,
    Reported,
)


def _id(*parts: object) -> str:
    return hashlib.sha256("\0".join(map(str, parts)).encode()).hexdigest()[:32]


def buildset_id(item: str, attempt: int) -> str:
    """The buildset of one attempt of an item: always the same, so that asking twice is asking once."""
    return _id("buildset", item, attempt)


def build_id(item: str, attempt: int, job: str, tries: int) -> str:
    """The build of one run of a job."""
    return _id("build", item, attempt, job, tries)


def item_id(queue: str, cause: int, subject: str) -> str:
    """The item that the journal's entry `cause` puts into a queue."""
    return _id("item", queue, cause, subject)
