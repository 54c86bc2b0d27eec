# SPDX-License-Identifier: Apache-2.0
"""One change into one pipeline, with those that come along: what it needs ahead of it, what waits for it behind.

In a gate a dependency has merged, or is ahead in the same queue, or enters ahead now; else the change waits. In an
independent pipeline dependencies come along without being tested. `joining.py` decides; what is asked of others is
asked here.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from ..change import ChangeFacts
from ..reasons import Reason, reason
from . import history
from .batch import Batch
from .config.freeze import participates
from .config.layout import Layout
from .config.model import Manager, PipelineConfig
from .homes import concerning, stranger
from .joining import OPEN, Candidates, Group, Question, chain, forbidden, groups, too_many
from .layouts import configures
from .naming import item_change, queue_of
from .queue.facts import ItemEnqueued, ItemUnfit, item_id
from .queue.model import Item, ItemChange, Queue
from .triggers import unmet

_MOST = 100  # changes that one change may bring along where the tenant does not say


class Admission:
    """`asked` by name, the requirements of the pipeline are not looked at; those that follow meet them anyway."""

    def __init__(
        self,
        batch: Batch,
        layout: Layout,
        pipeline: PipelineConfig,
        *,
        asked: bool = False,
        seen: set[int] | None = None,
    ) -> None:
        self._in = batch
        self._layout = layout
        self._pipeline = pipeline
        self._asked = asked
        self._seen = set[int]() if seen is None else seen
        self._chained = pipeline.manager is Manager.DEPENDENT

    async def enter(self, change: ChangeFacts) -> Reason | None:
        """Enter with what must be ahead, then with what waits for it; the reason where that cannot be."""
        self._seen.add(change.number)
        mine = change.number, change.patch_set
        if any(mine in item.patch_sets for _, item in self._inside(change.number)):
            return None
        tenant = self._layout.tenant
        most = tenant.max_dependencies or _MOST
        around = await self._in.near.around(self._layout, change, most, ahead=self._looks_around(), whole=self._chained)
        if around is None:
            return reason("pipeline.too-many-dependencies", limit=most)
        return await (self._enter_chain(change, around) if self._chained else self._enter_alone(change, around))

    def _looks_around(self) -> bool:
        alone = self._pipeline.manager is Manager.SUPERCEDENT
        return not alone and (self._chained or not self._pipeline.ignore_dependencies)

    # A gate

    async def _enter_chain(self, change: ChangeFacts, around: Candidates) -> Reason | None:
        present = {item.patch_sets for number in around for _, item in self._inside(number)}
        room = self._room()
        question = Question(
            self._layout,
            around,
            await self._obstacles(around, present),
            present,
            room,
            self._layout.tenant.max_changes_per_pipeline or 0,
        )
        entering, why = chain(question, change.number)
        for group in entering:
            await self._add(group)
        await self._follow([number for group in entering for number in group.numbers])
        return why

    async def _obstacles(self, around: Candidates, present: set[frozenset[tuple[int, int]]]) -> dict[int, Reason]:
        """Why each of those that would have to enter may not, by itself."""
        found: dict[int, Reason] = {}
        for group in groups(around):
            foreign = None if group.patch_sets in present else self._foreign(group, around)
            for change in () if group.patch_sets in present else group.changes:
                why = foreign or self._unfit(change)
                if why is None and change.status != OPEN:
                    why = reason("pipeline.needs-open")
                why = why or await self._in.near.ready(change.number)
                if why is not None:
                    found[change.number] = why
        return found

    async def _follow(self, numbers: Sequence[int]) -> None:
        """What waited for these enters behind them."""
        for number in numbers:
            for behind in await self._in.near.behind(number):
                other = None if behind in self._seen else await self._in.near.change(behind)
                if other is not None and other.status == OPEN:
                    await Admission(self._in, self._layout, self._pipeline, seen=self._seen).enter(other)

    # Any other pipeline

    async def _enter_alone(self, change: ChangeFacts, around: Candidates) -> Reason | None:
        """An independent item: what it needs stands ahead of it in a queue of its own, untested."""
        there = {number: one for number, one in around.items() if one.facts.status == OPEN or number == change.number}
        *ahead, own = groups(there, cycles=self._pipeline.manager is not Manager.SUPERCEDENT)
        if self._pipeline.manager is not Manager.INDEPENDENT:
            ahead = []
        why = self._foreign(own, there)
        why = why or next((found for one in own.changes if (found := self._unfit(one)) is not None), None)
        strangers = (stranger(self._layout, self._pipeline, one.project) for group in ahead for one in group.changes)
        why = why or next((found for found in strangers if found is not None), None)
        refusals = (forbidden(self._layout, group, shared=False) for group in (own, *ahead))
        why = why or next((found for found in refusals if found is not None), None)
        why = why or too_many([*ahead, own], self._room(), self._layout.tenant.max_changes_per_pipeline or 0)
        if why is not None:
            return why
        self._make_way(own)
        item = self._in.name_item(self._layout, self._pipeline, _subject(own))
        queue = self._in.open_queue(self._layout, self._pipeline, change.project, change.branch, item)
        for position, group in enumerate(ahead):
            self._enqueue(queue, item_id(item, position, ""), group, live=False)
        needs = tuple(number for group in ahead for number in group.numbers)
        self._enqueue(queue, item, Group(own.changes, needs))
        return None

    # Both

    def _inside(self, number: int) -> Iterator[tuple[Queue, Item]]:
        """Where a change is in the pipeline as it should be."""
        for queue, item in self._in.view.stays(number):
            here = (queue.tenant, queue.pipeline) == (self._layout.tenant.name, self._pipeline.name)
            if here and item.live and item.unfit is None:
                yield queue, item

    def _foreign(self, group: Group, around: Candidates) -> Reason | None:
        """No member has jobs in the pipeline, nor may get some from a configuration ahead of it."""
        if any(participates(self._layout, self._pipeline.name, one.project, one.branch) for one in group.changes):
            return None
        if any(self._configures(one) for one in group.changes):
            return None
        ahead = (around[number].facts for number in around if number not in group.numbers)
        if any(self._proposes(one) for one in ahead):
            return None
        first = group.changes[0]
        if self._chained and self._configured_ahead(first):
            return None
        return reason("pipeline.not-configured", project=first.project, branch=first.branch)

    def _configured_ahead(self, change: ChangeFacts) -> bool:
        name = queue_of(self._layout, self._pipeline, change.project, change.branch, "").queue
        queue = self._in.view.queues.get(name)
        ahead = queue.items.values() if queue is not None else ()
        return any(self._proposes(own) for item in ahead if item.unfit is None for own in item.changes)

    def _configures(self, change: ChangeFacts | ItemChange) -> bool:
        return configures(self._layout, change.project, change.files, change.branch)

    def _proposes(self, change: ChangeFacts | ItemChange) -> bool:
        """Whether what stands on it may be configured by it: what config projects say counts only once it merged."""
        return not self._layout.trusts(change.project) and self._configures(change)

    def _unfit(self, change: ChangeFacts) -> Reason | None:
        why = stranger(self._layout, self._pipeline, change.project)
        if why is not None or self._asked:
            return why
        return unmet(concerning(self._layout, self._pipeline, change.project), change, self._in.now())

    def _room(self) -> int | None:
        """How many changes the pipeline takes yet; None: any number."""
        limit = self._layout.tenant.max_changes_per_pipeline
        if limit is None:
            return None
        mine = (self._layout.tenant.name, self._pipeline.name)
        queues = (one for one in self._in.view.queues.values() if (one.tenant, one.pipeline) == mine)
        inside = sum(len(item.changes) for queue in queues for item in queue.items.values() if item.unfit is None)
        return limit - inside

    async def _add(self, group: Group) -> None:
        """One item of a chain."""
        self._make_way(group)
        first = group.changes[0]
        item = self._in.name_item(self._layout, self._pipeline, _subject(group))
        queue = self._in.open_queue(self._layout, self._pipeline, first.project, first.branch, item)
        passed: tuple[str, ...] = ()
        if len(group.changes) == 1:
            mine = first.number, first.patch_set, self._pipeline.name
            passed = await self._in.ties.db.read(history.passed_jobs, *mine)
        self._enqueue(queue, item, group, passed=passed)

    def _enqueue(self, queue: str, item: str, group: Group, *, live: bool = True, passed: tuple[str, ...] = ()) -> None:
        changes = tuple(map(item_change, group.changes))
        self._in.add(ItemEnqueued(queue, item, self._in.now(), changes, live=live, needs=group.needs, passed=passed))
        if live:
            self._supersede(group.numbers)
            self._in.entered += [(self._layout, self._pipeline.name, number) for number in group.numbers]

    def _make_way(self, group: Group) -> None:
        """Items that hold only a part of a group leave, with what stands on them: all that comes back behind it."""
        gone = {own: queue for number in group.numbers for queue, own in self._partly(number, group)}
        waiting = list(gone)
        why = reason("pipeline.joined", changes=", ".join(map(str, group.numbers)))
        for item in waiting:
            self._in.add(ItemUnfit(gone[item], item, why, report=False))
            queue = self._in.view.queues[gone[item]]
            numbers = set(queue.items[item].numbers)
            for other in queue.items.values() if self._chained else ():
                if numbers & set(other.needs) and other.unfit is None and other.id not in gone:
                    gone[other.id] = queue.id
                    waiting.append(other.id)

    def _partly(self, number: int, group: Group) -> Iterator[tuple[str, str]]:
        for queue, item in self._inside(number):
            if item.patch_sets & group.patch_sets and item.patch_sets != group.patch_sets:
                yield queue.id, item.id

    def _supersede(self, numbers: Iterable[int]) -> None:
        """Pipelines that this one takes the changes out of."""
        why = reason("pipeline.superseded", pipeline=self._pipeline.name)
        for queue, item in [stay for number in numbers for stay in self._in.view.stays(number)]:
            if queue.tenant == self._layout.tenant.name and queue.pipeline in self._pipeline.supercedes and item.live:
                self._in.add(ItemUnfit(queue.id, item.id, why, report=False))


def _subject(group: Group) -> str:
    return "+".join(f"{change.number},{change.patch_set}" for change in group.changes)
