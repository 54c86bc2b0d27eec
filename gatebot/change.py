# SPDX-License-Identifier: Apache-2.0
"""A change as other rooms may know it, and the order to land one.

Floor 0: values only. The review room makes `ChangeFacts` from its tables; the pipeline room decides
with them; nobody changes them. Landing is asked for by the gate and done by the review room, in
beats: intent, references by compare-and-swap, rows and journal, announcements.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from .reasons import Reason

SPACE = 100_000_000
"""Changes and accounts of another review site have the numbers of that site plus a multiple of this."""


def own_number(number: int) -> int:
    """A change's number as its own site knows it, and as people read it."""
    return number % SPACE


@dataclass(frozen=True, slots=True)
class TextRange:
    """A piece of a file: lines from 1, characters from 0, the end is not part of it."""

    start_line: int
    start_character: int
    end_line: int
    end_character: int


@dataclass(frozen=True, slots=True)
class FileComment:
    """A remark of the gate or of a job on a line of a file, 0: on the whole file; `level`: info, warning or error.

    `span` is what exactly it speaks of, where that was said.
    """

    path: str
    line: int
    message: str
    level: str = "info"
    span: TextRange | None = None


@dataclass(frozen=True, slots=True)
class VoteFact:
    """One vote that counts on the current patch set. `granted` is UTC."""

    label: str
    value: int
    account: int
    username: str
    email: str
    granted: datetime


@dataclass(frozen=True, slots=True)
class ChangeFacts:
    """What the gate needs to know of one patch set of a change.

    `status` is Gerrit's NEW, MERGED or ABANDONED. `patch_set` is the one asked for, `current` the
    newest. `change_id` is the `I...` footer. `files` are the paths it touches against its first
    parent. `submit_type` is Gerrit's name in upper case. `footers` are what its commit gets when it is picked onto its
    branch, by the votes of now.
    """

    number: int
    patch_set: int
    current: int
    change_id: str
    project: str
    branch: str
    commit: str
    parents: tuple[str, ...]
    subject: str
    message: str
    owner: int
    owner_username: str
    uploader: int
    status: str
    url: str
    topic: str = ""
    hashtags: tuple[str, ...] = ()
    work_in_progress: bool = False
    private: bool = False
    votes: tuple[VoteFact, ...] = ()
    files: tuple[str, ...] = ()
    submit_type: str = "MERGE_IF_NECESSARY"
    author: str = ""
    footers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class LandingChange:
    """One change of a landing: move `branch` from `expected` to `commit`.

    `commit` is the very commit that was tested; its objects are in the bare repository `store`
    (a project name, or `speculation/QUEUE`).
    """

    number: int
    patch_set: int
    project: str
    branch: str
    expected: str
    commit: str
    store: str


@dataclass(frozen=True, slots=True)
class Landing:
    """All changes of one queue item: all merge or none. `item` makes it idempotent.

    `assumed` are the other branches that the tests read, as (project, branch, commit): where one of them is
    elsewhere by now, nothing may move, because that trunk was never tested. `votes` are those of success, for sites
    that merge only what they see voted.
    """

    item: str
    pipeline: str
    changes: tuple[LandingChange, ...]
    assumed: tuple[tuple[str, str, str], ...] = ()
    votes: tuple[tuple[str, int], ...] = ()


@dataclass(frozen=True, slots=True)
class Landed:
    item: str


@dataclass(frozen=True, slots=True)
class LandRefused:
    """Nothing moved. `tips` are where the branches really are."""

    item: str
    reason: Reason
    tips: tuple[tuple[str, str, str], ...] = ()
