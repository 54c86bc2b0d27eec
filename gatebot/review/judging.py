# SPDX-License-Identifier: Apache-2.0
"""From rows to a verdict: what a change depends on, whom it keeps waiting, and whether it may be merged.

Reads inside a transaction and decides nothing itself: `verdict.explain` does. Everything that is
asked of other rooms (is there a gate) comes through `ports.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from sqlalchemy import bindparam, select

from ..db import Session
from ..depends import depends_on, is_change_id
from ..identity import GATE, accounts_in
from ..reasons import Reason, reason
from . import conversation, footers, hosting, store
from .model import Change, PatchSet, Status, Vote
from .ports import Gates
from .rules import VERIFIED, Rules, rules_of
from .tables import changes, dependencies, parents, patch_sets
from .verdict import DEPENDENCIES, Outcome, Situation, Verdict, explain

# The open changes that stand on a change, or name it in a footer of their current patch set.
_others = (changes.c.status == Status.NEW.value) & (changes.c.number != bindparam("number"))
_standing_on = (
    select(changes.c.number)
    .join(parents, (parents.c.change == changes.c.number) & (parents.c.patch_set == changes.c.current))
    .where(parents.c.parent == bindparam("commit"), changes.c.project == bindparam("project"), _others)
)
_naming = (
    select(changes.c.number, dependencies.c.address)
    .join(dependencies, (dependencies.c.change == changes.c.number) & (dependencies.c.patch_set == changes.c.current))
    .where(_others)
)
# Two statements: one with an `or` would look through all open changes.
_naming_number = _naming.where(dependencies.c.number == bindparam("number"))
_naming_id = _naming.where(dependencies.c.number.is_(None), dependencies.c.address == bindparam("change_id"))

#: What the gate itself sees to: it votes, and it merges dependencies in order.
_OF_THE_GATE = (VERIFIED, DEPENDENCIES)

_Step: TypeAlias = Callable[[Session, str, PatchSet], tuple[int, int] | None]


@dataclass(frozen=True, slots=True)
class Case:
    """What was read of a change that is to be judged; `votes` are those on its current patch set."""

    change: Change
    current: PatchSet
    votes: tuple[Vote, ...]
    rules: Rules


@dataclass(frozen=True, slots=True)
class Needs:
    """What a change depends on: `changes` that are not merged, and addresses that name none here (`unknown`)."""

    changes: tuple[int, ...] = ()
    unknown: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Judge:
    """Judges changes of this site; `site` is its address, by which Depends-On footers are recognised."""

    gates: Gates
    site: str

    def verdict(self, session: Session, change: Change) -> Verdict:
        """Whether a change may be merged, and what is missing."""
        current = store.get_patch_set(session, change.number, change.current)
        votes = conversation.list_votes(session, change.number, change.current)
        return self.verdicts(session, [Case(change, current, votes, self.rules(session, change.project))])[0]

    def verdicts(self, session: Session, cases: Sequence[Case]) -> list[Verdict]:
        """The same for many changes at once, in few queries."""
        needs = self._needs(session, [(case.change, case.current) for case in cases if case.change.is_open])
        people = {id for case in cases for id in (case.change.owner, case.current.uploader)}
        people |= {vote.account for case in cases for vote in case.votes}
        names = {id: account.username for id, account in accounts_in(session, people).items()}
        return [explain(self._situation(case, needs, names), case.votes, case.rules) for case in cases]

    def readiness(self, session: Session, change: Change) -> Reason | None:
        """What people still have to do before the gate may take a change; None: nothing."""
        return self.verdict(session, change).without(*_OF_THE_GATE).why_not()

    def obstacle(self, session: Session, change: Change) -> Reason | None:
        """`readiness` for somebody who submits: what the gate refused has to be checked again first."""
        verified = self.verdict(session, change).find(VERIFIED)
        missing = self.readiness(session, change)
        if verified is None or verified.outcome is not Outcome.BLOCKED:
            return missing
        return reason("review.failed-in-gate", *((missing,) if missing is not None else ()))

    def _situation(self, case: Case, needs: Mapping[int, Needs], names: Mapping[int, str]) -> Situation:
        change = case.change
        own = needs.get(change.number, Needs())
        return Situation(
            status=change.status,
            owner=change.owner,
            uploader=case.current.uploader,
            gated=self.gates.gated(change.project, change.branch),
            work_in_progress=change.work_in_progress,
            private=change.private,
            waits_for=own.changes,
            names=names,
            unknown=own.unknown,
            gate=GATE,
        )

    def rules(self, session: Session, project: str) -> Rules:
        """The rules of a project."""
        found = hosting.find_project(session, project)
        return rules_of(found.rules if found else "default")

    def needs(self, session: Session, change: Change, current: PatchSet) -> tuple[int, ...]:
        """The changes that are not merged and that this one depends on, by git or by footer."""
        return self._needs(session, [(change, current)])[change.number].changes

    def _needs(self, session: Session, pairs: Sequence[tuple[Change, PatchSet]]) -> dict[int, Needs]:
        parents_in: dict[str, set[str]] = {}
        for change, current in pairs:
            parents_in.setdefault(change.project, set()).update(current.parents)
        behind = {
            (project, commit): other
            for project, commits in parents_in.items()
            for commit, other in store.find_by_commits(session, project, commits).items()
        }
        named: dict[str, tuple[int, ...]] = {}
        found: dict[int, set[int]] = {}
        unknown: dict[int, tuple[str, ...]] = {}
        for change, current in pairs:
            under = (behind.get((change.project, parent)) for parent in current.parents)
            found[change.number] = {one.number for one in under if one is not None and one.branch == change.branch}
            addresses = depends_on(current.message)
            named |= {address: self.named(session, address) for address in addresses if address not in named}
            found[change.number].update(*(named[address] for address in addresses))
            unknown[change.number] = tuple(address for address in addresses if not named[address])
        known = store.find_changes(session, {number for numbers in found.values() for number in numbers})
        waiting = {number for number, other in known.items() if other.status is not Status.MERGED}
        return {
            number: Needs(tuple(sorted(others & waiting - {number})), unknown[number])
            for number, others in found.items()
        }

    def needed_by(self, session: Session, number: int) -> tuple[int, ...]:
        """The open changes whose git parent is a change's current patch set, or whose Depends-On names it."""
        change = store.get_change(session, number)
        current = store.get_patch_set(session, number, change.current)
        asked = {"number": number, "project": change.project, "commit": current.commit, "change_id": change.change_id}
        found = set(session.execute(_standing_on, asked).scalars())
        rows = (*session.execute(_naming_number, asked), *session.execute(_naming_id, asked))
        found |= {row.number for row in rows if number in self.named(session, row.address)}
        return tuple(sorted(found))

    def named(self, session: Session, address: str) -> tuple[int, ...]:
        """The changes that a Depends-On footer names: by an address of this site one, by Change-Id all that have it."""
        if is_change_id(address):
            return tuple(change.number for change in store.find_by_id(session, address))
        number = footers.change_of(address, self.site)
        return () if number is None or store.find_change(session, number) is None else (number,)

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
