# SPDX-License-Identifier: Apache-2.0
"""Submit by a person: where a gate is, a wish that the gate hears; elsewhere a merge at once.

Merging past a gate needs the capability `bypassGate`; the journal tells it from a gated merge by
the missing item. Either way `landing.py` moves the branch, and nothing else does.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from .. import access, journal
from ..access import SITE, Actor, Verb, may
from ..change import Landing, LandingChange, LandRefused
from ..clock import Clock
from ..db import Database, Session
from ..errors import Conflict, NotPermitted
from ..events import SubmitRequested
from ..identity import Account, account_in
from ..reasons import Reason, reason
from ..repo import ZERO, FinalCommit, MergeConflict, NotFastForward, Repositories, person
from . import hosting, store
from .judging import Judge
from .landing import Lander
from .landing_plan import Order
from .model import Change, PatchSet, Project
from .permission import require, require_account, require_open, target_of


@dataclass(frozen=True, slots=True)
class Submitted:
    """What became of it: `merged`, or on its way through the gate. `says` tells which."""

    merged: bool
    says: Reason


class Submission:
    """Submits changes."""

    def __init__(
        self,
        db: Database,
        repositories: Repositories,
        judge: Judge,
        lander: Lander,
        clock: Clock,
        rules: access.Rulebook = access.DEFAULT,
    ) -> None:
        self._db = db
        self._repositories = repositories
        self._judge = judge
        self._lander = lander
        self._clock = clock
        self._rules = rules

    async def submit(self, actor: Actor, number: int, *, bypass_gate: bool = False) -> Submitted:
        """Submit a change by its project's rules."""
        change = await self._db.read(store.get_change, number)
        account = require(actor, Verb.SUBMIT, target_of(change), self._rules)
        require_open(change)
        gated = self._judge.gates.gated(change.project, change.branch)
        if gated and not bypass_gate:
            return await self._db.run(self._enqueue, number, account)
        if gated and not may(actor, Verb.BYPASS_GATE, SITE, self._rules):
            where = {
                "permission": Verb.BYPASS_GATE.value,
                "ref": f"refs/heads/{change.branch}",
                "project": change.project,
            }
            raise NotPermitted(reason=reason("review.not-permitted", **where))
        return await asyncio.to_thread(self._merge, actor, number, gated)

    def _enqueue(self, session: Session, number: int, account: int) -> Submitted:
        """Ask the gate, unless people still have something to do."""
        change = store.get_change(session, number)
        require_open(change)
        missing = self._judge.obstacle(session, change)
        if missing is not None:
            raise Conflict(reason=reason("review.cannot-submit", missing))
        journal.append(session, SubmitRequested(number, change.current, account), self._clock.now())
        return Submitted(False, reason("review.enqueued", project=change.project, branch=change.branch))

    def _merge(self, actor: Actor, number: int, gated: bool) -> Submitted:
        change, patch_set, project, account = self._db.read_now(self._facts, number, require_account(actor), gated)
        ref = f"refs/heads/{change.branch}"
        tip = self._repositories.resolve(change.project, ref) or ZERO
        commit = patch_set.commit if tip == ZERO else self._final(change, patch_set, project, account, tip)
        landing = Landing(
            f"submit/{number}/{patch_set.number}",
            "",
            (LandingChange(number, patch_set.number, change.project, change.branch, tip, commit, change.project),),
        )
        answer = self._lander.land(Order(landing, account.id, None))
        if isinstance(answer, LandRefused):
            raise Conflict(reason=reason("review.cannot-submit", answer.reason))
        kind = "review.gate-passed-by" if gated else "review.merged-ungated"
        return Submitted(True, reason(kind, commit=commit[:10]))

    def _facts(
        self, session: Session, number: int, account: int, gated: bool
    ) -> tuple[Change, PatchSet, Project, Account]:
        """What merging needs; refused when the rules are not met (past a gate, its own vote is not asked for)."""
        change = store.get_change(session, number)
        verdict = self._judge.verdict(session, change)
        missing = (verdict.of_people() if gated else verdict).why_not()
        if missing is not None:
            raise Conflict(reason=reason("review.cannot-submit", missing))
        submitter = account_in(session, account)
        if submitter is None:
            raise Conflict(reason=reason("review.no-such-account", account=account))
        current = store.get_patch_set(session, number, change.current)
        return change, current, hosting.get_project(session, change.project), submitter

    def _final(self, change: Change, patch_set: PatchSet, project: Project, account: Account, tip: str) -> str:
        """The commit that the branch will point to, by the project's submit type."""
        now = self._clock.now()
        made = self._repositories.final_commit(
            change.project,
            project.submit_type.value,
            patch_set.commit,
            tip,
            branch=change.branch,
            committer=person(account.name, account.email, int(now.timestamp())),
            into=change.branch != project.default_branch,
        )
        match made:
            case FinalCommit(commit):
                return commit
            case MergeConflict(paths):
                why = reason("review.merge-conflict", branch=change.branch, paths=", ".join(paths[:10]))
            case NotFastForward():
                why = reason("review.no-fast-forward", branch=change.branch)
        raise Conflict(reason=reason("review.cannot-submit", why))
