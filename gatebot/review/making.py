# SPDX-License-Identifier: Apache-2.0
"""Changes and patch sets that the server makes itself: reverts, cherry-picks, rebases.

In beats, as pushes are: an intent with the numbers; the objects and the references of patch sets, by
compare-and-swap; rows and journal, intent closed. `settle` finishes what a killed server began. Everything here blocks.
"""

from __future__ import annotations

import logging
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import msgspec

from .. import journal
from ..clock import Clock
from ..db import Database, Session
from ..errors import Conflict, GatebotError
from ..events import ReviewerAdded, WorkInProgressChanged
from ..reasons import reason
from ..repo import ZERO, Repositories
from . import conversation, landing_rows, store
from .intents import allocate_changes, close_intent, open_intent, open_intents
from .judging import Judge
from .mail import store as mail
from .mail.model import NO_WISH, Wish
from .model import Change, Intent, Kind, RefMove, ReviewerState, Upload, change_ref

KIND = "make"
SCRATCH = "making"
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Wanted:
    """A commit that becomes a patch set: of change `number`, or of a new change where that is 0.

    `store` has the commit; `says` is the message of the patch set, without `Patch Set N: `. `told` is a message on
    another change, (change, text, tag).
    """

    project: str
    branch: str
    change_id: str
    commit: str
    store: str
    number: int = 0
    on: int = 0
    kind: Kind = Kind.REWORK
    unchanged_files: bool = False
    says: str = ""
    description: str = ""
    topic: str = ""
    work_in_progress: bool = False
    private: bool = False
    reviewers: tuple[int, ...] = ()
    cc: tuple[int, ...] = ()
    told: tuple[int, str, str] | None = None
    revert_of: int | None = None
    cherry_pick_of: tuple[int, int] | None = None
    wish: Wish = NO_WISH

    @property
    def patch_set(self) -> int:
        """Its number: the one behind `on`, which is the current one."""
        return self.on + 1


@dataclass(frozen=True, slots=True)
class _Order:
    account: int
    wanted: tuple[Wanted, ...]


class Maker:
    """Makes changes and patch sets."""

    def __init__(self, db: Database, repositories: Repositories, judge: Judge, clock: Clock) -> None:
        self._db = db
        self._repositories = repositories
        self._judge = judge
        self._clock = clock

    def scratch(self, project: str) -> str:
        """A store where commits of a project can be made before anybody may see them."""
        return self._repositories.speculation(SCRATCH, (project,)).store

    def make(self, account: int, wanted: Sequence[Wanted]) -> tuple[Change, ...]:
        """Make all of these, or none; the changes as they are then."""
        intent = self._db.run_now(self._open, _Order(account, tuple(wanted)))
        if not self._move(intent.moves):
            self._db.run_now(self._give_up, intent)
            raise Conflict(reason=reason("review.patch-set-meanwhile"))
        made = self._finish(intent)
        if not made:
            raise Conflict(reason=reason("review.patch-set-meanwhile"))
        return made

    def settle(self) -> int:
        """Finish what was begun when the server died: what can still be made is made."""
        begun = self._db.read_now(open_intents, KIND)
        for intent in begun:
            if self._move(intent.moves):
                self._finish(intent)
            else:
                self._db.run_now(self._give_up, intent)
        return len(begun)

    def _open(self, session: Session, order: _Order) -> Intent:
        """Beat 0: numbers for what is new; refused when somebody was faster."""
        landing = landing_rows.being_landed(session)
        wanted: list[Wanted] = []
        for one in order.wanted:
            if one.number == 0:
                _require_new(session, one)
                wanted.append(replace(one, number=allocate_changes(session)))
                continue
            change = store.get_change(session, one.number)
            if change.current != one.on or change.number in landing or not change.is_open:
                raise Conflict(reason=reason("review.patch-set-meanwhile"))
            wanted.append(one)
        moves = tuple(
            RefMove(one.project, change_ref(one.number, one.patch_set), ZERO, one.commit, one.store) for one in wanted
        )
        payload = msgspec.json.encode(_Order(order.account, tuple(wanted))).decode()
        return open_intent(session, KIND, uuid.uuid4().hex, moves, payload, self._clock.now())

    def _move(self, moves: tuple[RefMove, ...]) -> bool:
        """Beat 1: every object and reference, or no reference."""
        done: list[RefMove] = []
        for move in moves:
            if not self._moved(move):
                for back in reversed(done):
                    self._repositories.update_ref(back.project, back.ref, back.new, back.old)
                return False
            done.append(move)
        return True

    def _moved(self, move: RefMove) -> bool:
        """Whether a reference is where it shall be; one that a killed server moved already is."""
        try:
            if self._repositories.resolve(move.project, move.ref) == move.new:
                return True
            self._repositories.copy_objects(move.store, move.new, move.project)
            return self._repositories.update_ref(move.project, move.ref, move.old, move.new)
        except GatebotError:
            log.exception("making %s of %s", move.ref, move.project)
            return False

    def _give_up(self, session: Session, intent: Intent) -> None:
        close_intent(session, intent.id, '{"done":false}', self._clock.now())

    def _finish(self, intent: Intent) -> tuple[Change, ...]:
        order = msgspec.json.decode(intent.payload, type=_Order)
        uploads = {
            one.commit: store.upload_of(
                self._repositories.commit(one.project, one.commit), order.account, one.description
            )
            for one in order.wanted
        }
        return self._db.run_now(self._write, intent, order, uploads)

    def _write(
        self, session: Session, intent: Intent, order: _Order, uploads: Mapping[str, Upload]
    ) -> tuple[Change, ...]:
        """Beat 2: rows and journal. Nothing where a push took the Change-Id of a new change meanwhile."""
        now = self._clock.now()
        if any(one.on == 0 and _taken(session, one) for one in order.wanted):
            self._give_up(session, intent)
            return ()
        if not close_intent(session, intent.id, '{"done":true}', now):
            return ()
        return tuple(self._write_one(session, order.account, one, uploads[one.commit]) for one in order.wanted)

    def _write_one(self, session: Session, account: int, one: Wanted, upload: Upload) -> Change:
        now = self._clock.now()
        # What names its patch set itself is told as it is.
        says = (
            one.says
            if one.says.startswith("Uploaded patch set ") or not one.says
            else f"Patch Set {one.patch_set}: {one.says}"
        )
        mail.wished(session, one.number, account, one.wish, now)
        if one.on == 0:
            new = store.NewChange(
                one.number, one.project, one.branch, one.change_id, one.topic, (), one.work_in_progress, one.private,
                one.revert_of, one.cherry_pick_of,
            )  # fmt: skip
            change = store.create_change(session, new, upload, now, says=says)
        else:
            rules = self._judge.rules(session, one.project)
            change = store.add_patch_set(
                session, one.number, upload, one.kind, rules, now, unchanged_files=one.unchanged_files, says=says
            )
            if one.topic and one.topic != change.topic:
                change = store.update_change(session, one.number, now, topic=one.topic)
            if one.cherry_pick_of is not None:
                change = store.set_cherry_pick_of(session, one.number, one.cherry_pick_of, now)
            if one.work_in_progress and not change.work_in_progress:
                change = store.update_change(session, one.number, now, work_in_progress=True)
                journal.append(session, WorkInProgressChanged(one.number, True, account), now)
        asked = [(who, ReviewerState.REVIEWER) for who in one.reviewers] + [(who, ReviewerState.CC) for who in one.cc]
        for who, state in asked:
            if who != change.owner and conversation.set_reviewer(session, change.number, who, state, now, by=account):
                journal.append(session, ReviewerAdded(change.number, who, account), now)
        if one.told is not None:
            number, text, tag = one.told
            other = store.get_change(session, number)
            # After the change of which it tells, so that lists show this one first, as Gerrit's do.
            conversation.add_message(session, number, other.current, account, text, self._clock.now(), tag=tag)
        return store.get_change(session, change.number)


def _taken(session: Session, one: Wanted) -> Change | None:
    """The change that has the Change-Id of a new one: there is one for a branch."""
    return next(iter(store.find_by_id(session, one.change_id, one.project, one.branch)), None)


def _require_new(session: Session, one: Wanted) -> None:
    other = _taken(session, one)
    if other is not None:
        about = {
            "id": one.change_id,
            "change": other.number,
            "branch": one.branch,
            "status": other.status.value.lower(),
        }
        raise Conflict(reason=reason("review.change-id-taken", **about))
