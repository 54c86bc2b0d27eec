# SPDX-License-Identifier: Apache-2.0
"""Runs one build from its first log line to its result: workspace, node, steps in Zuul's order, artifacts.

What comes next and how the build ends is decided by `steps.py`; here it is done. A run is cancelled by
`abort`, which kills the node's processes; every way out destroys the node.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

import re2

from ..assignment import Assignment, Json
from ..errors import GatebotError
from ..events import BuildCompleted
from ..reasons import Reason, reason
from ..words import say
from . import lineage, variables
from .artifacts import collect
from .commands import Surroundings, command_for
from .egress import Egress
from .logs import Logs, LogWriter
from .model import Ending, Label, Phase, Places, Result, Returned, Step, StepDone, Verdict
from .ports import Reports, Sources
from .providers.bubblewrap import HOME, PLAY
from .providers.model import Exit, NodeRequest
from .providers.ports import Connection, Provider
from .scrub import Scrubber
from .steps import next_step, time_left, verdict, why
from .workspace_order import order
from .workspaces import Workspaces

#: A build whose job names no node still runs somewhere.
NODELESS = "small"
_MAKING = 60.0


@dataclass(frozen=True, slots=True)
class Tools:
    """What every run uses."""

    provider: Provider
    workspaces: Workspaces
    logs: Logs
    reports: Reports
    sources: Sources
    egress: Egress
    labels: Mapping[str, Label]
    surroundings: Surroundings
    layers: Path


class _Ended(Exception):
    """The build is over before its steps are; carries how."""

    def __init__(self, verdict: Verdict) -> None:
        super().__init__(verdict.result)
        self.verdict = verdict


@dataclass(slots=True)
class Run:
    """One build on its way."""

    tools: Tools
    assignment: Assignment
    aborted: bool = False
    _done: list[StepDone] = field(default_factory=list[StepDone])
    _connection: Connection | None = None
    _told_started: asyncio.Task[None] | None = None
    _told_failing: asyncio.Task[None] | None = None
    _preparing: asyncio.Task[None] | None = None

    async def go(self) -> BuildCompleted:
        """Run to the end; never raises for what a job or a node does."""
        assignment, tools = self.assignment, self.tools
        log = tools.logs.open(assignment.build, Scrubber(assignment.secrets))
        (tools.logs.directory(assignment.build) / lineage.FILE).write_text(lineage.to_text(assignment), "utf-8")
        returned = Returned()
        try:
            found, returned = await self._run(log)
        except _Ended as over:
            found = over.verdict
        except GatebotError as problem:
            told = problem.reason or reason("executor.node-lost", step=str(problem))
            found = Verdict(Result.RETRY, told, retry=True)
        except Exception as problem:  # a defect of ours must not look like a fault of the change
            found = Verdict(Result.ERROR, reason("executor.defect", told=f"{type(problem).__name__}: {problem}"))
            log.say(f"gatebot: {type(problem).__name__}: {problem}")
        finally:
            await tools.egress.close(assignment.build)
            with contextlib.suppress(GatebotError):
                await tools.provider.destroy(assignment.build)
        if self.aborted:
            found = Verdict(Result.ABORTED, reason("executor.aborted"))
        return self._completed(found, returned, log)

    async def abort(self) -> None:
        """End the build now; its result is ABORTED."""
        self.aborted = True
        if self._preparing is not None:
            self._preparing.cancel()
        if self._connection is not None:
            await self._connection.kill()

    # -- the parts, in order --------------------------------------------------------------------

    async def _run(self, log: LogWriter) -> tuple[Verdict, Returned]:
        label = self._label()
        node, job = self.assignment.build, self.assignment.job
        places = self.tools.provider.places(node)
        self._preparing = asyncio.create_task(self._prepare(label, places))
        try:
            await self._preparing
        except asyncio.CancelledError:
            if not self.aborted:
                raise
            raise _Ended(Verdict(Result.ABORTED, reason("executor.aborted"))) from None
        finally:
            self._preparing = None
        await self.tools.egress.open(node, lambda told: log.say(f"gatebot: {told}"))
        self._connection = connection = self.tools.provider.connect(node)
        log.on_line = self._watcher(job.failure_output)
        while not self.aborted and (step := next_step(job, self._done)) is not None:
            self._done.append(await self._step(step, label, places, connection, log))
        log.on_line = None
        returned = Returned()
        if not self.aborted:
            logs = self.tools.logs
            returned = await collect(connection, places, logs.directory(node), logs.sizes.artifacts, log.say)
        return verdict(job, self._done, returned), returned

    def _label(self) -> Label:
        nodes = self.assignment.job.nodes
        if len(nodes) > 1:
            raise _Ended(Verdict(Result.NODE_FAILURE, reason("executor.one-node-only", nodes=len(nodes))))
        name = nodes[0].label if nodes else NODELESS
        label = self.tools.labels.get(name)
        if label is None:
            known = ", ".join(sorted(self.tools.labels))
            raise _Ended(Verdict(Result.NODE_FAILURE, reason("executor.no-such-label", label=name, known=known)))
        arch = (nodes[0].arch if nodes else "") or label.arch
        if _arch(arch) not in ("", self.tools.surroundings.arch):
            found = reason("executor.no-such-arch", label=name, arch=arch, have=self.tools.surroundings.arch)
            raise _Ended(Verdict(Result.NODE_FAILURE, found))
        if label.privileged and not self.assignment.post_review:
            raise _Ended(Verdict(Result.NODE_FAILURE, reason("executor.label-privileged", label=name)))
        return label

    async def _prepare(self, label: Label, places: Places) -> None:
        tools, assignment = self.tools, self.assignment
        layer = tools.layers / assignment.build
        inside = Places(HOME, PLAY, places.host)
        await tools.workspaces.prepare(order(assignment, places, inside, str(layer), tools.sources.locate))
        await tools.provider.create(NodeRequest(assignment.build, label, str(layer)))
        await tools.provider.wait_ready(assignment.build, _MAKING)

    async def _step(self, step: Step, label: Label, places: Places, connection: Connection, log: LogWriter) -> StepDone:
        path = variables.path_of(self.assignment, step.playbook, places)
        if path is None:
            told = reason("executor.playbook-missing", project=step.playbook.project, path=step.playbook.path)
            raise _Ended(Verdict(Result.CONFIG_ERROR, told))
        success = all(item.ending is Ending.OK for item in self._done)
        command = command_for(self.assignment, step, path, places, label, self.tools.surroundings, success=success)
        log.say(f"{step.phase}: {step.playbook.project} {step.playbook.path}")
        limit = time_left(self.assignment.job, step, self._done)
        began = time.monotonic()
        ending, code = Ending.OK, 0
        try:
            running = connection.run(command, log.output, started=self._tell_started)
            ended = await asyncio.wait_for(running, limit)
            ending, code = _ending(ended), ended.status
        except TimeoutError:
            ending = Ending.TIMED_OUT
            await connection.kill()
        if self.aborted:
            ending = Ending.ABORTED
        done = StepDone(step, ending, code, time.monotonic() - began)
        log.flush()
        if ending is not Ending.OK:
            told = reason("executor.aborted") if ending is Ending.ABORTED else why(done, self.assignment.job)
            log.say(f"{step.phase}: {say(told)}")
            if step.phase is Phase.RUN:
                self._tell_failing(told)
        return done

    # -- what is told meanwhile -----------------------------------------------------------------

    def _tell_started(self) -> None:
        if self._told_started is None:
            node = self.assignment.job.nodes[0].label if self.assignment.job.nodes else NODELESS
            told = self.tools.reports.started(self.assignment.build, self.assignment.fence, node)
            self._told_started = asyncio.create_task(self._unless_stale(told))

    def _tell_failing(self, why: Reason) -> None:
        if self._told_failing is None and not self.aborted:
            told = self.tools.reports.failing(self.assignment.build, self.assignment.fence, why)
            self._told_failing = asyncio.create_task(self._unless_stale(told))

    async def _unless_stale(self, told: object) -> None:
        """A scheduler that no longer knows the build has given it to somebody else: end it."""
        assert asyncio.iscoroutine(told)
        if not await told:
            await self.abort()

    def _watcher(self, patterns: tuple[str, ...]) -> Callable[[str], None] | None:
        if not patterns:
            return None
        matchers = [_matcher(pattern) for pattern in patterns]

        def read(line: str) -> None:
            if any(matches(line) for matches in matchers):
                self._tell_failing(reason("executor.failure-output", line=line[:200]))

        return read

    def _completed(self, found: Verdict, returned: Returned, log: LogWriter) -> BuildCompleted:
        error = log.found() if found.result is not Result.SUCCESS else None
        if found.reason is not None:
            log.say(f"result: {found.result}. {say(found.reason)}")
        else:
            log.say(f"result: {found.result}")
        self.tools.logs.close(self.assignment.build)
        files = tuple((name, f"artifacts/{name}") for name in self.tools.logs.artifacts(self.assignment.build))
        data: dict[str, Json] = dict(returned.data)
        return BuildCompleted(
            build=self.assignment.build,
            fence=self.assignment.fence,
            result=found.result.value,
            reason=found.reason,
            error_line=error.line if error else 0,
            error_text=error.text if error else "",
            retry=found.retry,
            data=json.dumps(data),
            artifacts=(*returned.artifacts, *files),
        )

    async def told(self) -> None:
        """Wait until what was told meanwhile has arrived, so that the result comes last."""
        for task in (self._told_started, self._told_failing):
            if task is not None and task is not asyncio.current_task():
                await asyncio.wait([task])


def _ending(ended: Exit) -> Ending:
    if ended.status == 0:
        return Ending.OK
    if ended.out_of_memory:
        return Ending.OUT_OF_MEMORY
    return Ending.DISK_FULL if ended.disk_full else Ending.FAILED


def _matcher(pattern: str) -> Callable[[str], bool]:
    compiled = cast("re.Pattern[str]", re2.compile(pattern))  # pyright: ignore[reportUnknownMemberType]
    return lambda line: compiled.search(line) is not None


def _arch(name: str) -> str:
    return {"amd64": "x86_64", "arm64": "aarch64"}.get(name, name)
