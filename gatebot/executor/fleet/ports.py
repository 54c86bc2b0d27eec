# SPDX-License-Identifier: Apache-2.0
"""What the fleet needs of others: whether a build's fence still counts, and a way to send words.

Protocols; `app.py` plugs in the scheduler's results, and NATS.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Protocol

from ...assignment import Assignment
from ...reasons import Reason
from .model import Word


class Fences(Protocol):
    """The scheduler's view of builds."""

    async def alive(self, builds: Mapping[str, int]) -> Sequence[str]:
        """These builds, with their fences, are run; the answer are those whose fence is stale, or that are over."""
        ...

    def remember(self, heard: Mapping[str, datetime]) -> None:
        """When builds were last heard of by a server before this one."""
        ...


class Holds(Protocol):
    """Kept nodes, as the scheduler knows them."""

    async def of(self, executor: str, kept: Collection[str]) -> tuple[Collection[str], Collection[str]]:
        """Of the builds whose nodes an executor has kept, those that may go; and all that it should have."""
        ...

    async def let_go(self, builds: Collection[str]) -> None:
        """The kept nodes of these builds are gone."""
        ...

    async def forsake(self, alive: Collection[str]) -> None:
        """Nodes that may go are spoken of no more where their executor is not there to be told."""
        ...


class Post(Protocol):
    """The way to executors. A word may be lost: what is due is said again."""

    async def send(self, executor: str, word: Word) -> None:
        """Send a word; it may arrive several times."""
        ...


class Local(Protocol):
    """The executor of this process."""

    @property
    def running(self) -> Mapping[str, int]:
        """The builds that run, with their fences."""
        ...

    def free_slots(self) -> int:
        """How many builds would be taken now."""
        ...

    async def assign(self, assignment: Assignment) -> None:
        """Begin a build."""
        ...

    async def abort(self, build: str, fence: int, why: Reason | None = None) -> None:
        """End a build."""
        ...

    async def resume(self, build: str, fence: int) -> None:
        """Let a paused build go on."""
        ...

    async def grant(self, build: str, fence: int, names: Sequence[str]) -> None:
        """A build has semaphores."""
        ...
