# SPDX-License-Identifier: Apache-2.0
"""A CI elsewhere, what it was asked and what it said, and how it stands.

Values only. Times are UTC, lengths of time are `timedelta`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta


@dataclass(frozen=True, slots=True)
class ThirdParty:
    """A CI with an account here. `recheck` and `projects` are RE2 expressions; no `projects`: all of them."""

    name: str
    account: str
    recheck: str
    projects: tuple[str, ...] = ()
    label: str = "Verified"
    url: str = ""
    contact: str = ""


@dataclass(frozen=True, slots=True)
class Upload:
    """A patch set. `current`: it is the newest of a change that is open."""

    change: int
    patch_set: int
    project: str
    subject: str
    at: datetime
    branch: str = ""
    owner: int = 0
    current: bool = False
    replaced: bool = False


@dataclass(frozen=True, slots=True)
class Remark:
    """A message on a patch set, by an account (None: nobody's). `tag` is set on those of programs."""

    change: int
    patch_set: int
    account: int | None
    text: str
    at: datetime
    tag: str = ""


@dataclass(frozen=True, slots=True)
class Answer:
    """A vote of the CI, and for how long it was waited for; None where nobody waited."""

    change: int
    patch_set: int
    value: int
    at: datetime
    after: timedelta | None = None


@dataclass(frozen=True, slots=True)
class Waiting:
    """Somebody asked it again, and it has not answered."""

    change: int
    patch_set: int
    subject: str
    since: datetime


@dataclass(frozen=True, slots=True)
class Standing:
    """How a CI did on the patch sets of a window.

    `asked` are those that it should have voted on, `voted` those of them that it did; `succeeded` are the votes above
    0. `median` and `slow` (of ten answers nine came faster) are times from upload or recheck to vote.
    """

    ci: ThirdParty
    known: bool
    asked: int = 0
    voted: int = 0
    succeeded: int = 0
    median: timedelta | None = None
    slow: timedelta | None = None
    last: Answer | None = None
    waiting: tuple[Waiting, ...] = ()

    @property
    def share(self) -> float | None:
        """The part of the patch sets that it voted on, 0 to 1; None where there were none."""
        return self.voted / self.asked if self.asked else None

    @property
    def success_rate(self) -> float | None:
        """The part of its votes that were good ones; None where there were none."""
        return self.succeeded / self.voted if self.voted else None


@dataclass(frozen=True, slots=True)
class Seen:
    """What a reader may see of a window that begins at `since`. `accounts` has the ids of accounts by user name."""

    since: datetime
    uploads: tuple[Upload, ...] = ()
    remarks: tuple[Remark, ...] = ()
    accounts: Mapping[str, int] = field(default_factory=dict[str, int])
