# SPDX-License-Identifier: Apache-2.0
"""What another configuration means for the queues that are there: who goes on, who moves, who has to leave.

Pure. Builds go on wherever they can (Zuul's live reconfiguration). A queue keeps its window. An item whose project now
has another queue moves there and is tested again; one whose tenant, pipeline or project is gone leaves with a word.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from ..reasons import Reason, reason
from .config.layout import Layout
from .config.model import Manager, PipelineConfig
from .naming import policy, queue_of
from .queue.facts import ItemEnqueued, ItemUnfit, QueueFact, QueueOpened, item_id
from .queue.model import Item, Queue


def reconfigured(queues: Iterable[Queue], layouts: Mapping[str, Layout]) -> tuple[QueueFact, ...]:
    """The facts that follow from the layouts of all tenants as they are now; none where nothing of it matters."""
    told = tuple(_told(queues, layouts))
    moved = sorted((fact for fact in told if isinstance(fact, ItemEnqueued)), key=lambda fact: fact.enqueued)
    return (*(fact for fact in told if not isinstance(fact, ItemEnqueued)), *moved)


def _told(queues: Iterable[Queue], layouts: Mapping[str, Layout]) -> Iterator[QueueFact]:
    for queue in queues:
        layout = layouts.get(queue.tenant)
        pipeline = layout.pipelines.get(queue.pipeline) if layout is not None else None
        if layout is None or pipeline is None or pipeline.manager is not queue.policy.manager:
            gone = reason("pipeline.pipeline-removed", pipeline=queue.pipeline, tenant=queue.tenant)
            yield from (ItemUnfit(queue.id, item.id, gone) for item in queue.items.values() if item.live)
            continue
        if policy(pipeline) != queue.policy:
            yield QueueOpened(queue.id, queue.tenant, queue.pipeline, queue.name, policy(pipeline))
        for item in queue.items.values():
            if item.live and item.unfit is None and not (item.landing or item.landed):
                yield from _item(queue, item, layout, pipeline)


def _item(queue: Queue, item: Item, layout: Layout, pipeline: PipelineConfig) -> Iterator[QueueFact]:
    subjects = item.changes or ((item.ref,) if item.ref is not None else ())
    missing = next((one.project for one in subjects if one.project not in layout.projects), None)
    if missing is not None:
        yield ItemUnfit(queue.id, item.id, reason("pipeline.project-removed", project=missing, tenant=queue.tenant))
        return
    if pipeline.manager is Manager.INDEPENDENT:
        return
    homes = {
        home.queue: home for one in subjects for home in [queue_of(layout, pipeline, one.project, one.branch, item.id)]
    }
    broken = _cycle_broken(item, layout, len(homes))
    if broken is not None:
        yield ItemUnfit(queue.id, item.id, broken)
    elif queue.id not in homes:
        yield from _move(queue, item, next(iter(homes.values())))


def _cycle_broken(item: Item, layout: Layout, homes: int) -> Reason | None:
    """Why changes that need each other cannot stay together."""
    if len(item.changes) < 2:
        return None
    told = ", ".join(map(str, item.numbers))
    if homes > 1:
        return reason("pipeline.cycle-without-queue", changes=told)
    own = item.changes[0]
    if not layout.queue(own.project, own.branch)[1].allow_circular_dependencies:
        return reason("pipeline.cycle-not-allowed-any-more", changes=told)
    return None


def _move(queue: Queue, item: Item, home: QueueOpened) -> Iterator[QueueFact]:
    yield ItemUnfit(queue.id, item.id, reason("pipeline.moved-to-queue", queue=home.name), report=False)
    yield home
    moved = item_id(home.queue, 0, item.id)
    yield ItemEnqueued(home.queue, moved, item.enqueued, item.changes, item.ref, True, item.needs, item.passed)
