# SPDX-License-Identifier: Apache-2.0
"""The values of announcements: what happened on the site, which channel wants to hear of it, what waits to be said.

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
