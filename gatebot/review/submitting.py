# SPDX-License-Identifier: Apache-2.0
"""Submit by a person: where a gate is, a wish that the gate hears; elsewhere a merge at once.

What a change stands on is merged with it, and its topic where the site wants that (`together.py`): all or none.
Merging past a gate needs the capability `bypassGate`; the journal tells it from a gated merge by the missing item.
Either way `landing.py` moves the branches, and nothing else does.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from .. import access, journal
from ..access import SITE, Actor, Verb, may
from ..change import Landing, LandingChange, LandRefused
from ..clock import Clock
from ..db import Database, Session
from ..errors import Conflict, GatebotError, NotPermitted
from ..events import SubmitRequested
from ..identity import GATE, Account, account_in, accounts_in
from ..reasons import Reason, reason
from ..repo import ZERO, FinalCommit, MergeConflict, NotFastForward, Repositories, missing_parent, person
from . import conversation, deeds, hosting, store
from .config.model import CONFIG_REF
from .config.ports import Configs, NoConfigs
from .judging import Judge
from .landing import Lander
from .landing_plan import Order
from .mail.model import NO_WISH, Wish
from .model import Change, PatchSet, Project, branch_ref
from .permission import require, require_account, require_open, target_of
from .push_config import ConfigGuard
from .submit_footers import footers_of
from .together import Together, together
from .verdict import DEPENDENCIES

Seen: TypeAlias = Callable[[Session, Actor, Collection[int]], Collection[int]]
"""Those of some changes that somebody may read."""

_LOOKS, _PAUSE = 40, 0.05  # how often the gate is asked for the place of what it was just given


@dataclass(frozen=True, slots=True)
class Submitted:
    """What became of it: `merged`, or on its way through the gate. `says` tells which."""

    merged: bool
    says: Reason


@dataclass(frozen=True, slots=True)
class _Step:
    """A change that is merged, with what its commit is made of."""

    change: Change
    current: PatchSet
    project: Project
    footers: tuple[str, ...]


class Submission:
    """Submits changes. `whole_topic`: all open changes of a topic are submitted together."""

    def __init__(
        self,
        db: Database,
        repositories: Repositories,
        judge: Judge,
        lander: Lander,
        clock: Clock,
        rules: access.Rulebook = access.DEFAULT,
        *,
        whole_topic: bool = False,
        configs: Configs | None = None,
        seen: Seen = lambda session, actor, asked: frozenset(asked),
    ) -> None:
        self._seen = seen
        self._db = db
        self._repositories = repositories
        self._judge = judge
        self._lander = lander
        self._clock = clock
        self._rules = rules
        self._guard = ConfigGuard(configs or NoConfigs(), rules)
        self.whole_topic = whole_topic

    async def submit(self, actor: Actor, number: int, *, bypass_gate: bool = False, wish: Wish = NO_WISH) -> Submitted:
        """Submit a change, and what is submitted with it, by the rules of their projects; `wish` is about mail."""
        change = await self._db.read(store.get_change, number)
        gated = self._judge.gates.gated(change.project, change.branch)
        try:
            deeds.submit(actor, change, self._rules)
        except NotPermitted as error:
            if not gated or error.reason is None:
                raise
            raise NotPermitted(reason=reason("review.gate-takes-it", error.reason)) from None
        if gated and not bypass_gate:
            await self._db.run(self._enqueue, actor, number)
            return Submitted(False, await self._enqueued(change))
        if gated and not may(actor, Verb.BYPASS_GATE, SITE, self._rules):
            where = {
                "permission": Verb.BYPASS_GATE.value,
                "ref": branch_ref(change.branch),
                "project": change.project,
            }
            raise NotPermitted(reason=reason("review.not-permitted", **where))
        return await asyncio.to_thread(self._merge, actor, number, gated, wish)

    def together(self, session: Session, change: Change) -> Together:
        """What is submitted with a change, itself among it."""
        return together(session, change, whole_topic=self.whole_topic)

    async def submitted_with(self, change: Change) -> tuple[int, ...]:
        """The changes that are submitted with a change, itself among them, in the order of their merging."""
        found = await self._db.read(self.together, change)
        return tuple(one.number for one, _ in found.changes)

    async def _enqueued(self, change: Change) -> Reason:
        """Where the gate has put a change; it hears of it a moment later."""
        for _ in range(_LOOKS):
            place = self._judge.gates.position(change.number)
            if place is not None:
                return reason("review.enqueued-at", position=str(place.get("place")))
            await asyncio.sleep(_PAUSE)
        return reason("review.enqueued", project=change.project, branch=change.branch)

    async def asked_of(self, actor: Actor, change: Change) -> tuple[int, Reason | None]:
        """How many changes submitting this one submits, and what keeps it from being done, if anything does."""
        return await self._db.read(self._asked, actor, change)

    def _asked(self, session: Session, actor: Actor, change: Change) -> tuple[int, Reason | None]:
        try:
            self._require_seen(session, actor, change, [one for one, _ in self.together(session, change).changes])
            if self._judge.gates.gated(change.project, change.branch):
                return len(self._wanted(session, actor, change.number)), None
            return len(self._facts(session, actor, change.number, False)[0]), None
        except GatebotError as error:
            together = {one.number for one, _ in self.together(session, change).changes}
            return len(self._seen(session, actor, together)), error.reason or reason("review.not-ready")

    def _enqueue(self, session: Session, actor: Actor, number: int) -> None:
        """Ask the gate, unless people still have something to do. A topic goes in as a whole."""
        for one, account in self._wanted(session, actor, number):
            journal.append(session, SubmitRequested(one.number, one.current, account), self._clock.now())

    def _wanted(self, session: Session, actor: Actor, number: int) -> list[tuple[Change, int]]:
        """What the gate is asked for, and by whom; refused when people still have something to do."""
        change = store.get_change(session, number)
        require_open(change)
        missing = self._judge.obstacle(session, change)
        if missing is not None:
            raise Conflict(reason=reason("review.cannot-submit", missing))
        self._require_below(session, actor, change)
        wanted = [change]
        if self.whole_topic and change.topic:
            wanted += [one for one, _ in self.together(session, change).changes if one.number != number]
        self._require_seen(session, actor, change, wanted)
        found: list[tuple[Change, int]] = []
        for one in wanted:
            account = require(actor, Verb.SUBMIT, target_of(one), self._rules)
            missing = self._judge.obstacle(session, one)
            if missing is not None:
                raise Conflict(reason=reason("review.submit-with", missing, change=number, other=one.number))
            found.append((one, account))
        return found

    def _require_seen(self, session: Session, actor: Actor, change: Change, with_it: Sequence[Change]) -> None:
        """Of what somebody may not see he hears only that there is something, as in Gerrit."""
        numbers = {one.number for one in with_it} - {change.number}
        if numbers and numbers.difference(self._seen(session, actor, numbers)):
            raise Conflict(reason=reason("review.submit-with-hidden", change=change.number))

    def _require_below(self, session: Session, actor: Actor, change: Change) -> None:
        """The gate takes no change while one below it still needs somebody: that is said at once, and of which one."""
        below = together(session, change, whole_topic=False).changes
        self._require_seen(session, actor, change, [one for one, _ in below])
        for one, _ in below:
            missing = None if one.number == change.number else self._judge.obstacle(session, one)
            if missing is not None:
                why = reason("review.stands-on-unready", missing, change=change.number, on=one.number)
                raise Conflict(reason=reason("review.cannot-submit", why))

    def _merge(self, actor: Actor, number: int, gated: bool, wish: Wish) -> Submitted:
        steps, account = self._db.read_now(self._facts, actor, number, gated)
        tips: dict[tuple[str, str], str] = {}
        landing: list[LandingChange] = []
        for step in steps:
            change, place = step.change, (step.change.project, step.change.branch)
            if place not in tips:
                tips[place] = self._repositories.resolve(change.project, branch_ref(change.branch)) or ZERO
            tip = tips[place]
            commit = self._final(step, account, tip)
            self._check_config(actor, change, commit)
            tips[place] = commit
            landing.append(
                LandingChange(
                    change.number, step.current.number, change.project, change.branch, tip, commit, change.project
                )
            )
        item = f"submit/{number}/{steps[-1].current.number}"
        answer = self._lander.land(Order(Landing(item, "", tuple(landing)), account.id, None, wish))
        if isinstance(answer, LandRefused):
            raise Conflict(reason=reason("review.cannot-submit", answer.reason))
        kind = "review.gate-passed-by" if gated else "review.merged-ungated"
        commit = next(one.commit for one in landing if one.number == number)
        return Submitted(True, reason(kind, commit=commit[:10]))

    def _check_config(self, actor: Actor, change: Change, commit: str) -> None:
        """Configuration is checked once more as it will be: merged, and by the right of who submits it."""
        if branch_ref(change.branch) != CONFIG_REF:
            return
        why = self._guard.against(
            actor, change.project, lambda name: self._repositories.read_file(change.project, commit, name)
        )
        if why is not None:
            raise Conflict(reason=reason("review.cannot-submit", why))

    def _facts(self, session: Session, actor: Actor, number: int, gated: bool) -> tuple[list[_Step], Account]:
        """What merging needs; refused when the rules are not met (past a gate, its own vote is not asked for)."""
        change = store.get_change(session, number)
        with_it = self.together(session, change)
        self._require_seen(session, actor, change, [one for one, _ in with_it.changes])
        for late in with_it.outdated:
            why = reason(
                "review.stands-on-outdated", change=late.change, on=late.on, patch_set=late.patch_set,
                current=late.current,
            )  # fmt: skip
            raise Conflict(reason=reason("review.cannot-submit", why))
        submitter = account_in(session, require_account(actor))
        if submitter is None:
            raise Conflict(reason=reason("review.no-such-account", account=require_account(actor)))
        steps: list[_Step] = []
        for one, current in with_it.changes:
            require(actor, Verb.SUBMIT, target_of(one), self._rules)
            missing = self._missing(session, one, current, with_it, gated=gated)
            if not gated and self._judge.gates.gated(one.project, one.branch):
                raise Conflict(reason=reason("review.submit-with-gated", change=number, other=one.number))
            if missing is not None and one.number == number:
                raise Conflict(reason=reason("review.cannot-submit", missing))
            if missing is not None:
                raise Conflict(reason=reason("review.submit-with", missing, change=number, other=one.number))
            votes = conversation.list_votes(session, one.number, one.current)
            people: Mapping[int, Account] = accounts_in(session, {vote.account for vote in votes})
            footers = footers_of(one, current.message, votes, people, self._judge.site, GATE)
            steps.append(_Step(one, current, hosting.get_project(session, one.project), footers))
        return steps, submitter

    def _missing(
        self, session: Session, change: Change, current: PatchSet, with_it: Together, *, gated: bool
    ) -> Reason | None:
        """Why a change may not be merged, when those that are merged with it are."""
        verdict = self._judge.verdict(session, change)
        verdict = verdict.of_people() if gated else verdict
        waits = verdict.find(DEPENDENCIES)
        known = waits is not None and all(leaf.says.kind == "review.waits-for" for leaf in waits.leaves())
        if known and set(self._judge.needs(session, change, current)) <= with_it.numbers:
            verdict = verdict.without(DEPENDENCIES)
        return verdict.why_not()

    def _check_parents(self, step: _Step, tip: str) -> None:
        """A merge brings all that a change stands on: that must be there already, or come from another branch."""
        name, kind, commit = step.change.project, step.project.submit_type.value, step.current.commit
        branches = self._repositories.branches
        missing = missing_parent(self._repositories, name, kind, commit, tip, lambda: branches(name).values())
        if missing is not None:
            why = reason("review.parent-not-merged", commit=missing[:12], branch=step.change.branch)
            raise Conflict(reason=reason("review.cannot-submit", why))

    def _default(self, project: str) -> str:
        return self._repositories.default_branch(project)

    def _final(self, step: _Step, account: Account, tip: str) -> str:
        """The commit that the branch will point to, by the project's submit type."""
        now, change, project = self._clock.now(), step.change, step.project
        begins = branch_ref(change.branch) == CONFIG_REF or not step.current.parents
        if tip == ZERO and not begins and change.branch != self._default(change.project):
            # As in Gerrit the branch of HEAD begins with a change, and one that was asked for with `new_branch`: its
            # commit stands on none. A branch that was deleted stays so.
            why = reason("review.branch-gone", project=change.project, branch=change.branch)
            raise Conflict(reason=reason("review.cannot-submit", why))
        self._check_parents(step, tip)
        if tip == ZERO:
            return step.current.commit
        made = self._repositories.final_commit(
            change.project,
            project.submit_type.value,
            step.current.commit,
            tip,
            branch=change.branch,
            committer=person(account.name, account.email, int(now.timestamp())),
            into=change.branch != project.default_branch,
            footers=step.footers,
        )
        match made:
            case FinalCommit(commit):
                return commit
            case MergeConflict(paths):
                why = reason("review.merge-conflict", branch=change.branch, paths=", ".join(paths[:10]))
            case NotFastForward():
                why = reason("review.no-fast-forward", branch=change.branch)
        raise Conflict(reason=reason("review.cannot-submit", why))
