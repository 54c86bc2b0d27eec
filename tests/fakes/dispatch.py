# SPDX-License-Identifier: Apache-2.0
"""Executors that only remember: a test, or a rule of the test, says how each build ends."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from gatebot.assignment import Assignment, GivenNode
from gatebot.events import BuildCompleted, BuildPaused
from gatebot.pipeline.results import Results
from gatebot.reasons import Reason


@dataclass
class FakeDispatch:
    """Implements the pipeline room's `Dispatch`. `rule` ends builds at once; None leaves one running.

    Without `nodes` the builds that are assigned wait for theirs.
    """

    results: Results | None = None
    rule: Callable[[Assignment], str | None] = lambda assignment: None
    slots: int = 1000
    nodes: bool = True
    running: dict[str, Assignment] = field(default_factory=dict)
    assigned: list[Assignment] = field(default_factory=list)
    aborted: list[str] = field(default_factory=list)
    resumed: list[str] = field(default_factory=list)
    granted: list[tuple[str, tuple[str, ...]]] = field(default_factory=list)

    def free_slots(self) -> int:
        return self.slots - len(self.running)

    async def assign(self, assignment: Assignment) -> None:
        known = self.running.get(assignment.build)
        if known is not None and known.fence >= assignment.fence:
            return
        self.assigned.append(assignment)
        self.running[assignment.build] = assignment
        if not self.nodes:
            return
        assert self.results is not None
        await self.results.started(assignment.build, assignment.fence, [GivenNode("fake", "x86_64", "native", "local")])
        result = self.rule(assignment)
        if result is not None:
            await self.finish(assignment, result)

    async def abort(self, build: str, fence: int, why: Reason | None = None) -> None:
        if self.running.pop(build, None) is not None:
            self.aborted.append(build)

    async def resume(self, build: str, fence: int) -> None:
        if build in self.running:
            self.resumed.append(build)

    async def grant(self, build: str, fence: int, names: Sequence[str]) -> None:
        if build in self.running:
            self.granted.append((build, tuple(names)))

    async def pause(self, assignment: Assignment, data: str = "{}", child_jobs: tuple[str, ...] | None = None) -> bool:
        """The build waits for the jobs that depend on it."""
        assert self.results is not None
        return await self.results.paused(
            BuildPaused(assignment.build, assignment.fence, data=data, child_jobs=child_jobs)
        )

    async def finish(
        self,
        assignment: Assignment,
        result: str,
        *,
        retry: bool = False,
        data: str = "{}",
        child_jobs: tuple[str, ...] | None = None,
    ) -> bool:
        """The build ends, with what it returned."""
        self.running.pop(assignment.build, None)
        assert self.results is not None
        line, text = (0, "") if result == "SUCCESS" else (12, "E   assert 2 == 3")
        event = BuildCompleted(
            assignment.build,
            assignment.fence,
            result,
            error_line=line,
            error_text=text,
            retry=retry,
            data=data,
            child_jobs=child_jobs,
        )
        return await self.results.completed(event)

    def of(self, change: int, job: str = "") -> Assignment:
        """The running build of a change."""
        return next(
            one
            for one in self.running.values()
            if one.changes and one.changes[-1].number == change and job in ("", one.job.name)
        )
