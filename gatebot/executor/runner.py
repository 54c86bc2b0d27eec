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
import signal
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from typing import cast

import re2

from ..assignment import Assignment, Json
from ..errors import GatebotError
from ..events import BuildCompleted, BuildPaused
from ..reasons import Reason, reason
from ..words import say
from . import lineage
from .artifacts import collect, returned_so_far
from .commands import command_for, without
from .equipping import Equipped, equip, remarkable
from .holding import said_of
from .logs import LogWriter, last_line
from .model import Ending, Phase, Result, Returned, Step, StepDone, Verdict
from .paths import path_of
from .providers.model import Command, Exit
from .providers.ports import Connection
from .returned import together
from .scrub import Scrubber
from .steps import cut_short, hindrance, next_step, shown, time_left, verdict, why
from .telling import Telling
from .tools import Ended, Tools
from .waiting import Waiting


@dataclass(slots=True)
class Run:
    """One build on its way."""

    tools: Tools
    assignment: Assignment
    aborted: bool = False
    _over: bool = False
    _early: Reason | None = None
    _exposed: bool = False
    _stopping: asyncio.Task[None] | None = None
    _unreachable: bool = False
    _gone: set[str] = field(default_factory=set[str])
    _returned: Returned = field(default_factory=Returned)
    _done: list[StepDone] = field(default_factory=list[StepDone])
    _canceled: Reason | None = None
    _looked: bool = False
    _equipped: Equipped | None = None
    _preparing: asyncio.Task[Equipped] | None = None
    _waiting: Waiting = field(default_factory=Waiting)
    _killed: asyncio.Event = field(default_factory=asyncio.Event)
    _telling: Telling = field(init=False)
    _scrubber: Scrubber = field(init=False)

    def __post_init__(self) -> None:
        secret = {"secrets": self.assignment.secrets, "returned": self.assignment.secret_data}
        self._scrubber = Scrubber({**secret, "pass": self.assignment.artifact_pass})
        self._telling = Telling(self.tools.reports, self.assignment, self._unwanted)

    async def go(self) -> BuildCompleted:
        """Run to the end; never raises for what a job or a node does."""
        assignment, tools = self.assignment, self.tools
        log = tools.logs.open(assignment.build, self._scrubber)
        with contextlib.suppress(OSError):  # no room: the page does not say what it was tested with
            (tools.logs.directory(assignment.build) / lineage.FILE).write_text(lineage.to_text(assignment), "utf-8")
        if assignment.fence > 1:
            log.say(f"gatebot: {say(reason('executor.run-anew'))}")
        for lacks in lineage.fallbacks(assignment):
            log.say(f"gatebot: {say(lacks)}")
        returned, found = Returned(), Verdict(Result.ABORTED)
        try:
            found, returned = await self._run(log)
        except Ended as over:
            found = over.verdict
        except GatebotError as problem:
            told = problem.reason or reason("executor.node-lost", step=str(problem))
            found = Verdict(Result.RETRY, told, retry=True)
        except OSError as problem:  # of this machine, such as a full disk: another one may do better
            found = Verdict(Result.RETRY, reason("executor.machine-trouble", told=str(problem)), retry=True)
        except Exception as problem:  # a defect of ours must not look like a fault of the change
            found = Verdict(Result.ERROR, reason("executor.defect", told=f"{type(problem).__name__}: {problem}"))
            log.say(f"gatebot: {type(problem).__name__}: {problem}")
        finally:
            if self._equipped is not None and self._equipped.switchboard is not None:
                await self._equipped.switchboard.close()
            for node in tools.supply.nodes.get(assignment.build, ()):
                await tools.egress.close(node.node)
            with contextlib.suppress(GatebotError):
                await self._leave(found, log)
        if self._exposed:
            found = Verdict(Result.SECRET_EXPOSURE, reason("executor.secret-exposed"))
        elif self.aborted:
            found = cut_short(self._canceled)
        return self._completed(found, returned, log)

    async def _leave(self, found: Verdict, log: LogWriter) -> None:
        """Take the node away, unless somebody asked to look at nodes of such builds."""
        build = self.assignment.build
        hold = None if self._stopped else await self.tools.held.keep(self.assignment, found)
        if hold is None:
            await self.tools.supply.destroy(build)
        else:
            log.say(f"gatebot: {say(said_of(build, hold))}")

    async def _unwanted(self) -> None:
        """What was told is of no interest any more; a build that cleans up already goes on with that."""
        if not self.aborted:
            await self.abort()

    async def abort(self, why: Reason | None = None, *, at_once: bool = False) -> None:
        """End the build; it is canceled when somebody has a reason, else aborted.

        Steps that clean up still run, unless it is to be over `at_once`.
        """
        self._over = self._over or at_once or self.aborted
        self.aborted = True
        self._canceled = self._canceled or why
        await self._waiting.end()
        if self._preparing is not None:
            self._preparing.cancel()
        await self._kill()

    @property
    def pausing(self) -> bool:
        """Whether it does nothing until the jobs that depend on it have ended."""
        return self._waiting.pausing

    async def resume(self) -> None:
        """Nobody depends on the paused build any more."""
        await self._waiting.resume()

    async def grant(self, names: Iterable[str]) -> None:
        """The semaphores that a playbook of it asked for are its own."""
        await self._waiting.grant(names)

    # -- the parts, in order --------------------------------------------------------------------

    async def _run(self, log: LogWriter) -> tuple[Verdict, Returned]:
        job = self.assignment.job
        self._preparing = asyncio.create_task(equip(self.tools, self.assignment, log.say))
        try:
            equipped = await self._preparing
        except asyncio.CancelledError:
            if not self.aborted:
                raise
            raise Ended(cut_short(self._canceled)) from None
        finally:
            self._preparing = None
        self.assignment, self._equipped = equipped.assignment, equipped
        for node in equipped.nodes:
            if (what := remarkable(node.placed)) is not None:
                log.say(f"gatebot: {say(what)}")
            await self.tools.egress.open(node.placed.node, lambda told: log.say(f"gatebot: {told}"))
        if job.resources_first and not self.aborted:
            await self._ask(job.resources_first, log)  # kept until the build ends
        while not self._over and (step := next_step(job, self._done, aborted=self._stopped)) is not None:
            await self._hear(equipped)
            if step.phase not in (Phase.PRE, Phase.RUN):
                await self._pause(equipped, log)
            if self._stopped:
                await self._killed.wait()  # else what cleans up would be killed with what it cleans up after
            self._done.append(await self._step(step, equipped, log))
        if not self._looked:
            await self._hear(equipped)
            await self._pause(equipped, log)
        log.on_line = log.on_signal = None
        returned = Returned()
        if not self._stopped:
            logs = self.tools.logs
            into, largest = logs.directory(self.assignment.build), logs.sizes.artifacts
            returned = together(
                [await collect(one.connection, one.places, into, largest, log.say) for one in equipped.returning]
            )
        self._telling.secret_data(returned.secret_data)
        return verdict(job, self._done, returned, self._early), returned

    @property
    def _stopped(self) -> bool:
        """Whether nothing runs any more but what cleans up."""
        return self.aborted or self._exposed

    async def _hear(self, equipped: Equipped) -> None:
        """Between steps: what the job returned until now, and wants to be covered from now on."""
        if self._stopped or not self._done or self._done[-1].ending not in (Ending.OK, Ending.FAILED):
            return
        with contextlib.suppress(GatebotError):  # the next step will say what is the matter with the node
            found = [await returned_so_far(one.connection, one.places) for one in equipped.returning]
            self._returned = together(found)
            self._scrubber.add({"redactions": list[Json](self._returned.redactions)})

    async def _pause(self, equipped: Equipped, log: LogWriter) -> None:
        """After a clean run that asked for it: wait, with everything on the node alive, until nobody needs it."""
        if self._looked or self._stopped:
            return
        self._looked = True
        if any(item.ending is not Ending.OK for item in self._done):
            return
        returned = self._returned
        if not returned.pause:
            return
        log.say("gatebot: paused until the jobs that depend on this one have ended")
        self._telling.secret_data(returned.secret_data)
        await self._telling.paused(
            BuildPaused(
                self.assignment.build,
                self.assignment.fence,
                json.dumps(dict(returned.data)),
                returned.artifacts,
                returned.child_jobs,
            )
        )
        await self._waiting.resumed()
        log.say("gatebot: resumed")

    async def _step(self, step: Step, equipped: Equipped, log: LogWriter) -> StepDone:
        job, cleaning, node = self.assignment.job, self._stopped, equipped.runs(step.playbook.path)
        path = path_of(self.assignment, step.playbook, node.places)
        if path is None:
            told = reason("executor.playbook-missing", project=step.playbook.project, path=step.playbook.path)
            raise Ended(Verdict(Result.CONFIG_ERROR, told))
        success = all(item.ending is Ending.OK for item in self._done)
        retried = verdict(job, self._done, self._returned, self._early).retry and self.assignment.attempt < job.attempts
        assignment = await self._with_tokens(step)
        command = command_for(
            assignment, step, path, node.places, node.placed.label, node.around, success=success, retried=retried
        )
        command = without(replace(command, env={**command.env, **node.more}), self._gone, node.around)
        log.say(f"{step.phase}: {step.playbook.project} {step.playbook.path}")
        self._watch(step, log)
        began = time.monotonic()
        ending, code = Ending.OK, 0
        try:
            running = self._with_semaphores(step, node.connection, command, log)
            ended = await asyncio.wait_for(running, time_left(job, step, self._done))
            ending, code = _ending(ended), ended.status
        except TimeoutError:
            ending = Ending.TIMED_OUT
        if self._stopped and not cleaning:
            ending = Ending.ABORTED
        elif self._unreachable and ending is Ending.FAILED:
            ending = Ending.UNREACHABLE
        stopped = hindrance(step, code, log.last_printed) if ending is Ending.FAILED else None
        done = StepDone(step, ending, code, time.monotonic() - began, stopped)
        passed = ending is Ending.OK and self._early is None
        log.step_over(passed=passed, cut=ending in (Ending.TIMED_OUT, Ending.ABORTED))
        if ending is not Ending.OK:
            told = (cut_short(self._canceled).reason if ending is Ending.ABORTED else None) or why(done, job)
            log.say(f"{step.phase}: {say(told)}")
            if step.phase is Phase.RUN and ending is not Ending.UNREACHABLE:
                self._tell_failing(told)
        return done

    async def _with_tokens(self, step: Step) -> Assignment:
        """The assignment as this step gets it: with tokens that are signed now."""
        if not step.playbook.secrets:
            return self.assignment
        build, fence = self.assignment.build, self.assignment.fence
        tokens = await self.tools.reports.tokens(build, fence, step.playbook)
        self._scrubber.add(tokens)
        return replace(self.assignment, secrets={**self.assignment.secrets, **tokens}) if tokens else self.assignment

    async def _with_semaphores(self, step: Step, connection: Connection, command: Command, log: LogWriter) -> Exit:
        """Run a step while holding the semaphores of its playbook; waiting for them is part of its time."""
        names = step.playbook.semaphores
        if not names:
            return await connection.run(command, log.stream(), started=self._started)
        try:
            await self._ask(names, log)
            if self.aborted:
                return Exit(-signal.SIGKILL)
            return await connection.run(command, log.stream(), started=self._started)
        finally:
            self._telling.released(names)

    async def _ask(self, names: tuple[str, ...], log: LogWriter) -> None:
        """Wait for semaphores, or for the abort."""
        log.say(f"gatebot: waits for {', '.join(names)}")
        await self._telling.semaphores(names)
        await self._waiting.granted(names)

    # -- what is told meanwhile -----------------------------------------------------------------

    def _started(self) -> None:
        assert self._equipped is not None
        self._telling.started([node.placed.given for node in self._equipped.nodes])

    def _tell_failing(self, why: Reason) -> None:
        if not self.aborted:
            self._telling.failing(why)

    def _watch(self, step: Step, log: LogWriter) -> None:
        """While a step runs: what it prints may mean that the build fails, or that its node is gone."""
        self._unreachable = False
        running = step.phase is Phase.RUN
        matchers = [_matcher(pattern) for pattern in self.assignment.job.failure_output] if running else []
        fails = self.assignment.job.secret_exposure == "fail"  # noqa: S105 - what is done about one

        def read(line: str) -> None:
            if any(matches(line) for matches in matchers):
                log.blame()
                self._fails_early(reason("executor.failure-output", line=line[:200]))
            if fails and self._scrubber.covered and not self._stopped:
                self._exposed = True
                self._stopping = asyncio.create_task(self._kill())

        def signalled(told: str) -> None:
            what, _, host = told.partition(" ")
            if what == "unreachable":
                self._unreachable = True
                self._gone |= {host} & {name for node in self.assignment.job.nodes for name in node.names}
            elif what == "failing" and running and not self._unreachable:
                self._fails_early(reason("executor.task-failed", step=f"{step.phase} {step.playbook.path}"))

        log.on_line = read if matchers or fails else None
        log.on_signal = signalled

    async def _kill(self) -> None:
        try:
            if self._equipped is not None:
                await self._equipped.kill()
        finally:
            self._killed.set()

    def _fails_early(self, why: Reason) -> None:
        self._early = self._early or why
        self._tell_failing(why)

    def _completed(self, found: Verdict, returned: Returned, log: LogWriter) -> BuildCompleted:
        error = log.found() if found.result is not Result.SUCCESS else None
        log.say(last_line(shown(self.assignment, found)))
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
            child_jobs=returned.child_jobs,
        )

    async def told(self) -> None:
        """Wait until what was told meanwhile has arrived, so that the result comes last."""
        await self._telling.done()


def _ending(ended: Exit) -> Ending:
    if ended.status == 0:
        return Ending.OK
    if ended.out_of_memory:
        return Ending.OUT_OF_MEMORY
    return Ending.DISK_FULL if ended.disk_full else Ending.FAILED


def _matcher(pattern: str) -> Callable[[str], bool]:
    compiled = cast("re.Pattern[str]", re2.compile(pattern))  # pyright: ignore[reportUnknownMemberType]
    return lambda line: compiled.search(line) is not None
