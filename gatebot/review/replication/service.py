# SPDX-License-Identifier: Apache-2.0
"""Keeps the copies elsewhere up to date: at the start every project, then what the journal says has moved.

What waits is in memory: a start pushes everything, and a push of what is there already is a short question. Each remote
is pushed to one project at a time, so a slow one keeps no other waiting.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence

from ...access import STRANGER
from ...clock import Clock
from ...journal import Journal
from ...repo import Repositories
from ..model import PrivateChanged
from ..reading import Reading
from ..store import find_changes
from .model import PatchSetOf, Remote, Standing, Waiting
from .planning import KINDS, address, again, concerns, later, wants
from .pushing import Pusher
from .store import commits_of

log = logging.getLogger(__name__)
_LOOK = 30.0


class Replication:
    """The copies of a site."""

    def __init__(
        self, remotes: Sequence[Remote], journal: Journal, repositories: Repositories, clock: Clock, reading: Reading
    ) -> None:
        self._copies = [_Copy(remote, Pusher(repositories), clock, reading) for remote in remotes]
        self._journal = journal
        self._repositories = repositories
        self._reading = reading

    async def run(self) -> None:
        """Follow the journal for ever."""
        if not self._copies:
            return
        after = await self._journal.last()
        projects = await asyncio.to_thread(self._repositories.projects)
        for copy in self._copies:
            for project in projects:
                if wants(copy.remote, project):
                    copy.want(project)
        async with asyncio.TaskGroup() as tasks:
            for copy in self._copies:
                tasks.create_task(copy.run())
            tasks.create_task(self._follow(after))

    async def _follow(self, after: int) -> None:
        async for entries in self._journal.follow(after, KINDS):
            facts = [entry.event for entry in entries]
            numbers = [fact.change for fact in facts if isinstance(fact, PrivateChanged)]
            changes = await self._reading.db.read(find_changes, numbers)
            projects = {number: change.project for number, change in changes.items()}
            for copy in self._copies:
                for project in {concerns(copy.remote, fact, projects) for fact in facts} - {""}:
                    copy.want(project)

    def standings(self) -> tuple[Standing, ...]:
        """How each remote stands."""
        return tuple(copy.standing() for copy in self._copies)


class _Copy:
    """One remote and what waits for it."""

    def __init__(self, remote: Remote, pusher: Pusher, clock: Clock, reading: Reading) -> None:
        self.remote = remote
        self._pusher = pusher
        self._clock = clock
        self._reading = reading
        self._waiting: dict[str, Waiting] = {}
        self._wake = asyncio.Event()
        self._standing = Standing(remote.name)

    def want(self, project: str) -> None:
        """The copy of a project is old."""
        self._waiting[project] = again(self._waiting.get(project), self._clock.now())
        self._wake.set()

    def standing(self) -> Standing:
        """How it stands."""
        waiting = list(self._waiting.values())
        since = min((one.since for one in waiting), default=None)
        problem = next((one.problem for one in waiting if one.problem), "")
        return Standing(self.remote.name, len(waiting), since, problem, self._standing.last)

    async def run(self) -> None:
        """Push for ever."""
        while True:
            self._wake.clear()
            now = self._clock.now()
            due = sorted((one.due, name) for name, one in self._waiting.items() if one.due <= now)
            if due:
                await self._push(due[0][1])
                continue
            nearest = min((one.due for one in self._waiting.values()), default=None)
            wait = _LOOK if nearest is None else min(_LOOK, (nearest - now).total_seconds())
            try:
                async with asyncio.timeout(wait):
                    await self._wake.wait()
            except TimeoutError:
                continue

    async def _push(self, project: str) -> None:
        before = self._waiting[project]
        try:
            url = address(self.remote, project)
            patch_sets = await public(self._reading, project) if self.remote.changes else ()
            problem = await self._pusher.push(self.remote, project, url, patch_sets)
        except Exception as error:
            # A repository that cannot be read must not end the copies of all others.
            log.exception("replication of %s to %s", project, self.remote.name)
            problem = str(error) or type(error).__name__
        now = self._clock.now()
        if problem:
            log.warning("replication of %s to %s: %s", project, self.remote.name, problem)
            self._waiting[project] = later(self._waiting[project], problem, now)
            return
        self._standing = Standing(self.remote.name, last=now)
        if self._waiting[project].count == before.count:
            del self._waiting[project]
        else:  # something moved while it was pushed
            self._waiting[project] = Waiting(now, now)


async def public(reading: Reading, project: str) -> Sequence[PatchSetOf]:
    """The patch sets of a project that everybody may see.

    Which changes are hidden is read last: what became private in between is not among them.
    """
    known = await reading.db.read(commits_of, project)
    hidden = frozenset(await reading.hidden_in(STRANGER, project))
    return [one for one in known if one.change not in hidden]
