# SPDX-License-Identifier: Apache-2.0
"""Landing: moving branches to the commits that were tested, all of them or none, in beats.

Beat 0 judges the changes and writes an intent; beat 1 copies objects and moves references by
compare-and-swap; beat 2 writes rows and journal and closes the intent. The server may die between
any two steps: `settle` goes on where it stopped. Nothing else in the house moves a branch to a
change. Everything here blocks; callers on the event loop use a thread.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from .. import journal
from ..change import Landed, Landing, LandingChange, LandRefused
from ..clock import Clock
from ..db import Database, Session
from ..events import MergeRefused
from ..reasons import Reason, reason
from ..repo import Repositories
from . import landing_rows, store
from .config.model import CONFIG_REF
from .config.ports import Configs, NoConfigs
from .intents import close_intent, intent_of, open_intent, open_intents, reopen_intent
from .judging import Judge
from .landing_plan import KIND, Order, Outcome, Plan, from_payload, moves_of, outcome_from, outcome_text, to_payload
from .model import ZERO, Intent, PatchSet, RefMove, Upload, branch_ref, change_ref
from .push_config import invalid
from .push_policy import Policies, SamePolicy

_HEADS = "refs/heads/"
_LOCK_TRIES, _LOCK_PAUSE = 100, 0.02


@dataclass(frozen=True, slots=True)
class _Moved:
    """How beat 1 ended: which moves are in place, and what stopped the rest."""

    done: tuple[RefMove, ...]
    refused: Reason | None = None


class Lander:
    """Lands changes; one for the whole process, so that landings follow one another."""

    def __init__(
        self,
        db: Database,
        repositories: Repositories,
        judge: Judge,
        clock: Clock,
        policies: Policies = SamePolicy(),  # noqa: B008 (a frozen value)
        configs: Configs | None = None,
    ) -> None:
        self._db = db
        self._configs = configs or NoConfigs()
        self._policies = policies
        self._repositories = repositories
        self._judge = judge
        self._clock = clock
        self._one_at_a_time = threading.Lock()

    def land(self, order: Order) -> Landed | LandRefused:
        """Land all changes of an order, or none. What has landed lands only once; what was refused is tried again."""
        with self._one_at_a_time:
            plan = self._prepare(order)
            wrong = self._read_only(plan) or self._implicit_merge(plan) or self._broken_config(plan)
            intent, begun = self._db.run_now(self._open, plan, wrong)
            if not intent.outcome:
                intent = self._carry_out(intent, resumed=begun)
            return self._answer(order.landing, intent)

    def settle(self) -> int:
        """Finish what was begun when the server died; how many landings that were."""
        with self._one_at_a_time:
            begun = self._db.read_now(open_intents, KIND)
            for intent in begun:
                self._carry_out(intent, resumed=True)
            return len(begun)

    # -- beat 0: judge, and write down what is about to happen ----------------------------------------

    def _prepare(self, order: Order) -> Plan:
        """Find out which commits become new patch sets: those that do not contain the one that was reviewed."""
        wanted = {c.number: c.patch_set for c in order.landing.changes}
        reviewed = self._db.read_now(_reviewed, wanted)
        renewed = tuple(
            change.number
            for change in order.landing.changes
            if change.number in reviewed
            and change.commit != change.expected
            and not self._repositories.descends(change.store, change.commit, reviewed[change.number].commit)
        )
        return Plan(order, renewed)

    def _read_only(self, plan: Plan) -> Reason | None:
        """Whether a project is only read by now: it takes no push, so it takes no change either."""
        names = dict.fromkeys(change.project for change in plan.order.landing.changes)
        shut = next((name for name in names if self._policies.of(name).read_only), None)
        return None if shut is None else reason("review.make-read-only", project=shut)

    def _implicit_merge(self, plan: Plan) -> Reason | None:
        """Whether a commit that is no merge would bring another branch along, as one does that was moved from there.

        A push of such is refused, unless the project takes them.
        """
        for change in plan.order.landing.changes:
            if change.expected == ZERO or change.commit == change.expected or change.number in plan.renewed:
                continue
            reviewed = self._db.read_now(store.get_patch_set, change.number, change.patch_set)
            if len(reviewed.parents) != 1 or self._policies.of(change.project).implicit_merges:
                continue
            if not self._repositories.descends(change.store, change.expected, reviewed.parents[0]):
                on = reviewed.parents[0][:12]
                return reason("review.implicit-merge", change=change.number, commit=on, branch=change.branch)
        return None

    def _broken_config(self, plan: Plan) -> Reason | None:
        """Whether what lands on `refs/meta/config` is wrong as a whole, as two changes may be that are right alone."""
        for one in plan.order.landing.changes:
            if branch_ref(one.branch) != CONFIG_REF:
                continue
            troubles = self._configs.troubles(
                one.project, lambda name, at=one: self._repositories.read_file(at.store, at.commit, name)
            )
            if troubles:
                return invalid(troubles)
        return None

    def _open(self, session: Session, plan: Plan, refused: Reason | None) -> tuple[Intent, bool]:
        """The intent, closed when the answer is known already; and whether it was begun before."""
        now = self._clock.now()
        moves = moves_of(plan)
        known = intent_of(session, KIND, plan.key)
        if known is not None and (not known.outcome or outcome_from(known).merged):
            return known, True
        refused = self._judged(session, plan) or refused
        intent = open_intent(session, KIND, plan.key, moves or (), to_payload(plan), now)
        if refused is None and moves is None:
            branch = plan.order.landing.changes[0]
            refused = reason("review.landing-broken", project=branch.project, branch=branch.branch)
        if refused is None:
            again = known is not None
            return (reopen_intent(session, intent.id, moves or (), to_payload(plan), now) if again else intent), False
        _refuse(session, plan, refused, now)
        text = outcome_text(Outcome((), refused))
        close_intent(session, intent.id, text, now)
        return replace(intent, outcome=text), False

    def _judged(self, session: Session, plan: Plan) -> Reason | None:
        """Why the rules forbid it; None: they do not."""
        begun = [intent for kind in ("push", "make") for intent in open_intents(session, kind)]
        arriving = {move.ref for intent in begun for move in intent.moves}
        for wanted in plan.order.landing.changes:
            change = store.get_change(session, wanted.number)
            if change_ref(change.number, change.current + 1) in arriving:
                return reason("review.patch-set-arriving", change=change.number, patch_set=wanted.patch_set)
            if change.is_open and change.current != wanted.patch_set:
                return reason(
                    "review.patch-set-replaced",
                    change=change.number,
                    current=change.current,
                    patch_set=wanted.patch_set,
                )
            if change.branch != wanted.branch:
                return reason("review.moved-meanwhile", change=change.number, branch=change.branch)
            missing = self._judge.readiness(session, change)
            if missing is not None:
                return reason("review.rules-no-longer-hold", missing, change=change.number)
        return None

    # -- beat 1: objects, then references --------------------------------------------------------------

    def _carry_out(self, intent: Intent, *, resumed: bool) -> Intent:
        plan = from_payload(intent.payload)
        moved = self._move(plan, intent.moves, resumed=resumed)
        merged = tuple(c for c in plan.order.landing.changes if any(_is_branch_of(move, c) for move in moved.done))
        uploads = {
            change.number: store.upload_of(
                self._repositories.commit(change.project, change.commit), plan.order.account, ""
            )
            for change in merged
            if change.number in plan.renewed
        }
        outcome = Outcome(tuple(change.number for change in merged), moved.refused)
        return self._db.run_now(self._finish, intent, plan, outcome, uploads)

    def _move(self, plan: Plan, moves: tuple[RefMove, ...], *, resumed: bool) -> _Moved:
        """Move every reference, or none. When a branch cannot be moved back, what it holds is said to be done."""
        for move in moves:
            if move.store != move.project:
                self._repositories.copy_objects(move.store, move.new, move.project)
        begun = resumed and any(_is_branch(move) and move.old != move.new and self._contains(move) for move in moves)
        wrong = None if begun else self._assumes_wrongly(plan.order.landing)
        if wrong is None and resumed and not begun:
            # It was judged a while ago, perhaps before a full disk or a restart: somebody may have objected since.
            wrong = self._db.read_now(self._judged, plan)
        if wrong is not None:
            # A patch set that was to be landed may be there already: as long as no branch has moved, nothing has begun.
            return self._undo(plan, [move for move in moves if self._is_at(move)] if resumed else [], wrong)
        done: list[RefMove] = []
        for move in moves:
            in_place = self._swap(move.project, move.ref, move.old, move.new)
            if not in_place and not (resumed and self._contains(move)):
                return self._undo(plan, done, self._elsewhere(move))
            done.append(move)
        return _Moved(tuple(done))

    def _assumes_wrongly(self, landing: Landing) -> Reason | None:
        """A branch that the tests read and that is elsewhere by now: together with it, this was never tested."""
        for project, branch, commit in landing.assumed:
            if self._repositories.resolve(project, branch_ref(branch)) != commit:
                return self._elsewhere(RefMove(project, branch_ref(branch), commit, commit, project))
        return None

    def _undo(self, plan: Plan, done: list[RefMove], why: Reason) -> _Moved:
        branches = [move for move in done if _is_branch(move)]
        stuck = [move for move in reversed(branches) if not self._move_back(move)]
        landed = [c.commit for c in plan.order.landing.changes if any(_is_branch_of(move, c) for move in stuck)]
        for move in done:
            if move not in branches and move.new not in landed:
                self._move_back(move)
        because = tuple(
            reason("review.landing-stuck", project=move.project, branch=_branch(move), commit=move.new[:10])
            for move in stuck
        )
        return _Moved(tuple(stuck), replace(why, because=(*why.because, *because)))

    def _swap(self, project: str, ref: str, old: str, new: str) -> bool:
        """Compare-and-swap; a lock that somebody holds for a moment is waited for."""
        for _ in range(_LOCK_TRIES):
            if self._repositories.update_ref(project, ref, old, new):
                return True
            if (self._repositories.resolve(project, ref) or ZERO) != old:
                return False
            time.sleep(_LOCK_PAUSE)
        return False

    def _contains(self, move: RefMove) -> bool:
        """Whether the reference has the new commit already, by our own hand before the server died."""
        tip = self._repositories.resolve(move.project, move.ref)
        return tip is not None and self._repositories.is_ancestor(move.project, move.new, tip)

    def _is_at(self, move: RefMove) -> bool:
        return self._repositories.resolve(move.project, move.ref) == move.new != move.old

    def _move_back(self, move: RefMove) -> bool:
        return move.old == move.new or self._swap(move.project, move.ref, move.new, move.old)

    def _elsewhere(self, move: RefMove) -> Reason:
        found = self._repositories.resolve(move.project, move.ref)
        branch = _branch(move)
        if found is None:
            return reason("review.branch-gone", project=move.project, branch=branch)
        return reason(
            "review.branch-moved", project=move.project, branch=branch, found=found[:10], expected=move.old[:10]
        )

    # -- beat 2: rows and journal ----------------------------------------------------------------------

    def _finish(
        self, session: Session, intent: Intent, plan: Plan, outcome: Outcome, uploads: Mapping[int, Upload]
    ) -> Intent:
        now = self._clock.now()
        text = outcome_text(outcome)
        if not close_intent(session, intent.id, text, now):
            return intent_of(session, intent.kind, intent.key) or intent
        landing_rows.write(session, plan, outcome, uploads, self._judge, now)
        if outcome.refused is not None:
            _refuse(session, plan, outcome.refused, now, but=outcome.merged)
        return replace(intent, outcome=text)

    def _answer(self, landing: Landing, intent: Intent) -> Landed | LandRefused:
        outcome = outcome_from(intent)
        if outcome.refused is None:
            return Landed(landing.item)
        tips = {(c.project, c.branch): "" for c in landing.changes}
        tips.update({(project, branch): "" for project, branch, _ in landing.assumed})
        for project, branch in tips:
            tips[project, branch] = self._repositories.resolve(project, branch_ref(branch)) or ZERO
        return LandRefused(landing.item, outcome.refused, tuple((p, b, tip) for (p, b), tip in tips.items()))


def _reviewed(session: Session, wanted: Mapping[int, int]) -> dict[int, PatchSet]:
    """The patch sets that were reviewed."""
    return {number: store.get_patch_set(session, number, patch_set) for number, patch_set in wanted.items()}


def _refuse(session: Session, plan: Plan, why: Reason, at: datetime, but: tuple[int, ...] = ()) -> None:
    for change in plan.order.landing.changes:
        if change.number not in but:
            refused = MergeRefused(change.number, change.patch_set, plan.order.item, why)
            journal.append(session, refused, at)


def _is_branch(move: RefMove) -> bool:
    return not move.ref.startswith("refs/changes/")


def _branch(move: RefMove) -> str:
    return move.ref.removeprefix(_HEADS)


def _is_branch_of(move: RefMove, change: LandingChange) -> bool:
    return move.project == change.project and move.ref == branch_ref(change.branch)
