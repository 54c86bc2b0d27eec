# SPDX-License-Identifier: Apache-2.0
"""The values of mail: what happened, who hears of it, what the letter says.

Floor 0. Names are Gerrit's: the kinds are what `X-Gerrit-MessageType` says, the levels what `notify` takes.
`NotifyWished` is the one fact that mail adds to the journal: it stands ahead of the facts of its transaction.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from ...fact import Event


class Notify(StrEnum):
    """Whom a change's news reach, each more than the one before."""

    NONE = "NONE"
    OWNER = "OWNER"
    OWNER_REVIEWERS = "OWNER_REVIEWERS"
    ALL = "ALL"


class Kind(StrEnum):
    """What a mail is about, as Gerrit names it in its headers."""

    NEW_CHANGE = "newchange"
    NEW_PATCH_SET = "newpatchset"
    COMMENT = "comment"
    MERGED = "merged"
    ABANDONED = "abandon"
    RESTORED = "restore"
    REVERTED = "revert"
    DELETE_VOTE = "deleteVote"
    DELETE_REVIEWER = "deleteReviewer"
    ADD_REVIEWER = "addReviewer"

    @property
    def told(self) -> str:
        """The word of the headers: who is asked for a review reads of a new change, as with Gerrit."""
        return Kind.NEW_CHANGE.value if self is Kind.ADD_REVIEWER else self.value


class Strategy(StrEnum):
    """When somebody wants mail: Gerrit's preference `email_strategy`."""

    ENABLED = "ENABLED"
    CC_ON_OWN_COMMENTS = "CC_ON_OWN_COMMENTS"
    ATTENTION_SET_ONLY = "ATTENTION_SET_ONLY"
    DISABLED = "DISABLED"


@dataclass(frozen=True, slots=True)
class Wish:
    """What who does something says of mail about it; `level` None: the usual. The lists are accounts told besides."""

    level: Notify | None = None
    to: tuple[int, ...] = ()
    cc: tuple[int, ...] = ()
    bcc: tuple[int, ...] = ()

    @property
    def says_something(self) -> bool:
        """Whether it differs from no wish at all."""
        return self != NO_WISH


NO_WISH = Wish()


@dataclass(frozen=True, slots=True)
class NotifyWished(Event):
    """Who is told of the facts that follow in the same transaction, where it is not the usual people."""

    change: int
    account: int
    level: str = ""
    to: tuple[int, ...] = ()
    cc: tuple[int, ...] = ()
    bcc: tuple[int, ...] = ()


FACTS: tuple[type[Event], ...] = (NotifyWished,)


@dataclass(frozen=True, slots=True)
class Happening:
    """What one account did to one change at one moment: one mail. Its facts are those from `id` to `upto`.

    `invited` were asked for a review with it, `removed` is who lost a vote or is no reviewer any more.
    """

    id: int
    at: datetime
    change: int
    kind: Kind
    actor: int | None
    patch_set: int = 0
    message: int = 0
    text: str = ""
    tag: str = ""
    votes: tuple[tuple[str, int], ...] = ()
    invited: tuple[int, ...] = ()
    removed: int | None = None
    wish: Wish = NO_WISH
    upto: int = 0


@dataclass(frozen=True, slots=True)
class Listener:
    """An account as a reader of mail. `sees` is whether the change is there for it, `turn` whether it is its turn."""

    id: int
    name: str
    email: str
    active: bool = True
    program: bool = False
    strategy: str = Strategy.ENABLED.value
    plain: bool = False
    muted: bool = False
    sees: bool = True
    turn: bool = False


@dataclass(frozen=True, slots=True)
class Addressed:
    """The accounts that a happening is told to, as the header names them; nobody is in two of them."""

    to: tuple[int, ...] = ()
    cc: tuple[int, ...] = ()
    bcc: tuple[int, ...] = ()

    @property
    def all(self) -> tuple[int, ...]:
        """Everybody."""
        return (*self.to, *self.cc, *self.bcc)


class Form(StrEnum):
    """How a part of a letter looks."""

    SAID = "said"
    CODE = "code"
    QUOTED = "quoted"
    HEADING = "heading"
    LINK = "link"
    RULE = "rule"


@dataclass(frozen=True, slots=True)
class Block:
    """One part of a letter."""

    form: Form
    text: str = ""
    url: str = ""


@dataclass(frozen=True, slots=True)
class Quote:
    """An inline comment with what it is about: the line of the file, and what it answers."""

    file: str
    patch_set: int
    text: str
    url: str
    line: int | None = None
    side: str = ""
    context: str = ""
    answers: str = ""
    unresolved: bool = False


@dataclass(frozen=True, slots=True)
class FileLine:
    """One file of a patch set in a letter."""

    status: str
    path: str
    added: int
    deleted: int


@dataclass(frozen=True, slots=True)
class Letter:
    """A mail before it has a receiver: the thread it is in, headers, footers, and what it says."""

    id: str
    thread: str
    first: bool
    kind: Kind
    at: datetime
    writer: str
    writer_email: str
    subject: str
    headers: tuple[tuple[str, str], ...]
    footers: tuple[tuple[str, str], ...]
    blocks: tuple[Block, ...]
    url: str


@dataclass(frozen=True, slots=True)
class Kept:
    """A letter as the archive has it: without addresses."""

    id: int
    at: datetime
    change: int
    project: str
    kind: str
    writer: str
    subject: str
    text: str
    message_id: str
    first: bool
