# SPDX-License-Identifier: Apache-2.0
"""The values of announcements and answers: what happened, which channel wants to hear of it, how things stand.

Frozen values only. What happened is told as a stranger may see it; private changes never become one of these.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum


class Kind(StrEnum):
    """What happened, by the names of Gerrit's events, and what Gerrit does not know."""

    PROPOSED = "patchset-created"
    MERGED = "change-merged"
    ABANDONED = "change-abandoned"
    RESTORED = "change-restored"
    COMMENTED = "comment-added"
    TAGGED = "ref-updated"
    GATE_FAILED = "gate-failed"


@dataclass(frozen=True, slots=True)
class Happened:
    """One thing that happened.

    `name` is a tag's, or the job's that failed; `text` the first line of the error, or why. `follows` is how long after
    the patch set before it this one came, None for the first; `same` that nothing but its base or its message is new.
    `program`: a program wrote the comment.
    """

    kind: Kind
    who: str
    project: str
    branch: str
    subject: str
    url: str
    number: int = 0
    votes: tuple[tuple[str, int], ...] = ()
    name: str = ""
    text: str = ""
    follows: timedelta | None = None
    same: bool = False
    program: bool = False


@dataclass(frozen=True, slots=True)
class Audience:
    """A channel and what it wants to hear. Projects and branches are names, or expressions that begin with `^`;
    none: all. More than `digest` announcements that wait together become one line."""

    network: str
    channel: str
    events: tuple[str, ...]
    projects: tuple[str, ...] = ()
    branches: tuple[str, ...] = ()
    digest: int = 5
    language: str = "en"


@dataclass(frozen=True, slots=True)
class Announcement:
    """A line for a channel; of a digest it is `name` behind its `heading`."""

    text: str
    heading: str
    name: str


@dataclass(frozen=True, slots=True)
class Waiting:
    """An announcement that was not said yet."""

    id: int
    created: datetime
    announcement: Announcement


@dataclass(frozen=True, slots=True)
class Standing:
    """A change as it stands: `why` what it waits for, `stays` the pipelines that it is in, each with a sentence."""

    number: int
    subject: str
    place: str
    why: str
    url: str
    stays: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Waits:
    """A pipeline: what is in it, in order, and why each item waits. What the asker may not see has no name."""

    pipeline: str
    items: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Found:
    """What a search in the logs found: how often, and the newest line."""

    count: int
    line: str
    url: str
    all: str


@dataclass(frozen=True, slots=True)
class Done:
    """A request of an account: carried out at `url`, or refused with a reason; neither: there is no such change."""

    username: str
    url: str = ""
    refused: str = ""
