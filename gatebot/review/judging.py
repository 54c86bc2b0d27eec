# SPDX-License-Identifier: Apache-2.0
"""From rows to a verdict: what a change depends on, whom it keeps waiting, and whether it may be merged.

Reads inside a transaction and decides nothing itself: `verdict.explain` does. Everything that is
asked of other rooms (is there a gate) comes through `ports.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TypeAlias

from sqlalchemy import or_, select

from ..db import Session
from ..identity import accounts_in
from ..reasons import Reason
from . import conversation, footers, hosting, store
from .model import Change, PatchSet, Status
from .ports import Gates
from .rules import VERIFIED, Rules, rules_of
from .tables import changes, dependencies, parents, patch_sets
from .verdict import DEPENDENCIES, Situation, Verdict, explain

#: What the gate itself sees to: it votes, and it merges dependencies in order.
_OF_THE_GATE = (VERIFIED, DEPENDENCIES)

_Step: TypeAlias = Callable[[Session, str, PatchSet], tuple[int, int] | None]


@dataclass(frozen=True, slots=True)
class Judge:
    """Judges changes of this site; `site` is its address, by which Depends-On footers are recognised."""

    gates: Gates
    site: str

    def verdict(self, session: Session, change: Change) -> Verdict:
        """Whether a change may be merged, and what is missing."""
        votes = conversation.list_votes(session, change.number, change.current)
        situation = self.situation(session, change, {vote.account for vote in votes})
        return explain(situation, votes, self.rules(session, change.project))

    def readiness(self, session: Session, change: Change) -> Reason | None:
        """What people still have to do before the gate may take a change; None: nothing."""
        return self.verdict(session, change).without(*_OF_THE_GATE).why_not()

    def situation(self, session: Session, change: Change, voters: Iterable[int]) -> Situation:
        """What the verdict depends on beside the votes."""
        current = store.get_patch_set(session, change.number, change.current)
        people = accounts_in(session, {change.owner, current.uploader, *voters})
        return Situation(
            status=change.status,
            owner=change.owner,
            uploader=current.uploader,
            gated=self.gates.gated(change.project, change.branch),
            work_in_progress=change.work_in_progress,
            private=change.private,
            waits_for=self.needs(session, change, current) if change.is_open else (),
            names={id: account.username for id, account in people.items()},
        )

    def rules(self, session: Session, project: str) -> Rules:
        """The rules of a project."""
        found = hosting.find_project(session, project)
        return rules_of(found.rules if found else "default")

    def needs(self, session: Session, change: Change, current: PatchSet) -> tuple[int, ...]:
        """The changes that are not merged and that this one depends on, by git or by footer."""
        behind = store.find_by_commits(session, change.project, current.parents)
        numbers = {found.number for found in behind.values() if found.branch == change.branch}
        named = (self.named(session, address) for address in footers.depends_on(current.message))
        numbers |= {number for number in named if number is not None}
        numbers.discard(change.number)
        found = (store.find_change(session, number) for number in sorted(numbers))
        return tuple(other.number for other in found if other is not None and other.status is not Status.MERGED)

    def needed_by(self, session: Session, number: int) -> tuple[int, ...]:
        """The open changes whose git parent is a change's current patch set, or whose Depends-On names it."""
        change = store.get_change(session, number)
        current = store.get_patch_set(session, number, change.current)
        open_and_current = (changes.c.status == Status.NEW.value) & (changes.c.number != number)
        by_git = (
            select(changes.c.number)
            .join(parents, (parents.c.change == changes.c.number) & (parents.c.patch_set == changes.c.current))
            .where(parents.c.parent == current.commit, changes.c.project == change.project, open_and_current)
        )
        by_footer = (
            select(changes.c.number, dependencies.c.address)
            .join(
                dependencies,
                (dependencies.c.change == changes.c.number) & (dependencies.c.patch_set == changes.c.current),
            )
            .where(or_(dependencies.c.number == number, dependencies.c.address == change.change_id), open_and_current)
        )
        found = set(session.execute(by_git).scalars())
        found |= {row.number for row in session.execute(by_footer) if self.named(session, row.address) == number}
        return tuple(sorted(found))

    def named(self, session: Session, address: str) -> int | None:
        """The change that a Depends-On footer names: an address of this site, or a Change-Id that only one has."""
        if address.startswith("I"):
            found = store.find_by_id(session, address)
            return found[0].number if len(found) == 1 else None
        number = footers.change_of(address, self.site)
        return None if number is None or store.find_change(session, number) is None else number

    def related(self, session: Session, change: Change, patch_set: PatchSet) -> tuple[tuple[Change, PatchSet], ...]:
        """Gerrit's relation chain: the changes above and below by git parents, newest first, itself in the middle."""
        below = _chain(session, change, patch_set, _parent_of)
        above = _chain(session, change, patch_set, _child_of)
        if not below and not above:
            return ()
        return (*reversed(above), (change, patch_set), *below)


def _chain(
    session: Session, change: Change, patch_set: PatchSet, step: _Step, limit: int = 100
) -> list[tuple[Change, PatchSet]]:
    found: list[tuple[Change, PatchSet]] = []
    seen = {change.number}
    while len(found) < limit:
        following = step(session, change.project, patch_set)
        if following is None or following[0] in seen:
            return found
        change = store.get_change(session, following[0])
        patch_set = store.get_patch_set(session, *following)
        seen.add(change.number)
        found.append((change, patch_set))
    return found


def _parent_of(session: Session, project: str, patch_set: PatchSet) -> tuple[int, int] | None:
    wanted = (
        select(patch_sets.c.change, patch_sets.c.number)
        .join(changes, changes.c.number == patch_sets.c.change)
        .where(
            changes.c.project == project,
            patch_sets.c.commit.in_(patch_set.parents[:1]),
            changes.c.status == Status.NEW.value,
        )
    )
    row = session.execute(wanted.order_by(patch_sets.c.change)).first()
    return (row.change, row.number) if row else None


def _child_of(session: Session, project: str, patch_set: PatchSet) -> tuple[int, int] | None:
    wanted = (
        select(parents.c.change, parents.c.patch_set)
        .join(changes, (changes.c.number == parents.c.change) & (changes.c.current == parents.c.patch_set))
        .where(changes.c.project == project, parents.c.parent == patch_set.commit, changes.c.status == Status.NEW.value)
    )
    row = session.execute(wanted.order_by(parents.c.change)).first()
    return (row.change, row.patch_set) if row else None
