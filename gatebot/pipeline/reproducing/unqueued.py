# SPDX-License-Identifier: Apache-2.0
"""The builds that a change would be given now, worked out without putting it anywhere: nothing waits, nobody is told.

The queue is made up for the moment: the change with what it needs ahead of it, on the present tips of its branches.
It is merged and frozen as the gate does it, so that the same change on the same tips gives the same commits.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import uuid4

from ...assignment import Assignment, FrozenJob
from ...change import ChangeFacts
from ...db import Database
from ...errors import Conflict, NotFound
from ...reasons import reason
from ...repo import Repositories
from ..assigning import Assigning
from ..config.layout import Layout
from ..config.model import Manager, PipelineConfig
from ..joining import OPEN, Candidates, groups
from ..merger import Merger
from ..naming import item_change, queue_of
from ..neighbours import Neighbours
from ..ports import Review
from ..queue.facts import BuildAssigned, ItemEnqueued, PrepareAsked, PrepareFailed, item_id
from ..queue.model import NOOP, PlannedJob, Queue
from ..queue.record import opened, record, record_all
from ..secret_data import SecretData
from ..solo import by_habit
from .bare import bare, lacking
from .model import Listed

_MOST = 100  # changes that one change may bring along where the tenant does not say
_OF_CHANGES = (Manager.INDEPENDENT, Manager.DEPENDENT)


@dataclass(frozen=True, slots=True)
class _Made:
    """A queue of one change, prepared; its item is the last. `jobs` are its jobs in full, by definition."""

    queue: Queue
    item: str
    jobs: Mapping[str, FrozenJob]

    def planned(self, number: int) -> Iterator[PlannedJob]:
        """The jobs that are for one of its changes."""
        prepared = self.queue.items[self.item].prepared
        jobs = prepared.jobs if prepared is not None else ()
        return (one for one in jobs if one.change in (0, number) and one.name != NOOP)


@dataclass(frozen=True, slots=True)
class Unqueued:
    """`merger` makes one for each question: what it remembers of queues must not be mixed with that of real ones."""

    review: Review
    repositories: Repositories
    merger: Callable[[], Merger]
    db: Database
    secrets: SecretData
    log_url: str

    async def around(self, layout: Layout, change: ChangeFacts) -> Candidates:
        """The change with all that it needs and that has not merged: what is tested of it."""
        most = layout.tenant.max_dependencies or _MOST
        found = await Neighbours(self.review).around(layout, change, most, whole=False)
        if found is None:
            raise Conflict(reason=reason("pipeline.too-many-dependencies", limit=most))
        return {number: one for number, one in found.items() if one.facts.status == OPEN or number == change.number}

    async def build(
        self, layout: Layout, change: ChangeFacts, around: Candidates, job: str, pipeline: str
    ) -> tuple[Assignment, tuple[str, ...]]:
        """The build of a job, in a pipeline or the first that has the job; with the secrets that it lacks."""
        known, merger = dict[str, None](), self.merger()
        for name in self._pipelines(layout, pipeline):
            made = await asyncio.to_thread(self._made, merger, layout, layout.pipelines[name], change, around)
            planned = {one.name: one for one in made.planned(change.number)}
            known |= dict.fromkeys(planned)
            if job in planned:
                lacks = lacking(made.jobs[planned[job].definition])
                return await self._assigned(merger, layout.pipelines[name], made, planned[job]), lacks
        told = ", ".join(sorted(known)) or "none"
        raise NotFound(reason=reason("pipeline.change-has-no-job", job=job, change=change.number, known=told))

    async def jobs(self, layout: Layout, change: ChangeFacts, around: Candidates, pipeline: str) -> tuple[Listed, ...]:
        """The jobs that the change would run, with the pipelines that have them."""
        found, merger = dict[str, list[str]](), self.merger()
        for name in self._pipelines(layout, pipeline):
            made = await asyncio.to_thread(self._made, merger, layout, layout.pipelines[name], change, around)
            for one in made.planned(change.number):
                found.setdefault(one.name, []).append(name)
        return tuple(Listed(name, tuple(pipelines)) for name, pipelines in found.items())

    def _pipelines(self, layout: Layout, pipeline: str) -> list[str]:
        """The one that was named, or those that test changes, the ones that people mean first."""
        if not pipeline:
            return [name for name in by_habit(layout.pipelines) if layout.pipelines[name].manager in _OF_CHANGES]
        if pipeline not in layout.pipelines:
            names = ", ".join(layout.pipelines)
            raise NotFound(reason=reason("pipeline.no-such-pipeline", pipeline=pipeline, pipelines=names))
        return [pipeline]

    def _made(
        self, merger: Merger, layout: Layout, pipeline: PipelineConfig, change: ChangeFacts, around: Candidates
    ) -> _Made:
        """Merged and frozen. Raises `Conflict` with what is in the way. Blocks: git and configuration."""
        item = item_id(f"{layout.tenant.name}/{pipeline.name}", 0, f"{change.number},{change.patch_set}")
        fact = queue_of(layout, pipeline, change.project, change.branch, item)
        queue, stack = opened(fact), groups(around)
        ids = [*(item_id(item, position, "") for position in range(len(stack) - 1)), item]
        when = max(self._committed(one) for group in stack for one in group.changes)
        for id, group in zip(ids, stack, strict=True):
            changes = tuple(map(item_change, group.changes))
            queue = record(queue, ItemEnqueued(queue.id, id, when, changes, live=id == item, needs=group.needs))
        orders = [PrepareAsked(queue.id, id, 1, onto) for id, onto in zip(ids, ["", *ids], strict=False)]
        answers = merger.prepare(record_all(queue, orders), orders)
        for answer in answers:
            if isinstance(answer.fact, PrepareFailed):
                numbers = ", ".join(map(str, queue.items[answer.fact.item].numbers))
                raise Conflict(reason=reason("pipeline.change-not-testable", answer.fact.reason, changes=numbers))
        queue = record_all(queue, [*orders, *(answer.fact for answer in answers)])
        return _Made(queue, item, {job.definition: job for answer in answers for job in answer.jobs})

    def _committed(self, change: ChangeFacts) -> datetime:
        """When a patch set was committed: merges that are made of it have this time, whenever somebody asks."""
        return self.repositories.commit(change.project, change.commit).committer.when

    async def _assigned(self, merger: Merger, pipeline: PipelineConfig, made: _Made, planned: PlannedJob) -> Assignment:
        """What an executor would be given, without secrets."""
        assigning = Assigning(self.review, merger, self.db, self.secrets, self.log_url)
        assigning.remember(map(bare, made.jobs.values()))
        item = made.queue.items[made.item]
        about = await assigning.describe(made.queue, item)
        command = BuildAssigned(made.queue.id, item.id, item.attempt, planned.key, uuid4().hex)
        return await assigning.assignment(made.queue, item, command, about, post_review=pipeline.post_review)
