# SPDX-License-Identifier: Apache-2.0
"""The order of a queue after somebody promoted items: they come first, with everything that they need.

Pure. Nothing overtakes an item whose branches are being moved, or have been: the others are tested on top of it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from .model import Item, Queue


def promoted(queue: Queue, names: Iterable[str]) -> tuple[str, ...]:
    """The ids of all items of the queue in their new order; names of items that are not there say nothing."""
    settled = [item.id for item in queue.items.values() if item.landing or item.landed or item.reported]
    holders = {number: item for item in queue.items.values() for number in item.numbers}
    ahead = [
        needed for name in names if name in queue.items for needed in _with_needs(queue.items[name], holders, set())
    ]
    return tuple(dict.fromkeys((*settled, *ahead, *queue.items)))


def _with_needs(item: Item, holders: dict[int, Item], seen: set[str]) -> Iterator[str]:
    """What an item needs and that is in the queue too, deepest first, then itself."""
    seen.add(item.id)
    for number in item.needs:
        needed = holders.get(number)
        if needed is not None and needed.id not in seen:
            yield from _with_needs(needed, holders, seen)
    yield item.id
