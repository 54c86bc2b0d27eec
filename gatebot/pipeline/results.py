# SPDX-License-Identifier: Apache-2.0
"""What executors tell about builds: one transaction each, that checks the fence, writes the row, appends the event.

Implements the `Reports` that the executor's room asks for. False is the answer to an executor that lost the build.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

from .. import journal
from ..assignment import GivenNode, Json, NodeHold, Playbook
from ..clock import Clock
from ..db import Database, Session
from ..events import BuildCompleted, BuildFailing, BuildPaused, BuildStarted, SemaphoresAsked, SemaphoresReleased
from ..reasons import Reason
from . import autohold, store
from .holds import Holds
from .secret_data import SecretData
from .tokens.service import Issuer


class Results:
    """`heard` is when each build was last spoken of, for leases; what is known from before a restart is told.

    A lease may also begin later than now, when who runs the build was told that nobody answers for a while.
    """

    def __init__(self, db: Database, clock: Clock, secrets: SecretData, issuer: Issuer | None = None) -> None:
        self._db = db
        self.secrets = secrets
        self._clock = clock
        self.issuer = issuer
        self.holds = Holds(db, clock)
        self.heard: dict[str, datetime] = {}

    async def started(self, build: str, fence: int, nodes: Sequence[GivenNode]) -> bool:
        """The first process of the build runs."""

        def tell(session: Session, at: datetime) -> bool:
            mine = store.start(session, build, fence, nodes, at)
            if mine:
                journal.append(session, BuildStarted(build, fence, nodes[0].label if nodes else ""), at)
            return mine

        return await self._db.run(tell, self._listen(build))

    async def failing(self, build: str, fence: int, reason: Reason) -> bool:
        """The build can no longer succeed, though it goes on."""
        return await self._tell(BuildFailing(build, fence, reason))

    async def paused(self, event: BuildPaused) -> bool:
        """The build waits for the jobs that depend on it; what it returned so far is theirs."""

        def tell(session: Session, at: datetime) -> bool:
            mine = store.pause(session, event)
            if mine:
                journal.append(session, event, at)
            return mine

        return await self._db.run(tell, self._listen(event.build))

    async def semaphores(self, build: str, fence: int, names: Sequence[str]) -> bool:
        """A playbook of the build waits for these."""
        return await self._tell(SemaphoresAsked(build, fence, tuple(names)))

    async def released(self, build: str, fence: int, names: Sequence[str]) -> bool:
        """The playbook that had these ended."""
        return await self._tell(SemaphoresReleased(build, fence, tuple(names)))

    async def tokens(self, build: str, fence: int, playbook: Playbook) -> dict[str, str]:
        """The tokens of a playbook that begins now, by the names of its secrets."""
        return await self.issuer.issue(build, fence, playbook) if self.issuer is not None else {}

    async def hold(self, build: str, fence: int, result: str) -> NodeHold | None:
        """The autohold request that keeps the nodes of a build that ended so; None: none does."""

        def tell(session: Session, at: datetime) -> NodeHold | None:
            return autohold.claim(session, build, result, at) if store.is_current(session, build, fence) else None

        return await self._db.run(tell, self._listen(build))

    async def kept(self, builds: Collection[str]) -> Collection[str]:
        """Nodes of these builds are kept by the executor here, and of no others that ended; those that may go."""
        return await self.holds.kept(builds)

    async def secret_data(self, build: str, fence: int, data: Mapping[str, Json]) -> bool:
        """What the build returned for nobody but the jobs after it."""

        def tell(session: Session) -> bool:
            mine = store.is_current(session, build, fence)
            if mine:
                self.secrets.keep(session, build, data)
            return mine

        self._listen(build)
        return await self._db.run(tell)

    async def completed(self, event: BuildCompleted) -> bool:
        """The build ended; its log and artifacts are all there."""

        def tell(session: Session, at: datetime) -> bool:
            mine = store.end(session, event, at)
            if mine:
                journal.append(session, event, at)
            return mine

        self.heard.pop(event.build, None)
        if self.issuer is not None:
            self.issuer.forget(event.build)
        return await self._db.run(tell, self._clock.now())

    async def alive(self, builds: Mapping[str, int]) -> tuple[str, ...]:
        """An executor still runs these builds (with their fences); the answer are those that it must kill."""
        current = await self._db.read(store.unfinished)
        mine = {build for build, fence in builds.items() if current.get(build) == fence}
        for build in mine:
            self._listen(build)
        return tuple(build for build in builds if build not in mine)

    async def _tell(self, event: BuildFailing | SemaphoresAsked | SemaphoresReleased) -> bool:
        """What changes no row."""

        def tell(session: Session, at: datetime) -> bool:
            mine = store.is_current(session, event.build, event.fence)
            if mine:
                journal.append(session, event, at)
            return mine

        return await self._db.run(tell, self._listen(event.build))

    def _listen(self, build: str) -> datetime:
        now = self._clock.now()
        self.heard[build] = max(now, self.heard.get(build, now))
        return now
