# SPDX-License-Identifier: Apache-2.0
"""What runs now: commands over SSH, the packing of stores, and the work that the server goes on with by itself.

A task is here from its beginning to its end. What was asked for by somebody can be stopped; the server's own work ends
with the server.
"""

from __future__ import annotations

import asyncio
import itertools
import re
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime

from ...clock import Clock

SERVER = "Server"
_UNNAMED = re.compile(r"Task-\d+")
_LONGEST = 300


@dataclass(frozen=True, slots=True)
class Task:
    """`since` is not known of the server's own work. `stop` is None where nobody may end it."""

    id: str
    command: str
    queue: str
    since: datetime | None = None
    account: int | None = None
    project: str = ""
    stop: Callable[[], object] | None = None


class Tasks:
    """The tasks of this process."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._numbers = itertools.count(1)
        self._running: dict[str, Task] = {}

    @contextmanager
    def running(self, command: str, queue: str, *, account: int | None = None, project: str = "") -> Generator[None]:
        """The caller's own task, as long as this lasts; who stops it cancels the caller."""
        here, id = asyncio.current_task(), f"{next(self._numbers):08x}"
        task = Task(id, " ".join(command.split())[:_LONGEST], queue, self._clock.now(), account, project)
        self._running[id] = replace(task, stop=here.cancel if here is not None else None)
        try:
            yield
        finally:
            del self._running[id]

    def all(self) -> list[Task]:
        """Everything that runs: what was asked for, the oldest first, then the server's own work by name."""
        own = [one.get_name() for one in asyncio.all_tasks() if not one.done()]
        named = sorted(name for name in own if not _UNNAMED.fullmatch(name))
        return [*self._running.values(), *(Task(f"s{n:07x}", name, SERVER) for n, name in enumerate(named))]
