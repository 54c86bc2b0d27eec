# SPDX-License-Identifier: Apache-2.0
"""All that can be asked about what a build left: views of its texts, files, tests beside an earlier run, requests.

The one door to this sub-room for pages and REST. It reads on threads and knows rows of builds by a Protocol only.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass
from datetime import datetime

from ...errors import Gone
from ...reasons import Reason, reason
from ..log_html import Shown
from ..logs import Logs
from ..ports import BuildFacts, Builds
from .ageing import Policy, artifacts_go, log_goes
from .comparing import Compared, compare
from .model import ARTIFACTS, FileFacts, Found, RequestLine, TestRun
from .outcomes import Outcomes
from .requests import Requests
from .resources import Resources
from .timeline import Step
from .view import Asked, View, Views

#: Those of some changes that the asker may not see.
Hidden = Callable[[Collection[int]], Awaitable[frozenset[int]]]
_LOOKED_AT = 8  # newest runs of a branch among which one with tests is looked for


@dataclass(frozen=True, slots=True)
class Tests:
    """The tests of a build beside those of its branch without its change (None: there is none)."""

    run: TestRun
    compared: Compared
    before: BuildFacts | None = None


class BuildFiles:
    """What builds left."""

    def __init__(self, logs: Logs, builds: Builds, policy: Policy | None = None) -> None:
        self.logs = logs
        self._policy = policy or Policy()
        self._builds = builds
        self._views = Views(logs.shelf, logs.text)
        self._outcomes = Outcomes(logs.shelf)
        self._requests = Requests(logs.shelf, logs.text)
        self._resources = Resources(logs.shelf)

    async def view(self, build: str, name: str, asked: Asked, error: int = 0) -> View:
        """A text as a page shows it."""
        shown = Shown(error, growing=self.logs.live(build), requests=f"/build/{build}/requests/")
        return await asyncio.to_thread(self._views.view, build, name, asked, shown)

    async def find(self, build: str, name: str, text: str, first: int) -> Found:
        """The lines of a file that hold a text."""
        return await asyncio.to_thread(self.logs.text.find, build, name, text, first)

    async def artifacts(self, build: str) -> tuple[FileFacts, ...]:
        """The files that a build left beside its log."""
        return await asyncio.to_thread(self.logs.shelf.list, build, ARTIFACTS)

    async def tests(self, found: BuildFacts, hidden: Hidden) -> Tests:
        """The tests of a build beside those of the same job on its branch without its change."""
        run = await asyncio.to_thread(self._outcomes.of, found.build, ended=self._ended(found.build))
        before = await self._before(found, hidden) if run.cases else None
        if before is None:
            return Tests(run, Compared())
        return Tests(run, compare(run, before[1]), before[0])

    async def requests(self, build: str) -> tuple[tuple[tuple[str, int], ...], bool]:
        """The request ids in a build's files with how many lines each has, most first; whether there are more."""
        index = await asyncio.to_thread(self._requests.index, build, ended=self._ended(build))
        counted = sorted(((id, len(places)) for id, places in index.places.items()), key=lambda one: (-one[1], one[0]))
        return tuple(counted[:500]), index.cut or len(counted) > 500

    async def request(self, build: str, id: str) -> tuple[tuple[RequestLine, ...], bool]:
        """The lines about one request in time order; whether there are more."""
        return await asyncio.to_thread(self._requests.lines_of, build, id, ended=self._ended(build))

    async def servers(self, build: str) -> tuple[tuple[tuple[str, int], ...], bool]:
        """The servers of clouds that a build's files name, with how many lines; whether there was more than is read."""
        return await asyncio.to_thread(self._resources.servers, build)

    async def steps(self, build: str, server: str) -> tuple[tuple[Step, ...], bool]:
        """What happened to one of them, in the order of time; whether there was more than is read."""
        return await asyncio.to_thread(self._resources.steps, build, server)

    async def finish(self, build: str) -> None:
        """A build ended: understand what it left, so that nobody waits for that later."""
        await asyncio.to_thread(self._outcomes.of, build, ended=True)
        await asyncio.to_thread(self._requests.index, build, ended=True)

    def kept(self, found: BuildFacts) -> tuple[datetime, datetime] | None:
        """Until when the log and the artifacts of a build are kept; None: it has not ended, or has no log any more."""
        if found.ended is None or self._gone(found):
            return None
        passed = found.result == "SUCCESS"
        log = log_goes(self._policy, found.ended, passed=passed)
        return log, artifacts_go(self._policy, found.ended, passed=passed)

    def gone(self, found: BuildFacts) -> Reason | None:
        """Why what a build left is not there any more; None: it is there, or never was."""
        if not self._gone(found) or found.ended is None:
            return None
        if found.taken is not None:
            return found.taken
        days = self._policy.passed if found.result == "SUCCESS" else self._policy.failed
        return reason("executor.log-gone", ended=f"{found.ended:%Y-%m-%d}", days=days)

    async def check(self, build: str, name: str = "") -> None:
        """Raises `Gone` when what a build left was taken away, or the file of this name was."""
        found = await self._builds.build(build)
        if found is None:
            return
        why = self.gone(found) or (found.taken if name.startswith(f"{ARTIFACTS}/") else None)
        if why is not None:
            raise Gone(reason=why)

    def _gone(self, found: BuildFacts) -> bool:
        was = found.started is not None and found.ended is not None
        return was and not self.logs.live(found.build) and self.logs.size(found.build) is None

    def _ended(self, build: str) -> bool:
        return not self.logs.live(build)

    async def _before(self, found: BuildFacts, hidden: Hidden) -> tuple[BuildFacts, TestRun] | None:
        """The newest earlier run of the same job on the branch that has tests and may be seen."""
        earlier = await self._builds.of_branch(found.build, _LOOKED_AT)
        unseen = await hidden({one.change for one in earlier if one.change is not None})
        for one in earlier:
            if one.change in unseen or self.logs.live(one.build):
                continue
            run = await asyncio.to_thread(self._outcomes.of, one.build, ended=True)
            if run.cases:
                return one, run
        return None
