# SPDX-License-Identifier: Apache-2.0
"""The values of replication: a remote and what it gets, and what waits to be pushed to it.

Floor 0. `${name}` in an address stands for the project.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Remote:
    """Where copies are kept. `projects` are RE2 expressions, none: all. `mirror` deletes there what is gone here."""

    name: str
    url: str
    projects: tuple[str, ...] = ()
    changes: bool = False
    mirror: bool = False
    user: str = ""
    password_file: str = ""
    ssh_key: str = ""
    known_hosts: str = ""


@dataclass(frozen=True, slots=True)
class PatchSetOf:
    """A patch set of a change, and its commit."""

    change: int
    number: int
    commit: str


@dataclass(frozen=True, slots=True)
class Waiting:
    """A project that a remote does not have as it is here; `count` counts what moved since it waits."""

    since: datetime
    due: datetime
    count: int = 1
    tries: int = 0
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Standing:
    """How a remote stands: how many projects wait, since when, and what it said last."""

    remote: str
    waiting: int = 0
    since: datetime | None = None
    problem: str = ""
    last: datetime | None = None
