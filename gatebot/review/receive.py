# SPDX-License-Identifier: Apache-2.0
"""What a push is: its commands, the facts about it that are read before anything is decided, and its refusals.

Pure values, and `sort`, which reads the commands. What becomes of the commits behind `refs/for/BRANCH` is decided in
`push_plan.py`, what may go straight to branches and tags in `push_direct.py`; `push.py` reads the facts and does what
they say. The sentences of refusals are Gerrit's; the hints, which say how to go on, are reasons.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from ..reasons import Reason, reason
from . import push_help, push_options
from .model import ZERO, Change, Kind
from .push_options import BadOption, Options
from .push_policy import Policy

MAGIC = "refs/for/"
CONFIG = "refs/meta/config"
_HEADS = "refs/heads/"


@dataclass(frozen=True, slots=True)
class Command:
    """One reference of a push, as the client wants it."""

    old: str
    new: str
    ref: str

    @property
    def what(self) -> str:
        """What it does to the reference: create, update or delete it."""
        return "create" if self.old == ZERO else "delete" if self.new == ZERO else "update"


@dataclass(frozen=True, slots=True)
class CommitFacts:
    id: str
    tree: str
    parents: tuple[str, ...]
    subject: str
    message: str
    author: str
    author_email: str
    committer_email: str
    authored: str = ""
    committer: str = ""

    @property
    def short(self) -> str:
        """The id as people read it."""
        return self.id[:7]


@dataclass(frozen=True, slots=True)
class Existing:
    """A change that is already here and the commit of its current patch set; `commits` are those of all of them."""

    change: Change
    current: CommitFacts
    url: str
    commits: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Known:
    """What the rows say of the pushed commits: by Change-Id on this branch, and by commit (any patch set).

    `foreign` are addresses of authors and committers, in lower case, that belong to other accounts than the pusher's.
    `banned` are commits that nobody may push, `hidden` the changes by Change-Id that the pusher may not see.
    """

    by_change_id: Mapping[str, Sequence[Existing]]
    by_commit: Mapping[str, Sequence[Existing]]
    foreign: frozenset[str] = frozenset()
    banned: frozenset[str] = frozenset()
    hidden: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class Rights:
    """What the pusher, whose address is `email`, may do here; decided by `access.py`."""

    read: bool = True
    review: bool = True
    merges: bool = True
    submit: bool = True
    add_patch_set: bool = True
    toggle_wip: bool = True
    forge_author: bool = True
    forge_committer: bool = False
    account: int = 0
    email: str = ""
    site: str = ""
    hook: str = ""
    ssh: bool = False
    max_commits: int = 100
    labels: Mapping[str, tuple[int, int]] = field(default_factory=dict[str, tuple[int, int]])
    values: Mapping[str, tuple[int, int]] = field(default_factory=dict[str, tuple[int, int]])
    policy: Policy = field(default_factory=Policy)


@dataclass(frozen=True, slots=True)
class Refusal:
    """`text` is what git shows behind the reference; `commit` the one it is about.

    `told` is what Gerrit says after it of the commit, `advice` (Gerrit's words) which right is missing, `lines` what it
    says else, and `hint` how to go on. `ref` is the one reference that is refused; empty: all of them.
    """

    text: str
    hint: Reason | None = None
    commit: str = ""
    ref: str = ""
    advice: str = ""
    told: Reason | None = None
    lines: tuple[str, ...] = ()

    @property
    def status(self) -> str:
        """The text in the brackets behind `[remote rejected]`."""
        return f"commit {self.commit[:7]}: {self.text}" if self.commit else self.text


@dataclass(frozen=True, slots=True)
class Refused:
    """`said` are lines that the pusher reads before all others."""

    refusals: tuple[Refusal, ...]
    said: tuple[str, ...] = ()

    def of(self, ref: str) -> Refusal | None:
        """Why this reference is refused."""
        return next((one for one in self.refusals if one.ref in ("", ref)), None)


@dataclass(frozen=True, slots=True)
class ForReview:
    """A push to `refs/for/BRANCH`; `branch` is the short name, or a whole one outside of `refs/heads/`."""

    command: Command
    branch: str
    options: Options


@dataclass(frozen=True, slots=True)
class Directly:
    """A push to branches and tags, past review."""

    commands: tuple[Command, ...]
    options: push_options.Direct = field(default_factory=push_options.Direct)


@dataclass(frozen=True, slots=True)
class Step:
    """One commit that becomes a patch set: of `existing`, or of a new change when that is None.

    `given`: the commit has no Change-Id, so this one was made for it. `unchanged_files`: it touches the same files as
    the patch set before, in the same ways.
    """

    commit: CommitFacts
    change_id: str
    existing: Existing | None = None
    kind: Kind = Kind.REWORK
    given: bool = False
    unchanged_files: bool = False


@dataclass(frozen=True, slots=True)
class Plan:
    """Oldest commit first. `warnings` are told and change nothing."""

    steps: tuple[Step, ...]
    warnings: tuple[str, ...] = ()


def refused(text: str, hint: Reason | None = None, commit: str = "") -> Refused:
    """A refusal for one cause."""
    return Refused((Refusal(text, hint, commit),))


def sort(
    commands: Sequence[Command], pushed_options: Sequence[str], max_refs: int = 100
) -> ForReview | Directly | Refused:
    """Which kind of push this is."""
    if len(commands) > max_refs:
        hint = reason("review.push-too-many-refs", count=len(commands), limit=max_refs)
        return refused(f"the number of pushed references exceeds the max limit {max_refs}", hint)
    magic = [command for command in commands if command.ref.startswith(MAGIC)]
    if not magic:
        return Directly(tuple(commands), push_options.parse_direct(pushed_options))
    if len(magic) < len(commands):
        return refused("cannot combine normal pushes and magic pushes")
    if len(magic) > 1:
        return refused("duplicate request", reason("review.push-one-branch"))
    command = magic[0]
    if command.new == ZERO:
        return refused("cannot delete", reason("review.push-delete-magic"))
    target, _, suffix = command.ref.removeprefix(MAGIC).partition("%")
    try:
        options = push_options.parse(suffix, pushed_options)
    except BadOption as error:
        return refused(str(error), reason("review.push-options", known=", ".join(push_options.KNOWN)))
    if options.help:
        return Refused((Refusal("see help"),), push_help.LINES)
    return ForReview(command, target.removeprefix(_HEADS), options)
