# SPDX-License-Identifier: Apache-2.0
"""The values of webhooks: who is told what, what is to be told next, and how far a webhook is.

Floor 0. The secret itself is no value here: it stays in its file until a request is signed.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Webhook:
    """Who is told. `projects` are RE2 expressions, `events` types; none: all. `local` lets it lead to this machine.

    `account` is the user name of the one whose view is told; empty: a stranger's.
    """

    name: str
    url: str
    projects: tuple[str, ...] = ()
    events: tuple[str, ...] = ()
    secret_file: str = ""
    account: str = ""
    local: bool = False


@dataclass(frozen=True, slots=True)
class Due:
    """The event that is to be told: its id and type, when it happened, and where the webhook is when it is told."""

    id: int
    kind: str
    at: datetime
    upto: int

    @property
    def name(self) -> str:
        """What people call it."""
        return f"{self.kind or 'event'} {self.id}"


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a webhook is: what is told up to `upto`, how `event` fails, and what was left behind.

    `since` is when the failing began: nothing was delivered since. `due` is when `event` is tried again.
    """

    upto: int
    event: int = 0
    tries: int = 0
    since: datetime | None = None
    due: datetime | None = None
    problem: str = ""
    delivered: datetime | None = None
    left_count: int = 0
    left_name: str = ""
    left_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Standing:
    """How a webhook stands; `behind` is when the oldest happened of what it may still have to tell."""

    name: str
    progress: Progress
    behind: datetime | None = None
