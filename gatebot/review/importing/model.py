# SPDX-License-Identifier: Apache-2.0
"""What another Gerrit has, as values. Accounts and changes are numbered as they are there.

Floor 0. `reading.py` makes these from its answers; `rows.py` and `people.py` write them here, with the numbers that
they have here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeAlias

from ..attention.model import Attention
from ..model import InlineComment, Kind, Reviewer, Vote

#: An answer of theirs: it is looked into with care in `reading.py` alone.
Answer: TypeAlias = dict[str, Any]
ALL_USERS = "All-Users"
THEIR_CONFIG = "refs/meta/gerrit"
"""Where the configuration of their All-Projects is kept when it does not become that of this site."""


@dataclass(frozen=True, slots=True)
class TheirAccount:
    """Somebody; `others` are further addresses, `keys` lines as in `authorized_keys`."""

    id: int
    username: str
    name: str
    email: str
    active: bool
    others: tuple[str, ...] = ()
    keys: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class TheirGroup:
    """A group; `includes` and `owner` are UUIDs."""

    uuid: str
    name: str
    description: str
    owner: str
    visible: bool
    created: datetime
    members: tuple[int, ...]
    includes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class TheirSet:
    """One patch set; everything else about it is in its commit."""

    number: int
    commit: str
    kind: Kind
    uploader: int
    created: datetime
    description: str = ""


@dataclass(frozen=True, slots=True)
class TheirMessage:
    """One entry of a conversation; no account: the server."""

    id: str
    patch_set: int
    account: int | None
    text: str
    created: datetime
    tag: str = ""


@dataclass(frozen=True, slots=True)
class TheirChange:
    """A change with everything that REST tells of it. `comments` are with the ids of their messages."""

    number: int
    project: str
    branch: str
    change_id: str
    subject: str
    status: str
    owner: int
    current: int
    created: datetime
    updated: datetime
    seen: str
    topic: str = ""
    hashtags: tuple[str, ...] = ()
    work_in_progress: bool = False
    private: bool = False
    submitted: datetime | None = None
    submitter: int | None = None
    submission: str = ""
    revert_of: int | None = None
    picked_from: tuple[int, int] | None = None
    patch_sets: tuple[TheirSet, ...] = ()
    messages: tuple[TheirMessage, ...] = ()
    comments: tuple[tuple[str, InlineComment], ...] = ()
    votes: tuple[Vote, ...] = ()
    reviewers: tuple[Reviewer, ...] = ()
    attention: tuple[Attention, ...] = ()

    @property
    def people(self) -> frozenset[int]:
        """Everybody who has to do with it."""
        several = (*self.votes, *self.reviewers, *self.attention, *(one for _, one in self.comments), *self.messages)
        found = {self.owner, self.submitter, *(one.account for one in several), *(s.uploader for s in self.patch_sets)}
        return frozenset(one for one in found if one is not None)


@dataclass(frozen=True, slots=True)
class Listed:
    """A change in a list: when it was touched last, and how much there is of it."""

    number: int
    project: str
    status: str
    updated: str
    comments: int = 0
    messages: int = 0
    votes: int = 0


@dataclass(frozen=True, slots=True)
class Mark:
    """What is remembered of something that was brought: what it is here, and how it was there then."""

    here: str
    seen: str = ""


Marks: TypeAlias = Mapping[str, Mark]


@dataclass(frozen=True, slots=True)
class Tally:
    """How many of something there are there, and how many of those are here."""

    what: str
    there: int
    here: int

    @property
    def equal(self) -> bool:
        """Whether none is missing."""
        return self.there == self.here


@dataclass(slots=True)
class Told:
    """What an import did, and what a person should know of it."""

    brought: dict[str, int] = field(default_factory=dict[str, int])
    _notes: dict[str, None] = field(default_factory=dict[str, None])

    @property
    def notes(self) -> list[str]:
        """What is not as there, each once."""
        return list(self._notes)

    def count(self, what: str, number: int = 1) -> None:
        """Something was brought that was not here."""
        if number:
            self.brought[what] = self.brought.get(what, 0) + number

    def note(self, text: str) -> None:
        """Something is not as there."""
        self._notes[text] = None
