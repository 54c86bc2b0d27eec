# SPDX-License-Identifier: Apache-2.0
"""The values of the review room: projects, changes, patch sets, votes, messages, comments.

Floor 0: frozen values and nothing else. `store.py` makes them from rows, the deciders read them,
`rest.py` and `pages.py` show them. Rules of submitting are in `rules.py`, their outcome in
`verdict.py`. Times are UTC, accounts are ids, commits full hexadecimal ids.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from ..change import TextRange
from ..events import Event

ZERO = "0" * 40
COMMIT_MESSAGE = "/COMMIT_MSG"
PATCH_SET_LEVEL = "/PATCHSET_LEVEL"


class Status(StrEnum):
    """Gerrit's words: an open change is NEW."""

    NEW = "NEW"
    MERGED = "MERGED"
    ABANDONED = "ABANDONED"


class Kind(StrEnum):
    """What a patch set is to the one before it; votes are copied by this."""

    REWORK = "REWORK"
    TRIVIAL_REBASE = "TRIVIAL_REBASE"
    TRIVIAL_REBASE_WITH_MESSAGE_UPDATE = "TRIVIAL_REBASE_WITH_MESSAGE_UPDATE"
    MERGE_FIRST_PARENT_UPDATE = "MERGE_FIRST_PARENT_UPDATE"
    NO_CODE_CHANGE = "NO_CODE_CHANGE"
    NO_CHANGE = "NO_CHANGE"


class SubmitType(StrEnum):
    """How a change becomes part of its branch."""

    MERGE_IF_NECESSARY = "MERGE_IF_NECESSARY"
    MERGE_ALWAYS = "MERGE_ALWAYS"
    FAST_FORWARD_ONLY = "FAST_FORWARD_ONLY"
    CHERRY_PICK = "CHERRY_PICK"
    REBASE_IF_NECESSARY = "REBASE_IF_NECESSARY"
    REBASE_ALWAYS = "REBASE_ALWAYS"


class Side(StrEnum):
    """Which text a comment's line number counts in: the patch set's, or the one before it."""

    REVISION = "REVISION"
    PARENT = "PARENT"


class ReviewerState(StrEnum):
    REVIEWER = "REVIEWER"
    CC = "CC"


@dataclass(frozen=True, slots=True)
class Project:
    """A hosted repository. `rules` names a preset of `rules.py`."""

    name: str
    description: str = ""
    submit_type: SubmitType = SubmitType.MERGE_IF_NECESSARY
    rules: str = "default"
    default_branch: str = "main"
    position: int = 0


@dataclass(frozen=True, slots=True)
class Change:
    """One change; what its commit says of it (`subject`) is that of the current patch set.

    `submission` is the same for all that was merged together; `revert_of` is the change that it takes back,
    `cherry_pick_of` the change and patch set that it was picked from, where the server made it so.
    """

    number: int
    project: str
    branch: str
    change_id: str
    subject: str
    status: Status
    owner: int
    current: int
    created: datetime
    updated: datetime
    topic: str = ""
    hashtags: tuple[str, ...] = ()
    work_in_progress: bool = False
    private: bool = False
    submitted: datetime | None = None
    submitter: int | None = None
    merged_as: str = ""
    submission: str = ""
    revert_of: int | None = None
    cherry_pick_of: tuple[int, int] | None = None

    @property
    def is_open(self) -> bool:
        """Whether votes and patch sets still mean something."""
        return self.status is Status.NEW

    @property
    def path(self) -> str:
        """Where its page is, below the site's root."""
        return f"c/{self.project}/+/{self.number}"


@dataclass(frozen=True, slots=True)
class Person:
    """Author or committer as the commit names them; `when` keeps the zone they wrote it in."""

    name: str
    email: str
    when: datetime


@dataclass(frozen=True, slots=True)
class Upload:
    """A commit as it arrives, about to become a patch set."""

    commit: str
    parents: tuple[str, ...]
    uploader: int
    subject: str
    message: str
    author: Person
    committer: Person
    description: str = ""


@dataclass(frozen=True, slots=True)
class PatchSet:
    """One version of a change; it never changes after it was made.

    `lines` are how many it adds and takes away; None until they were counted, soon after it came.
    """

    change: int
    number: int
    commit: str
    parents: tuple[str, ...]
    uploader: int
    kind: Kind
    created: datetime
    subject: str
    message: str
    author: Person
    committer: Person
    description: str = ""
    lines: tuple[int, int] | None = field(default=None, compare=False)

    @property
    def ref(self) -> str:
        """The reference that holds its commit."""
        return change_ref(self.change, self.number)


def change_ref(change: int, patch_set: int) -> str:
    """Gerrit's reference of a patch set: the last two digits of the number first."""
    return f"refs/changes/{change % 100:02d}/{change}/{patch_set}"


def branch_ref(branch: str) -> str:
    """The reference of a change's branch; one outside of `refs/heads/` is named by its whole name."""
    return branch if branch.startswith("refs/") else f"refs/heads/{branch}"


@dataclass(frozen=True, slots=True)
class ReviewerUpdate:
    """What an account became to a change, or that it was taken from it: `state` is REVIEWER, CC or REMOVED."""

    account: int
    by: int
    state: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Vote:
    """What one account says of one patch set under one label; 0 is never stored."""

    label: str
    value: int
    account: int
    granted: datetime
    patch_set: int
    tag: str = ""
    copied: bool = False


@dataclass(frozen=True, slots=True)
class Message:
    """One entry of the change's conversation; `account` None is the server itself."""

    id: int
    change: int
    patch_set: int
    account: int | None
    text: str
    created: datetime
    tag: str = ""


@dataclass(frozen=True, slots=True)
class DraftedComment:
    """An inline comment as a person writes it. `line` None speaks of the whole file; `fixes` is kept as text."""

    file: str
    text: str
    line: int | None = None
    side: Side = Side.REVISION
    range: TextRange | None = None
    in_reply_to: str = ""
    unresolved: bool | None = None
    fixes: str = ""


@dataclass(frozen=True, slots=True)
class InlineComment:
    """A published inline comment; the last one of a thread tells whether the thread is resolved."""

    id: str
    change: int
    patch_set: int
    account: int
    file: str
    text: str
    created: datetime
    message: int
    line: int | None = None
    side: Side = Side.REVISION
    range: TextRange | None = None
    in_reply_to: str = ""
    unresolved: bool = False
    tag: str = ""
    fixes: str = ""


@dataclass(frozen=True, slots=True)
class Reviewer:
    account: int
    state: ReviewerState
    since: datetime


@dataclass(frozen=True, slots=True)
class RefMove:
    """One reference that an intent moves from `old` to `new`; `store` has the objects of `new`."""

    project: str
    ref: str
    old: str
    new: str
    store: str


@dataclass(frozen=True, slots=True)
class Intent:
    """What is about to be done to references, written before the first of them moves.

    `kind` is `push` or `land`, `key` makes it unique, `payload` is JSON that only the kind's owner
    reads. `outcome` is JSON too, empty while the intent is open.
    """

    id: int
    kind: str
    key: str
    moves: tuple[RefMove, ...]
    payload: str
    opened: datetime
    outcome: str = ""


@dataclass(frozen=True, slots=True)
class ReviewerRemoved(Event):
    """Only readers of the review room care: not one of the hall's facts."""

    change: int
    reviewer: int
    account: int


@dataclass(frozen=True, slots=True)
class PrivateChanged(Event):
    change: int
    private: bool
    account: int


@dataclass(frozen=True, slots=True)
class HeadMoved(Event):
    """Another branch of a project is its default one; both are short names."""

    project: str
    old: str
    new: str
    account: int


@dataclass(frozen=True, slots=True)
class ChangeMoved(Event):
    """A change is meant for another branch now."""

    change: int
    old: str
    new: str
    account: int


@dataclass(frozen=True, slots=True)
class CommentBlanked(Event):
    """The text of a comment was taken away; who did it and why stands there now."""

    change: int
    comment: str
    account: int


@dataclass(frozen=True, slots=True)
class AttentionMoved(Event):
    """Somebody said by hand whose turn it is: who came into the attention set, and who left it."""

    change: int
    account: int
    added: tuple[int, ...] = ()
    removed: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class CustomKeyedValuesChanged(Event):
    """What programs keep with a change is another thing; `added` are keys with their new values."""

    change: int
    account: int
    added: tuple[tuple[str, str], ...] = ()
    removed: tuple[str, ...] = ()


FACTS: tuple[type[Event], ...] = (
    ReviewerRemoved, PrivateChanged, ChangeMoved, CommentBlanked, AttentionMoved, CustomKeyedValuesChanged,
    HeadMoved,
)  # fmt: skip
