# SPDX-License-Identifier: Apache-2.0
"""Which changes enter a pipeline with each other, in which order, or why they do not.

Pure. Changes that need each other form a group, which is one item; a group stands behind everything that it needs.
What a change needs was looked up before, and so was what keeps a change out by itself.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from ..change import ChangeFacts
from ..reasons import Reason, reason
from .config.layout import Layout
from .cycles import components, ordered

MERGED, OPEN = "MERGED", "NEW"


@dataclass(frozen=True, slots=True)
class Candidate:
    """A change and what it needs that has not merged.

    `under` are changes that its commit stands on, `named` those of its `Depends-On:`, `mates` the others of its topic,
    where a topic binds; `unknown` are addresses that name no change.
    """

    facts: ChangeFacts
    under: tuple[int, ...] = ()
    named: tuple[int, ...] = ()
    mates: tuple[int, ...] = ()
    unknown: tuple[str, ...] = ()

    @property
    def needs(self) -> tuple[int, ...]:
        found = dict.fromkeys((*self.under, *self.named, *self.mates))
        found.pop(self.facts.number, None)
        return tuple(found)


Candidates = Mapping[int, Candidate]


@dataclass(frozen=True, slots=True)
class Group:
    """Changes that enter as one item, in the order of their commits. `needs` are what must be ahead of it."""

    changes: tuple[ChangeFacts, ...]
    needs: tuple[int, ...] = ()

    @property
    def numbers(self) -> tuple[int, ...]:
        return tuple(change.number for change in self.changes)

    @property
    def patch_sets(self) -> frozenset[tuple[int, int]]:
        return frozenset((change.number, change.patch_set) for change in self.changes)


def groups(candidates: Candidates, *, cycles: bool = True) -> tuple[Group, ...]:
    """All candidates, each group behind what it needs; without `cycles` each change is alone."""
    needs = {number: [need for need in one.needs if need in candidates] for number, one in candidates.items()}
    under = {number: one.under for number, one in candidates.items()}
    found: list[Group] = []
    for component in components(needs):
        for members in [ordered(component, under)] if cycles else [(number,) for number in component]:
            outside = dict.fromkeys(need for number in members for need in needs[number] if need not in members)
            found.append(Group(tuple(candidates[number].facts for number in members), tuple(outside)))
    return tuple(found)


def forbidden(layout: Layout, group: Group, *, shared: bool) -> Reason | None:
    """Why a cycle may not be an item: every queue has to allow it, and where queues are shared it must be the same."""
    if len(group.changes) == 1:
        return None
    queues = [layout.queue(change.project, change.branch) for change in group.changes]
    for change, (_, queue) in zip(group.changes, queues, strict=True):
        if not queue.allow_circular_dependencies:
            told = ", ".join(map(str, group.numbers))
            return reason("pipeline.circle-not-allowed", changes=told, project=change.project, branch=change.branch)
    if shared and len({key for key, _ in queues}) > 1:
        told = ", ".join(map(str, group.numbers))
        return reason("pipeline.circle-across-queues", changes=told)
    return None


@dataclass(frozen=True, slots=True)
class Question:
    """What is known when it is decided who enters a chain.

    `obstacles` tell why a change may not enter by itself, `present` is what is in the queue as it should be. `room` is
    how many changes the pipeline takes yet of at most `limit`, None: any number.
    """

    layout: Layout
    candidates: Candidates
    obstacles: Mapping[int, Reason]
    present: Collection[frozenset[tuple[int, int]]] = ()
    room: int | None = None
    limit: int = 0


def chain(question: Question, target: int) -> tuple[tuple[Group, ...], Reason | None]:
    """The groups that enter a shared queue now, in order, for the sake of one change; why that one cannot."""
    refused: dict[int, Reason] = {}
    entering: list[Group] = []
    for group in groups(question.candidates):
        why = None if group.patch_sets in question.present else _why_not(question, group, refused)
        if why is not None:
            refused.update(dict.fromkeys(group.numbers, why))
        elif group.patch_sets not in question.present:
            entering.append(group)
    full = too_many(entering, question.room, question.limit)
    if full is not None:
        return (), refused.get(target, full)
    return tuple(entering), refused.get(target)


def too_many(entering: Sequence[Group], room: int | None, limit: int) -> Reason | None:
    """Why a pipeline has no place for these groups."""
    count = sum(len(group.changes) for group in entering)
    if room is None or count <= room:
        return None
    return reason("pipeline.too-many-changes", count=count, limit=limit, inside=max(0, limit - room))


def _why_not(question: Question, group: Group, refused: Mapping[int, Reason]) -> Reason | None:
    why = forbidden(question.layout, group, shared=True)
    if why is not None:  # before what its members lack: getting that would not help
        return why
    for number in group.numbers:
        why = question.obstacles.get(number) or _unknown(question.candidates[number])
        if why is not None:
            return why if len(group.numbers) == 1 else reason("pipeline.circle-waits", why, change=number)
    mine = _queue(question.layout, group.changes[0])
    for need in group.needs:
        other = question.candidates[need].facts
        if other.status != OPEN:
            return reason("pipeline.needs-abandoned", change=need)
        if _queue(question.layout, other) != mine:
            return reason("pipeline.needs-other-queue", change=need, project=other.project)
        if need in refused:
            return _waits(need, refused[need])
    return None


def _waits(need: int, why: Reason) -> Reason:
    """What the other one lacks is said by its number: it stands on this one's page."""
    return reason("pipeline.waits-for-change", reason("pipeline.that-one-lacks", why, change=need), change=need)


def _unknown(candidate: Candidate) -> Reason | None:
    return reason("pipeline.unknown-dependency", url=candidate.unknown[0]) if candidate.unknown else None


def _queue(layout: Layout, change: ChangeFacts) -> object:
    return layout.queue(change.project, change.branch)[0]
