# SPDX-License-Identifier: Apache-2.0
"""Values of the configuration that the rest of the room decides with: errors with their place, patterns, pipelines.

Floor 0: no behaviour but matching one text against one pattern. What only the loader knows (jobs and their variants,
projects, templates) is in `objects.py`. Names are as people write them in YAML, with `_` for `-`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from ...assignment import FrozenJob
from ...expressions import compiled
from ...reasons import Reason


@dataclass(frozen=True, slots=True)
class Location:
    """Where something stands; `line` counts from 1, 0 means the file as a whole."""

    project: str
    branch: str
    path: str
    line: int = 0


@dataclass(frozen=True, slots=True)
class ConfigError:
    """Something in a configuration that cannot be used: what, where, and the lines around it.

    `stanza` names the object at fault (`job unit`), `snippet` is `(number, text)` of the lines to show. The reason's
    sentence ends with what to do.
    """

    reason: Reason
    at: Location
    stanza: str = ""
    snippet: tuple[tuple[int, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Pattern:
    """A regular expression of RE2; `exact` is a plain name instead.

    Zuul matches branches, references, events and files from the start (`matches`), people, comments and hashtags
    anywhere (`found_in`), names of projects as a whole (`covers`).
    """

    regex: str
    negate: bool = False
    exact: bool = False

    def matches(self, text: str) -> bool:
        if self.exact:
            return text == self.regex
        return bool(compiled(self.regex).match(text)) is not self.negate

    def found_in(self, text: str) -> bool:
        return bool(compiled(self.regex).search(text)) is not self.negate

    def covers(self, text: str) -> bool:
        return bool(compiled(self.regex).fullmatch(text)) is not self.negate


class Manager(StrEnum):
    """How a pipeline orders its items."""

    INDEPENDENT = "independent"
    DEPENDENT = "dependent"
    SERIAL = "serial"
    SUPERCEDENT = "supercedent"


class Precedence(StrEnum):
    HIGH = "high"
    NORMAL = "normal"
    LOW = "low"


class Speculation(StrEnum):
    """Our addition: how results are kept and how far ahead is tested."""

    CLASSIC = "classic"
    PROOFS = "proofs"


class Order(StrEnum):
    """Our addition: `queue` lands in queue order, `proved` may land what is proved to be independent earlier."""

    QUEUE = "queue"
    PROVED = "proved"


class Step(StrEnum):
    """How a window grows or shrinks: by addition or by multiplication."""

    LINEAR = "linear"
    EXPONENTIAL = "exponential"


@dataclass(frozen=True, slots=True)
class Window:
    """How many items of a queue are worked on at once. `size` 0: no limit; `ceiling` None: none."""

    size: int = 20
    floor: int = 3
    ceiling: int | None = None
    increase: Step = Step.LINEAR
    increase_by: int = 1
    decrease: Step = Step.EXPONENTIAL
    decrease_by: int = 2


@dataclass(frozen=True, slots=True)
class Approval:
    """One vote that is asked for: all that is given must fit. Ages are seconds."""

    votes: tuple[tuple[str, tuple[int, ...]], ...] = ()
    username: Pattern | None = None
    email: Pattern | None = None
    older_than: int | None = None
    newer_than: int | None = None


@dataclass(frozen=True, slots=True)
class ChangeFilter:
    """`require` or `reject` of one connection; None and empty say nothing.

    A change meets a requirement when everything holds; it is rejected when anything holds.
    """

    connection: str
    open: bool | None = None
    current_patchset: bool | None = None
    wip: bool | None = None
    status: tuple[str, ...] = ()
    approvals: tuple[Approval, ...] = ()
    hashtags: tuple[Pattern, ...] = ()


@dataclass(frozen=True, slots=True)
class EventFilter:
    """One entry below `trigger: {gerrit: [...]}`: everything that is given must fit.

    `events` are Gerrit's names (`patchset-created`, `comment-added`, `ref-updated` ...). `approvals` are votes of
    this event (label, value), with `approval_changes` those that this event changed.
    """

    connection: str
    events: tuple[Pattern, ...]
    branches: tuple[Pattern, ...] = ()
    refs: tuple[Pattern, ...] = ()
    comments: tuple[Pattern, ...] = ()
    usernames: tuple[Pattern, ...] = ()
    emails: tuple[Pattern, ...] = ()
    approvals: tuple[tuple[str, int], ...] = ()
    approval_changes: tuple[tuple[str, int], ...] = ()
    hashtags_added: tuple[Pattern, ...] = ()
    hashtags_removed: tuple[Pattern, ...] = ()
    ignore_deletes: bool = True
    require: ChangeFilter | None = None
    reject: ChangeFilter | None = None


@dataclass(frozen=True, slots=True)
class TimerTrigger:
    """`timer: [{time: "0 2 * * *"}]`: a cron line in UTC: five fields, perhaps seconds, perhaps seconds of jitter."""

    time: str
    dereference: bool = False
    connection: str = "timer"


@dataclass(frozen=True, slots=True)
class ZuulTrigger:
    """`zuul: [{event, pipeline}]`: what happened inside. `pipelines` none: in any pipeline.

    Events are `project-change-merged`, `parent-change-enqueued`, `image-build` and `image-validate`.
    """

    events: tuple[str, ...]
    pipelines: tuple[Pattern, ...] = ()
    connection: str = "zuul"


@dataclass(frozen=True, slots=True)
class Reporter:
    """What one connection is told at one moment: votes by label, a comment or not, submit or not.

    `notify` is whom Gerrit sends mail, empty for its default. The last two are what the connection `zuul` is told of
    the images that the builds made, or looked at.
    """

    connection: str
    votes: tuple[tuple[str, int], ...] = ()
    submit: bool = False
    comment: bool = True
    notify: str = ""
    image_built: bool = False
    image_validated: bool | None = None


class Moment(StrEnum):
    """When reporters speak."""

    ENQUEUE = "enqueue"
    START = "start"
    SUCCESS = "success"
    FAILURE = "failure"
    MERGE_CONFLICT = "merge-conflict"
    NO_JOBS = "no-jobs"
    CONFIG_ERROR = "config-error"
    DEQUEUE = "dequeue"
    DISABLED = "disabled"


@dataclass(frozen=True, slots=True)
class PipelineConfig:
    """A pipeline as configured. `reporters` has every moment; without one of its own, `merge-conflict` and
    `config-error` have those of `failure`. `messages` is by moment, and `footer`. `connections` are the review servers
    that it names.
    """

    name: str
    manager: Manager
    at: Location
    description: str = ""
    triggers: tuple[EventFilter, ...] = ()
    timers: tuple[TimerTrigger, ...] = ()
    zuul_triggers: tuple[ZuulTrigger, ...] = ()
    require: tuple[ChangeFilter, ...] = ()
    reject: tuple[ChangeFilter, ...] = ()
    reporters: Mapping[Moment, tuple[Reporter, ...]] = field(default_factory=dict[Moment, tuple[Reporter, ...]])
    messages: Mapping[str, str] = field(default_factory=dict[str, str])
    supercedes: tuple[str, ...] = ()
    precedence: Precedence = Precedence.NORMAL
    post_review: bool = False
    dequeue_on_new_patchset: bool = True
    ignore_dependencies: bool = False
    allow_other_connections: bool = True
    connections: tuple[str, ...] = ()
    allow_parameters: bool = False
    disable_after: int | None = None
    window: Window = field(default_factory=Window)
    speculation: Speculation = Speculation.CLASSIC
    order: Order = Order.QUEUE

    @property
    def merges(self) -> bool:
        """Whether a success lands the change: some success reporter submits."""
        return any(reporter.submit for reporter in self.reporters.get(Moment.SUCCESS, ()))


class QueueType(StrEnum):
    """Whether the branches of a project share a queue."""

    ALL_BRANCHES = "all-branches"
    PER_BRANCH = "per-branch"
    BRANCH_ASSIGNED = "branch-assigned"


@dataclass(frozen=True, slots=True)
class QueueConfig:
    """A `queue` object, or the one that a project has to itself."""

    name: str
    type: QueueType = QueueType.ALL_BRANCHES
    allow_circular_dependencies: bool = False
    dependencies_by_topic: bool = False


@dataclass(frozen=True, slots=True)
class QueueKey:
    """Which change queue an item of a project and branch goes to; `branch` is empty unless queues are per branch."""

    name: str
    branch: str = ""


@dataclass(frozen=True, slots=True)
class Skipped:
    """A job of the project's list that this item does not run, and why."""

    job: str
    reason: Reason


@dataclass(frozen=True, slots=True)
class Matchers:
    """When the files of a change call for a job."""

    files: tuple[Pattern, ...] = ()
    irrelevant_files: tuple[Pattern, ...] = ()
    match_on_config_updates: bool = True


@dataclass(frozen=True, slots=True)
class FrozenGraph:
    """What one item of one pipeline runs: the jobs in order, the jobs of its list that do not run, and why.

    With `errors` the item must not pass: a job that it would run cannot be loaded or cannot be run as written.
    `configured` is false when the project has nothing in this pipeline (on this branch); then everything is empty.
    `why` says by name why a job runs, `matchers` when it would.
    """

    jobs: tuple[FrozenJob, ...] = ()
    skipped: tuple[Skipped, ...] = ()
    errors: tuple[ConfigError, ...] = ()
    why: Mapping[str, Reason] = field(default_factory=dict[str, Reason])
    matchers: Mapping[str, Matchers] = field(default_factory=dict[str, Matchers])
    fail_fast: bool = False
    configured: bool = True
