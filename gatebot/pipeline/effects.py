# SPDX-License-Identifier: Apache-2.0
"""Carries out what was decided and stored: merges, builds, landings, reports; each at least once, harmless twice.

Starts after the commit of its command and answers with facts, which the driver stores in its next pass. What fails for
a reason outside (a database away, a full disk) is tried again; a crash in between repeats it at the next start.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain, repeat
from typing import TypeVar

from .. import words
from ..assignment import Assignment, FrozenJob
from ..change import FileComment, Landed
from ..clock import Clock
from ..db import Database
from ..reasons import Reason
from . import broken, history, remarked, reports, returning
from .accepting import store as accepted_errors
from .accepting.model import Accepted
from .artifact_passes import ArtifactPasses
from .assigning import Assigning, Described
from .config.model import Location, Manager, Moment, PipelineConfig
from .homes import concerning
from .joining import MERGED
from .landing import landing
from .layouts import Layouts
from .merger import Answer, Merger
from .ports import Dispatch, Review
from .queue import facts, verdict
from .queue.losing import Abandoned
from .queue.model import Departure, Item, ItemChange, Queue
from .queue.record import report_key
from .rechecking import Rechecking
from .reproducing import store as given_builds
from .secret_data import SecretData
from .tokens.service import Issuer
from .veiling import without_private

log = logging.getLogger(__name__)
T = TypeVar("T")

_DELAYS = (1, 2, 5, 10, 30, 60)


@dataclass(frozen=True, slots=True)
class Ties:
    """What carrying out needs: the rooms beside, the tools, and the address of the site for links.

    `hopeless` says of a job whether nobody could ever run it, however free.
    """

    review: Review
    dispatch: Dispatch
    merger: Merger
    layouts: Layouts
    db: Database
    clock: Clock
    secrets: SecretData
    url: str = ""
    issuer: Issuer | None = None
    passes: ArtifactPasses | None = None
    hopeless: Callable[[FrozenJob], bool] = lambda _: False


class Effects:
    """`queue` tells the present state of a queue, `answered` takes what came of a command.

    `giving` is how many builds were accepted that no executor has been told of yet.
    """

    def __init__(
        self,
        ties: Ties,
        queue: Callable[[str], Queue | None],
        answered: Callable[[Sequence[facts.QueueFact], Sequence[FrozenJob]], None],
    ) -> None:
        self._ties = ties
        self._queue = queue
        self._answered = answered
        self._log_url = f"{ties.url}/logs/{{build}}/"
        self.giving = 0
        self._configured = ties.clock.now()
        self._tasks: set[asyncio.Task[None]] = set()
        self._merging: dict[str, list[facts.PrepareAsked]] = {}
        self._rechecking = Rechecking(ties.merger, ties.layouts)
        self._assigning = Assigning(ties.review, ties.merger, ties.db, ties.secrets, self._log_url)

    def perform(self, commands: Iterable[facts.QueueFact], aborted: Mapping[str, Abandoned] = {}) -> None:
        """Begin everything; returns at once."""
        builds: list[facts.BuildAssigned] = []
        for command in commands:
            match command:
                case facts.PrepareAsked():
                    self._order(command)
                case facts.BuildAssigned():
                    builds.append(command)
                case facts.LandAsked():
                    self._begin(self._land(command))
                case facts.ResumeAsked() | facts.SemaphoresGranted():
                    self._begin(self._go_on(command))
                case facts.ReportAsked() | facts.ItemDequeued():
                    if command.moment is not None:
                        self._begin(self._report(command.queue, report_key(command.item, command.moment)))
                case _:
                    pass
        if aborted:
            self._begin(self._abort(aborted))
        if builds:
            self.giving += len(builds)
            self._begin(self._assign(builds))

    def reconfigured(self) -> None:
        """Another configuration holds from now on: what failed before says nothing of it."""
        self._configured = self._ties.clock.now()

    async def close(self) -> None:
        """Stop; what is under way is repeated at the next start."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    @property
    def busy(self) -> bool:
        """Whether anything is under way."""
        return bool(self._tasks)

    def _begin(self, work: Awaitable[None]) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _insist(self, what: str, act: Callable[[], Awaitable[T]]) -> T:
        """Try until it works."""
        for delay in chain(_DELAYS, repeat(_DELAYS[-1])):
            try:
                return await act()
            except Exception:
                log.exception("%s did not work; again in %s seconds", what, delay)
            await self._ties.clock.sleep(delay)
        raise AssertionError("the delays have no end")

    # Merges: one batch of a queue at a time

    def _order(self, command: facts.PrepareAsked) -> None:
        waiting = self._merging.get(command.queue)
        if waiting is not None:
            waiting.append(command)
            return
        self._merging[command.queue] = [command]
        self._begin(self._merge(command.queue))

    async def _merge(self, name: str) -> None:
        await asyncio.sleep(0)  # the other orders of this pass come first
        while orders := self._merging[name]:
            self._merging[name] = []
            await self._insist("a merge", lambda orders=orders: self._prepare(name, orders))
        del self._merging[name]

    async def _prepare(self, name: str, orders: list[facts.PrepareAsked]) -> None:
        queue = self._queue(name)
        if queue is None:
            return
        self._rechecking.note(orders, self._ties.layouts.generation)
        accepted = await self._accepted(queue)
        answers: list[Answer] = await asyncio.to_thread(self._ties.merger.prepare, queue, orders, accepted)
        new = self._assigning.remember(job for answer in answers for job in answer.jobs)
        self._answered([answer.fact for answer in answers], new)

    async def _accepted(self, queue: Queue) -> Mapping[str, Accepted]:
        """The errors of its tenant's configuration that stop nobody."""
        layout = self._ties.layouts.current(queue.tenant)
        if layout is None or not (layout.found or layout.secrets):
            return {}
        return await self._ties.db.read(accepted_errors.valid, queue.tenant, self._ties.clock.now())

    # Builds

    async def _abort(self, aborted: Mapping[str, Abandoned]) -> None:
        for build, lost in aborted.items():
            await self._insist("an abort", lambda b=build, n=lost: self._ties.dispatch.abort(b, n.fence, n.why))

    async def _assign(self, commands: Sequence[facts.BuildAssigned]) -> None:
        """Give out builds; what they are given is kept first, all at once."""
        described: dict[tuple[str, int], Described] = {}
        made: list[tuple[facts.BuildAssigned, Assignment]] = []
        for command in commands:
            given = await self._insist("an assignment", lambda c=command: self._described(c, described))
            if given is not None:
                made.append((command, given))
        given = [assignment for _, assignment in made]
        await self._insist("keeping what builds are given", lambda: self._ties.db.run_silent(given_builds.keep, given))
        self.giving -= len(commands) - len(made)
        for command, assignment in made:
            await self._insist("an assignment", lambda c=command, a=assignment: self._give(c, a))
            self.giving -= 1

    async def _described(
        self, command: facts.BuildAssigned, described: dict[tuple[str, int], Described]
    ) -> Assignment | None:
        """What a build is given; `described` are the items whose builds were described just before."""
        queue, attempt = self._queue(command.queue), (command.item, command.attempt)
        if queue is None or command.build not in queue.owners:
            return None  # aborted meanwhile
        item, assigning = queue.items[command.item], self._assigning
        about = described.get(attempt) or await assigning.describe(queue, item)
        described[attempt] = about
        post_review = self._pipeline(queue).post_review
        return await assigning.assignment(queue, item, command, about, post_review=post_review)

    async def _give(self, command: facts.BuildAssigned, assignment: Assignment) -> None:
        queue = self._queue(command.queue)
        if queue is None or command.build not in queue.owners:
            return  # aborted meanwhile
        if self._ties.issuer is not None:
            self._ties.issuer.expect(assignment)
        if self._ties.passes is not None and assignment.provided:
            shown = self._ties.passes.pass_of(assignment.build, assignment.fence)
            assignment = replace(assignment, artifact_pass=shown)
        await self._ties.dispatch.assign(assignment)

    async def _go_on(self, command: facts.ResumeAsked | facts.SemaphoresGranted) -> None:
        """A build has what it waits for."""
        queue = self._queue(command.queue)
        item = queue.items.get(command.item) if queue is not None else None
        build = next((one for one in item.unfinished if one.id == command.build), None) if item is not None else None
        if build is None:
            return
        dispatch = self._ties.dispatch
        if isinstance(command, facts.ResumeAsked):
            await self._insist("a resumption", lambda: dispatch.resume(build.id, build.fence))
        else:
            await self._insist("a semaphore", lambda: dispatch.grant(build.id, build.fence, command.names))

    # Landing and reports

    async def _land(self, command: facts.LandAsked) -> None:
        queue = self._queue(command.queue)
        item = queue.items.get(command.item) if queue is not None else None
        if queue is None or item is None or item.prepared is None:
            return
        votes = reports.votes(self._pipeline(queue, item.changes[0].project if item.changes else ""), Moment.SUCCESS)
        merger = self._ties.merger
        order = landing(queue, item, item.prepared, lambda project: merger.store(queue, project), votes)
        lacks = await self._insist("a look at what it passed", lambda: self._lacks(queue, item))
        if lacks is not None:
            self._answered([facts.ItemReset(queue.id, item.id, item.attempt + 1, lacks)], ())
            return
        answer = await self._insist("a landing", lambda: self._ties.review.land(order))
        if isinstance(answer, Landed):
            self._answered([facts.Landed(queue.id, item.id)], ())
            return
        tips = {f"{project}:{branch}": commit for project, branch, commit in answer.tips}
        self._answered([facts.LandingRefused(queue.id, item.id, answer.reason, tips)], ())

    async def _lacks(self, queue: Queue, item: Item) -> Reason | None:
        """What the configuration of now asks for beside what an item passed; of one that has landed nobody asks."""
        if not self._rechecking.due(item):
            return None
        found = [await self._ties.review.change(number) for number in item.numbers]
        if any(change is not None and change.status == MERGED for change in found):
            return None
        return await asyncio.to_thread(self._rechecking.lacks, queue, item, await self._accepted(queue))

    async def _report(self, name: str, key: str) -> None:
        queue = self._queue(name)
        departure = queue.reports.get(key) if queue is not None else None
        if queue is None or departure is None:
            return
        pipeline = self._pipeline(queue)
        speaking = reports.speaking(pipeline, departure.moment, await self._failures(queue, pipeline, departure.item))
        if departure.item.changes and speaking and reports.speaks(pipeline, speaking, chained=queue.policy.lands):
            await self._insist("a report", lambda: self._tell(queue, pipeline, departure, speaking))
        self._answered([facts.Reported(queue.id, departure.item.id, departure.moment)], ())

    async def _failures(self, queue: Queue, pipeline: PipelineConfig, item: Item) -> int:
        """How many items of the pipeline failed in a row before this one, under the configuration of now."""
        if pipeline.disable_after is None:
            return 0
        where = queue.tenant, queue.pipeline, item.id
        return await self._ties.db.read(history.failures_in_a_row, *where, self._configured, pipeline.disable_after)

    async def _tell(self, queue: Queue, pipeline: PipelineConfig, departure: Departure, speaking: Moment) -> None:
        item, moment = departure.item, departure.moment
        ended = moment not in reports.BEFORE
        took: Mapping[str, float] = {}
        returned: Sequence[returning.ReturnedBuild] = ()
        if ended and item.builds:
            counting = [build.id for build in item.builds.values()]
            took, returned = await self._ties.db.read(history.of_item, item.id, counting, self._log_url)
        unknown = map(words.say, verdict.graph_of(item).unknown_children(item.builds))
        tolerated = map(words.say, item.prepared.tolerated if item.prepared else ())
        left_out = map(words.say, returning.left_out(item, returned))
        warnings = (*tolerated, *unknown, *left_out, *returning.warnings(returned)) if ended else ()
        why = words.say(await self._open(departure.reason, item)) if departure.reason is not None else ""
        key = report_key(item.id, moment)
        places = {"tenant.name": queue.tenant, "status_url": f"{self._ties.url}/status"}
        for change in item.changes:
            mine = self._pipeline(queue, change.project)
            if not reports.speaks(mine, speaking, chained=queue.policy.lands):
                continue
            url = "" if ended else f"{self._ties.url}/status/change/{change.number}"
            await self._ties.review.report(
                change.number,
                change.patch_set,
                message=reports.message(
                    pipeline,
                    moment,
                    reports.lines(item, took, self._ties.url, words.say, change.number) if ended else (),
                    why=why,
                    url=url,
                    places=places,
                    left_out=reports.skipped(item) if ended else 0,
                    warnings=warnings,
                ),
                votes=reports.votes(mine, speaking),
                comments=(
                    *broken.remarks(departure.reason, change, words.say),
                    *await asyncio.to_thread(self._remarks, queue, item, change, returned),
                ),
                tag=f"autogenerated:gatebot:{queue.pipeline}",
                event_key=key if len(item.changes) == 1 else f"{key}:{change.number}",
            )

    async def _open(self, why: Reason, item: Item) -> Reason:
        """A reason as everybody may read it who reads the changes of an item."""
        return await without_private(why, item.numbers, self._ties.review.change)

    def _remarks(
        self, queue: Queue, item: Item, change: ItemChange, returned: Sequence[returning.ReturnedBuild]
    ) -> tuple[FileComment, ...]:
        """What jobs said of the files of a change."""
        merger, found = self._ties.merger, returning.remarks(change, returned)
        tested = item.prepared.state.get(change.place) if item.prepared and found else None
        if tested is None:
            return found
        store = merger.store(queue, change.project)
        return remarked.on_lines_of(change, found, merger.repositories, store, tested)

    def _pipeline(self, queue: Queue, project: str = "") -> PipelineConfig:
        """The pipeline as configured now, as it concerns a project; one that was removed says only what it must."""
        layout = self._ties.layouts.current(queue.tenant)
        found = layout.pipelines.get(queue.pipeline) if layout is not None else None
        if layout is None or found is None:
            return PipelineConfig(queue.pipeline, Manager.INDEPENDENT, Location("", "", ""))
        return concerning(layout, found, project) if project else found
