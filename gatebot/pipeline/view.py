# SPDX-License-Identifier: Apache-2.0
"""All queues of the driver at one moment, and which items a change is in.

Pure bookkeeping: `apply` writes a fact where it belongs. A copy is cheap, because queues are values.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from ..events import BranchMoved, Event
from .queue.builds import TOLD
from .queue.facts import ItemDequeued, ItemEnqueued, QueueFact, QueueOpened
from .queue.model import Item, Queue, place
from .queue.record import opened, record

FOLDED = (*TOLD, BranchMoved)
"""Events of other rooms that are facts of queues as they are."""


@dataclass(slots=True)
class View:
    """`members` is by the number of a change; `owners` tells the queue of each unfinished build.

    What is inside the three is replaced, never changed, so that a copy need not go deep.
    """

    queues: dict[str, Queue] = field(default_factory=dict[str, Queue])
    members: dict[int, dict[str, str]] = field(default_factory=dict[int, dict[str, str]])
    owners: dict[str, str] = field(default_factory=dict[str, str])

    @classmethod
    def of(cls, queues: dict[str, Queue]) -> View:
        """The view that belongs to these queues."""
        view = cls(dict(queues))
        for queue in queues.values():
            view.owners.update(dict.fromkeys(queue.owners, queue.id))
            for item in queue.items.values():
                view._join(queue.id, item)
        return view

    def copy(self) -> View:
        return View(dict(self.queues), dict(self.members), dict(self.owners))

    def apply(self, event: Event) -> list[tuple[Queue, Queue]]:
        """Write down a fact; the queues that it is about, before and after."""
        changed = [(queue, record(queue, event)) for queue in self._concerned(event)]
        for before, after in changed:
            self._put(before, after, event)
        return changed

    def stays(self, number: int) -> Iterator[tuple[Queue, Item]]:
        """Where a change is now."""
        for item, name in self.members.get(number, {}).items():
            yield self.queues[name], self.queues[name].items[item]

    def _concerned(self, event: Event) -> list[Queue]:
        match event:
            case QueueOpened():
                return [self.queues.get(event.queue) or opened(event)]
            case QueueFact():
                found = self.queues.get(event.queue)
            case _ if isinstance(event, TOLD):
                found = self.queues.get(self.owners.get(event.build, ""))
            case BranchMoved():
                return [queue for queue in self.queues.values() if _reads(queue, event)]
            case _:
                return []
        return [found] if found is not None else []

    def _put(self, before: Queue, after: Queue, event: Event) -> None:
        if before.owners is not after.owners:
            for build in before.owners.keys() - after.owners.keys():
                self.owners.pop(build, None)
            self.owners.update(dict.fromkeys(after.owners.keys() - before.owners.keys(), after.id))
        match event:
            case ItemEnqueued() if event.item not in before.items:
                self._join(after.id, after.items[event.item])
            case ItemDequeued() if event.item in before.items:
                for number in before.items[event.item].numbers:
                    left = {item: name for item, name in self.members[number].items() if item != event.item}
                    if left:
                        self.members[number] = left
                    else:
                        del self.members[number]
            case _:
                pass
        if after.forgotten and not isinstance(event, QueueOpened):
            self.queues.pop(after.id, None)
        else:
            self.queues[after.id] = after

    def _join(self, queue: str, item: Item) -> None:
        for number in item.numbers:
            self.members[number] = {**self.members.get(number, {}), item.id: queue}


def _reads(queue: Queue, event: BranchMoved) -> bool:
    """Whether a move of a branch says something about a queue: not where it is only a check, or reads nothing yet."""
    if not queue.policy.lands or not queue.items:
        return False
    at = place(event.project, event.branch)
    return at in queue.tips or any(item.asked and item.prepared is None for item in queue.items.values())
