# SPDX-License-Identifier: Apache-2.0
"""The changes around a change, as its page lists them: chain, dependencies, topic, the same elsewhere, reverts.

Transaction functions; which of them a reader may see is asked by the caller.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, fields

from sqlalchemy import select

from ..db import Session
from .judging import Judge
from .model import Change, PatchSet
from .store import find_by_id, find_change, open_changes, read_changes
from .tables import changes

_TOPIC = 50  # changes of a topic that a page lists


@dataclass(frozen=True, slots=True)
class Neighbours:
    """`chain` is the relation chain, newest first, with the change itself; no change stands in two of the first four.

    `picks` are the same change elsewhere, `reverts` what it takes back, `reverted_by` what takes it back.
    """

    chain: tuple[Change, ...] = ()
    waits_for: tuple[Change, ...] = ()
    needed_by: tuple[Change, ...] = ()
    topic: tuple[Change, ...] = ()
    picks: tuple[Change, ...] = ()
    reverts: tuple[Change, ...] = ()
    reverted_by: tuple[Change, ...] = ()

    @property
    def numbers(self) -> set[int]:
        """All of them."""
        return {other.number for others in self._lists() for other in others}

    def only(self, seen: Collection[int]) -> Neighbours:
        """Those that a reader may see; a chain of one is none."""
        chain, *rest = (tuple(other for other in others if other.number in seen) for others in self._lists())
        return Neighbours(chain if len(chain) > 1 else (), *rest)

    def _lists(self) -> Iterable[tuple[Change, ...]]:
        return (getattr(self, field.name) for field in fields(self))


def neighbours(session: Session, judge: Judge, change: Change, shown: PatchSet) -> Neighbours:
    """Everything around a change at a patch set."""

    def named(numbers: Iterable[int]) -> tuple[Change, ...]:
        return tuple(other for number in numbers if (other := find_change(session, number)) is not None)

    chain = tuple(other for other, _ in judge.related(session, change, shown))
    told = {change.number, *(other.number for other in chain)}

    def rest(others: Iterable[Change]) -> tuple[Change, ...]:
        left = tuple(other for other in others if other.number not in told)
        told.update(other.number for other in left)
        return left

    waits_for = rest(named(judge.needs(session, change, shown) if change.is_open else ()))
    needed_by = rest(named(judge.needed_by(session, change.number)))
    topic = rest(named(open_changes(session, topic=change.topic)[:_TOPIC] if change.topic else ()))
    picked = {one.number: one for one in find_by_id(session, change.change_id)}
    if change.cherry_pick_of is not None:
        picked |= {one.number: one for one in named(change.cherry_pick_of[:1])}
    picked.pop(change.number, None)
    reverted_by = read_changes(session, select(changes).where(changes.c.revert_of == change.number))
    reverts = named((change.revert_of,)) if change.revert_of is not None else ()
    return Neighbours(chain, waits_for, needed_by, topic, tuple(picked.values()), reverts, reverted_by)
