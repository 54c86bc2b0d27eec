# SPDX-License-Identifier: Apache-2.0
"""Whether an item that passed was asked everything that its project asks for by now.

Configuration that merged while its builds ran may list a job more: what would land then was never tested by it. Just
before an item lands its jobs are worked out once more, where the configuration is another one since they were chosen.
Jobs that are defined otherwise by now are not run again: they were what its project asked for when they ran.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from ..reasons import Reason, reason
from .accepting.model import Accepted
from .layouts import Layouts
from .merger import Merger
from .queue.facts import PrepareAsked, PrepareFailed
from .queue.model import Item, PlannedJob, Queue
from .queue.sharing import REPORTER

_REMEMBERED = 5000


@dataclass(slots=True)
class Rechecking:
    """`merger` is the one that prepares; what it remembers of queues is left alone."""

    merger: Merger
    layouts: Layouts
    _chosen: dict[tuple[str, int], int] = field(default_factory=dict[tuple[str, int], int])

    def note(self, orders: Iterable[PrepareAsked], generation: int) -> None:
        """The jobs of these items were chosen by configuration of this generation, or a newer one."""
        if len(self._chosen) >= _REMEMBERED:
            self._chosen.clear()  # those are looked at once more than needed
        self._chosen.update(((order.item, order.attempt), generation) for order in orders)

    def due(self, item: Item) -> bool:
        """Whether there is another configuration since its jobs were chosen, as far as is known."""
        return self._chosen.get((item.id, item.attempt)) != self.layouts.generation

    def lacks(self, queue: Queue, item: Item, accepted: Mapping[str, Accepted]) -> Reason | None:
        """Why an item has to be tested again before it lands; None: it need not. Blocks: git and configuration."""
        prepared = item.prepared
        if prepared is None:
            return None
        fresh = replace(item, prepared=None, builds={}, asked=True, onto="", landing=False)
        alone = replace(queue, items={item.id: fresh}, tips={**queue.tips, **prepared.base})
        order = PrepareAsked(queue.id, item.id, item.attempt, "")
        merger = Merger(self.merger.repositories, self.layouts, vault=self.merger.vault)
        (answer,) = merger.prepare(alone, [order], accepted)
        if isinstance(answer.fact, PrepareFailed):
            return reason("pipeline.configured-otherwise", answer.fact.reason)
        passed = _deciding(prepared.jobs)
        more = [key for key in _deciding(answer.fact.jobs) if key not in passed]
        return reason("pipeline.job-asked-meanwhile", job=", ".join(more)) if more else None


def _deciding(jobs: Iterable[PlannedJob]) -> dict[str, None]:
    """The jobs that decide whether an item merges."""
    return {job.key: None for job in jobs if job.voting and job.type != REPORTER}
