# SPDX-License-Identifier: Apache-2.0
"""From rows to a verdict: what a change depends on, whom it keeps waiting, and whether it may be merged.

Reads inside a transaction and decides nothing itself: `verdict.explain` does. Everything that is
asked of other rooms (is there a gate) comes through `ports.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeAlias

from sqlalchemy import bindparam, select

from .. import access
from ..access import Rules as AccessRules
from ..access import Target
from ..db import Session
from ..depends import depends_on, is_change_id
from ..identity import GATE, accounts_in
from ..reasons import Reason, reason
from . import conversation, footers, hosting, store
from .config.model import ConfigFile
from .facts import Case, NoConfigs, NoContents, about, reviewers_asked
from .labels.electors import groups_for
from .labels.model import About, Label
from .labels.told import Electors
from .labels.wishes import Wish, wishes
from .model import Change, PatchSet, Project, Status, SubmitType, branch_ref
from .ports import Configs, Contents, Gates
from .push_policy import Policies, SamePolicy
from .rules import Rules, configured, rules_of
from .tables import changes, dependencies, parents, patch_sets
from .trackers.linking import Linking
from .verdict import DEPENDENCIES, PARENT, Outcome, Situation, Verdict, explain

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

_Step: TypeAlias = Callable[[Session, str, PatchSet], tuple[int, int] | None]


@dataclass(frozen=True, slots=True)
class Needs:
    """What a change depends on: `changes` that are not merged, and addresses that name none here (`unknown`).

    `parent` is the commit that it stands on, where that must be in its branch already.
    """

    changes: tuple[int, ...] = ()
    unknown: tuple[str, ...] = ()
    parent: str = ""


_MERGED = (SubmitType.MERGE_IF_NECESSARY, SubmitType.MERGE_ALWAYS, SubmitType.FAST_FORWARD_ONLY)
_NAMES = 100  # labels that queries named lately
_Named: TypeAlias = tuple[tuple[tuple[int, int], int], dict[str, Label | None]]


@dataclass(frozen=True, slots=True)
class Judge:
    """Judges changes of this site; `site` is its address, by which Depends-On footers are recognised."""

    gates: Gates
    site: str
    contents: Contents = field(default_factory=NoContents)
    access: access.Rulebook = access.DEFAULT
    configs: Configs = field(default_factory=NoConfigs)
    linking: Linking = field(default_factory=Linking)
    policies: Policies = field(default_factory=SamePolicy)
    _rules: dict[tuple[str, str], tuple[tuple[ConfigFile, ...], Rules]] = field(
        default_factory=dict[tuple[str, str], tuple[tuple[ConfigFile, ...], Rules]], repr=False, compare=False
    )
    _named: dict[str, _Named] = field(default_factory=dict[str, "_Named"], repr=False, compare=False)
    _electors: dict[tuple[str, str, str, int], tuple[AccessRules, tuple[str, ...]]] = field(
        default_factory=dict[tuple[str, str, str, int], tuple[AccessRules, tuple[str, ...]]], repr=False, compare=False
    )

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
        for case in cases:
            if reviewers_asked(case.rules):
                people |= {one.account for one in conversation.list_reviewers(session, case.change.number)}
        known = accounts_in(session, people)
        names = {id: account.username for id, account in known.items()}
        asked = about(session, cases, known, self.contents)
        situations = [self._situation(case, needs, names, asked[case.change.number]) for case in cases]
        found = [
            explain(situation, case.votes, case.rules.on(case.change.branch))
            for case, situation in zip(cases, situations, strict=True)
        ]
        for at, case in enumerate(cases):
            # git is asked of one change, and of those of many that lack nothing else: it may have to walk far.
            parent = needs.get(case.change.number, Needs()).parent
            if (len(cases) == 1 or found[at].submittable) and self._strays(case.change, parent):
                situation = replace(situations[at], stray=parent)
                found[at] = explain(situation, case.votes, case.rules.on(case.change.branch))
        return found

    def _strays(self, change: Change, parent: str) -> bool:
        """Whether a change would bring along what its parent has and its branch has not."""
        if not parent or self.contents.within(change.project, parent, change.branch):
            return False
        return not self.policies.of(change.project).implicit_merges

    def readiness(self, session: Session, change: Change) -> Reason | None:
        """What people still have to do before the gate may take a change; None: nothing.

        What it stands on the gate looks at itself, and says in a comment what is wrong.
        """
        return self.verdict(session, change).of_people().without(DEPENDENCIES, PARENT).why_not()

    def obstacle(self, session: Session, change: Change) -> Reason | None:
        """`readiness` for somebody who submits: what the gate refused has to be checked again first."""
        verdict = self.verdict(session, change)
        missing = verdict.of_people().without(DEPENDENCIES).why_not()
        if not any(one.gate and one.outcome is Outcome.BLOCKED for one in verdict.requirements):
            return missing
        return reason("review.failed-in-gate", *((missing,) if missing is not None else ()))

    def _situation(self, case: Case, needs: Mapping[int, Needs], names: Mapping[int, str], asked: About) -> Situation:
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
            about=asked,
            electors=self._electors_of(change.project, change.branch),
        )

    def wishes(self, project: Project) -> tuple[Wish, ...]:
        """What the changes of a project's main branch need."""
        branch = project.default_branch
        rules = self.rules_for(project.name, project.rules).on(branch)
        gated = self.gates.gated(project.name, branch)
        return wishes(rules.requirements, rules.labels, self._electors_of(project.name, branch), gated=gated)

    def _electors_of(self, project: str, branch: str) -> Electors:
        """Who may cast the votes that a change of a branch lacks."""

        def asked(label: str, value: int) -> tuple[str, ...]:
            key = (project, branch, label, value)
            known, rules = self._electors.get(key), self.access.of(project)
            if known is None or known[0] is not rules:
                target = Target(project, branch_ref(branch))
                known = self._electors[key] = (rules, groups_for(label, value, target, rules))
            return known[1]

        return asked

    def rules(self, session: Session, project: str) -> Rules:
        """The rules of a project."""
        found = hosting.find_project(session, project)
        return self.rules_for(project, found.rules if found else "default")

    def rules_for(self, project: str, preset: str) -> Rules:
        """The rules of a project that begins with a preset: what its `project.config` and its parents' add to that."""
        files = self.configs.files(project)
        known = self._rules.get((project, preset))
        if known is None or known[0] is not files:
            known = self._rules[project, preset] = (files, configured(rules_of(preset), files[::-1]))
        return known[1]

    def labels_named(self, session: Session, name: str) -> dict[str, Label | None]:
        """The label of this name of every project that is hosted; None: it has none.

        Kept while no configuration moves: a query must not look at every repository.
        """
        now = self.configs.generation, hosting.last_position(session)
        known = self._named.get(name)
        if known is None or known[0] != now:
            if len(self._named) >= _NAMES:
                self._named.clear()
            hosted = hosting.list_projects(session)
            known = now, {one.name: self.rules_for(one.name, one.rules).label(name) for one in hosted}
            self._named[name] = known
        return known[1]

    def needs(self, session: Session, change: Change, current: PatchSet) -> tuple[int, ...]:
        """The changes that are not merged and that this one depends on, by git or by footer."""
        return self._needs(session, [(change, current)])[change.number].changes

    def _needs(self, session: Session, pairs: Sequence[tuple[Change, PatchSet]]) -> dict[int, Needs]:
        projects = hosting.find_projects(session, {change.project for change, _ in pairs})
        # What is cherry-picked stands alone, whatever its commit stands on: Gerrit's rule.
        picked = {name for name, one in projects.items() if one.submit_type is SubmitType.CHERRY_PICK}
        behind = store.at_commits(
            session,
            {parent for change, current in pairs if change.project not in picked for parent in current.parents},
        )
        named: dict[str, tuple[int, ...]] = {}
        under: dict[int, set[int]] = {}
        for change, current in pairs:
            on = () if change.project in picked else current.parents
            below = (behind.get((change.project, change.branch, parent)) for parent in on)
            under[change.number] = {one.number for one in below if one is not None}
            addresses = (one for one in depends_on(current.message) if one not in named)
            named |= {address: self.named(session, address) for address in addresses}
        known = store.find_changes(session, {one for many in (*under.values(), *named.values()) for one in many})
        waiting = {number for number, other in known.items() if other.status is not Status.MERGED}
        found: dict[int, Needs] = {}
        for change, current in pairs:
            # What its people may not see is not there for its footers: nobody learns of it by naming it.
            hidden = conversation.hidden_from(session, known.values(), change.owner)
            if current.uploader != change.owner:
                hidden |= conversation.hidden_from(session, known.values(), current.uploader)
            told = {one: set(named[one]) - hidden for one in depends_on(current.message)}
            others = under[change.number].union(*told.values())
            unknown = tuple(address for address, numbers in told.items() if not numbers)
            # What stands on a change that is to come waits for it; what is picked or rebased stands where it is put.
            merged = projects[change.project].submit_type in _MERGED and not under[change.number] & waiting
            parent = current.parents[0] if merged and len(current.parents) == 1 else ""
            found[change.number] = Needs(tuple(sorted(others & waiting - {change.number})), unknown, parent)
        return found

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
    # One that stands on an older patch set is shown too: whoever works on it has to rebase it.
    every = select(patch_sets.c.commit).where(patch_sets.c.change == patch_set.change)
    wanted = (
        select(parents.c.change, parents.c.patch_set)
        .join(changes, (changes.c.number == parents.c.change) & (changes.c.current == parents.c.patch_set))
        .where(changes.c.project == project, parents.c.parent.in_(every), changes.c.status == Status.NEW.value)
    )
    row = session.execute(wanted.order_by(parents.c.change)).first()
    return (row.change, row.patch_set) if row else None
