# SPDX-License-Identifier: Apache-2.0
"""Which changes need each other: the strongly connected components of a graph of needs, after Tarjan.

Pure. A component of more than one change is a dependency cycle: it enters a queue, passes and merges as one item or
not at all. Deep chains are no problem: nothing here recurses.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

Needs = Mapping[int, Collection[int]]
"""Change -> the changes that it needs. What is named but is no key has no needs that anybody knows of."""


def components(needs: Needs) -> tuple[tuple[int, ...], ...]:
    """All changes in groups, each group behind everything that it needs; within one, in the order of numbers."""
    search = _Search(needs)
    for number in needs:
        if number not in search.index:
            search.visit(number)
    return tuple(search.found)


def ordered(group: Collection[int], under: Needs) -> tuple[int, ...]:
    """The members of a cycle, each behind those of them that its commit stands on."""
    inside = {number: sorted(set(under.get(number, ())) & set(group)) for number in sorted(group)}
    return tuple(number for component in components(inside) for number in component)


@dataclass(slots=True)
class _Search:
    """Tarjan's walk. `index` is when a change was first seen, `low` the earliest on the stack that it reaches."""

    needs: Needs
    index: dict[int, int] = field(default_factory=dict[int, int])
    low: dict[int, int] = field(default_factory=dict[int, int])
    stack: list[int] = field(default_factory=list[int])
    open: set[int] = field(default_factory=set[int])
    found: list[tuple[int, ...]] = field(default_factory=list[tuple[int, ...]])

    def visit(self, start: int) -> None:
        """Everything that can be reached from a change."""
        path = [(start, iter(self._enter(start)))]
        while path:
            number, rest = path[-1]
            following = next(rest, None)
            if following is None:
                path.pop()
                self._leave(number, path[-1][0] if path else None)
            elif following not in self.index:
                path.append((following, iter(self._enter(following))))
            elif following in self.open:
                self.low[number] = min(self.low[number], self.index[following])

    def _enter(self, number: int) -> Collection[int]:
        self.index[number] = self.low[number] = len(self.index)
        self.stack.append(number)
        self.open.add(number)
        return self.needs.get(number, ())

    def _leave(self, number: int, before: int | None) -> None:
        """All that a change reaches was seen: it closes a component, or belongs to that of the one before it."""
        if before is not None:
            self.low[before] = min(self.low[before], self.low[number])
        if self.low[number] == self.index[number]:
            at = self.stack.index(number)
            group = self.stack[at:]
            del self.stack[at:]
            self.open.difference_update(group)
            self.found.append(tuple(sorted(group)))
