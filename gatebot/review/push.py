# SPDX-License-Identifier: Apache-2.0
"""Carries a push out: reads the facts, lets `receive.py` decide, and does it in beats.

`check` runs while git still keeps the objects in quarantine: all that can refuse, refuses there.
`perform` runs when they are in the repository: intent, references by compare-and-swap, rows and
journal. `settle` finishes what a killed server began. Everything here blocks; callers use a thread.
"""

from __future__ import annotations

import logging
import threading
import uuid
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from ..access import DEFAULT, Actor, Rulebook
from ..clock import Clock
from ..db import Database
from ..identity import Account
from ..identity.store import email_in, username_in
from ..reasons import reason
from ..repo import ZERO, CommitInfo, GitError, Incoming, MergedTree, Repositories
from . import change_id, push_rights, push_rows, receive, store
from .intents import open_intents
from .model import Change, Intent, Kind, RefMove
from .push_rows import PushOrder, Wishes
from .receive import Command, CommitFacts, Directly, Existing, ForReview, Known, Plan, Refusal, Refused, Rights

log = logging.getLogger(__name__)
_HEADS = "refs/heads/"
_CLOSES_AT_MOST = 5000  # commits of one direct push that are looked up among the open changes


@dataclass(frozen=True, slots=True)
class Push:
    """One push as git's first hook tells it."""

    project: str
    account: Account
    commands: tuple[Command, ...]
    options: tuple[str, ...]
    quarantine: str

    @property
    def actor(self) -> Actor:
        """The pusher as rules see him."""
        return Actor(self.account.id, self.account.groups, self.account.username)


@dataclass(frozen=True, slots=True)
class Checked:
    """A push that nothing speaks against, with the facts that were read; oldest commit first."""

    push: Push
    sorted: ForReview | Directly
    commits: tuple[CommitFacts, ...] = ()
    wishes: Wishes = field(default_factory=Wishes)


@dataclass(frozen=True, slots=True)
class Reviewed:
    """What became of a push for review. `made` are changes that are new."""

    changes: tuple[Change, ...]
    made: frozenset[int]
    refs: tuple[str, ...]
    warnings: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Pushed:
    """What became of a push past review."""

    closed: tuple[Change, ...]


@dataclass(frozen=True, slots=True)
class Most:
    """How much one push may ask for."""

    refs: int = 100
    changes: int = 100


class Receiver:
    """Takes pushes; one for the whole process, so that those of one project follow one another."""

    def __init__(
        self, db: Database, repositories: Repositories, clock: Clock, site: str, rules: Rulebook = DEFAULT,
        most: Most | None = None,
    ) -> None:  # fmt: skip
        self._db = db
        self._repositories = repositories
        self._rules = rules
        self._clock = clock
        self._site = site.rstrip("/")
        self._most = most or Most()
        self._locks: defaultdict[str, threading.Lock] = defaultdict(threading.Lock)

    def url(self, change: Change) -> str:
        """The address of a change's page."""
        return f"{self._site}/{change.path}"

    # -- in quarantine: everything that can refuse ------------------------------------------------

    def check(self, push: Push) -> Checked | Refused:
        """Whether the push may go on. Nothing is written."""
        kind = receive.sort(push.commands, push.options, self._most.refs)
        incoming = Incoming(self._repositories.path(push.project), push.quarantine)
        match kind:
            case Refused():
                return kind
            case Directly(commands):
                refusals = [found for command in commands if (found := self._check_direct(push, incoming, command))]
                return Refused(tuple(refusals)) if refusals else Checked(push, kind)
            case ForReview():
                return self._check_review(push, incoming, kind)

    def _check_review(self, push: Push, incoming: Incoming, wanted: ForReview) -> Checked | Refused:
        branches = self._repositories.branches(push.project)
        target = branches.get(wanted.branch)
        if target is None and self._repositories.default_branch(push.project) != wanted.branch:
            return receive.refused(f"branch {wanted.branch} not found", reason("review.push-branch"))
        if not incoming.is_commit(wanted.command.new):
            return receive.refused("not a commit")
        rights = self._rights(push, wanted)
        found = incoming.log(wanted.command.new, without=tuple(branches.values()), limit=rights.max_commits + 1)
        commits = tuple(_facts(info) for info in reversed(found))
        broken = _ancestry(incoming, commits, target)
        if broken is not None:
            return Refused((broken,))
        wishes = self._wishes(wanted)
        if isinstance(wishes, Refusal):
            return Refused((wishes,))
        planned = receive.plan(wanted, commits, self._known(push, wanted, commits), rights)
        return planned if isinstance(planned, Refused) else Checked(push, wanted, commits, wishes)

    def _check_direct(self, push: Push, incoming: Incoming, command: Command) -> Refusal | None:
        what = "create" if command.old == ZERO else "delete" if command.new == ZERO else "update"
        is_branch = command.ref.startswith(_HEADS)
        if what != "delete" and is_branch and not incoming.is_commit(command.new):
            return Refusal("not a commit")
        forced = what == "update" and not (is_branch and incoming.is_ancestor(command.old, command.new))
        return receive.check_direct(
            command,
            allowed=push_rights.directly(push.actor, push.project, command.ref, what, self._rules),
            forced=forced,
            may_force=push_rights.directly(push.actor, push.project, command.ref, "force", self._rules),
            default=self._repositories.default_branch(push.project),
        )

    def _rights(self, push: Push, wanted: ForReview) -> Rights:
        labels = self._db.read_now(push_rows.rules_in, push.project)
        place = (push.project, wanted.branch)
        rights = push_rights.for_review(push.actor, push.account.email, *place, self._rules, labels)
        return replace(rights, hook_url=f"{self._site}/tools/hooks/commit-msg", max_commits=self._most.changes)

    def _wishes(self, wanted: ForReview) -> Wishes | Refusal:
        """The options with people as account ids."""
        options = wanted.options
        ids: dict[str, int] = {}
        for name in (*options.reviewers, *options.cc):
            account = self._db.read_now(email_in, name) if "@" in name else self._db.read_now(username_in, name)
            if account is None:
                return Refusal(f"{name} is not a registered user", reason("review.push-reviewer", name=name))
            ids[name] = account.id
        return Wishes(
            topic=options.topic,
            hashtags=options.hashtags,
            reviewers=tuple(ids[name] for name in options.reviewers),
            cc=tuple(ids[name] for name in options.cc),
            labels=options.labels,
            message=options.message,
            wip=options.wip,
            private=options.private,
        )

    def _known(self, push: Push, wanted: ForReview, commits: Sequence[CommitFacts]) -> Known:
        names = [found for commit in commits if isinstance(found := change_id.read(commit.message), str)]
        by_id = self._db.read_now(push_rows.known_by_id, push.project, wanted.branch, names)
        by_commit = self._db.read_now(push_rows.known_by_commit, push.project, [commit.id for commit in commits])

        def existing(change: Change, current: str) -> Existing:
            return Existing(change, _facts(self._repositories.commit(push.project, current)), self.url(change))

        return Known(
            {name: [existing(*pair) for pair in found] for name, found in by_id.items()},
            {commit: existing(*pair) for commit, pair in by_commit.items()},
            self._foreign(push, commits),
        )

    def _foreign(self, push: Push, commits: Sequence[CommitFacts]) -> frozenset[str]:
        """The committers' addresses that belong to somebody else."""
        used = {commit.committer_email.lower() for commit in commits} - {push.account.email.lower()}
        owners = {email: self._db.read_now(email_in, email) for email in used}
        return frozenset(email for email, owner in owners.items() if owner is not None)

    # -- accepted: the beats ----------------------------------------------------------------------

    def perform(self, checked: Checked) -> Reviewed | Pushed | Refused:
        """Do it. What others did since `check` may still refuse it; then nothing is changed."""
        push = checked.push
        with self._locks[push.project]:
            match checked.sorted:
                case Directly(commands):
                    return self._perform_direct(push, commands)
                case ForReview() as wanted:
                    known = self._known(push, wanted, checked.commits)
                    planned = receive.plan(wanted, checked.commits, known, self._rights(push, wanted))
                    if isinstance(planned, Refused):
                        return planned
                    return self._perform_review(checked, wanted, self._with_rebases(push.project, planned))

    def _perform_review(self, checked: Checked, wanted: ForReview, planned: Plan) -> Reviewed | Refused:
        push, now = checked.push, self._clock.now()
        place = (push.project, push.account.id, wanted.branch)
        intent = self._db.run_now(push_rows.open_review, uuid.uuid4().hex, *place, planned, checked.wishes, now)
        if intent is None:
            return receive.refused("failed to lock", reason("review.push-again"))
        if not self._move(intent.moves):
            self._db.run_now(push_rows.give_up, intent, self._clock.now())
            return receive.refused("internal server error", reason("review.push-again"))
        changes = self._finish_review(intent, push_rows.from_payload(intent.payload))
        made = frozenset(
            change.number for change, step in zip(changes, planned.steps, strict=True) if step.existing is None
        )
        return Reviewed(changes, made, tuple(move.ref for move in intent.moves), planned.warnings)

    def _perform_direct(self, push: Push, commands: tuple[Command, ...]) -> Pushed | Refused:
        moves = tuple(RefMove(push.project, one.ref, one.old, one.new, push.project) for one in commands)
        place = (push.project, push.account.id)
        intent = self._db.run_now(push_rows.open_direct, uuid.uuid4().hex, *place, moves, self._clock.now())
        if not self._move(moves):
            self._db.run_now(push_rows.give_up, intent, self._clock.now())
            return receive.refused("failed to update ref", reason("review.push-elsewhere"))
        return Pushed(self._finish_direct(intent, moves))

    def _move(self, moves: tuple[RefMove, ...]) -> bool:
        """Move every reference, or none."""
        done: list[RefMove] = []
        for move in moves:
            try:
                moved = self._repositories.update_ref(move.project, move.ref, move.old, move.new)
            except GitError:
                log.exception("push: %s of %s", move.ref, move.project)
                moved = False
            if not moved:
                for back in reversed(done):
                    self._repositories.update_ref(back.project, back.ref, back.new, back.old)
                return False
            done.append(move)
        return True

    def _finish_review(self, intent: Intent, order: PushOrder) -> tuple[Change, ...]:
        uploads = {
            entry.commit: store.upload_of(
                self._repositories.commit(order.project, entry.commit), order.account, order.wishes.message
            )
            for entry in order.entries
        }
        return self._db.run_now(push_rows.finish_review, intent, order, uploads, self._clock.now())

    def _finish_direct(self, intent: Intent, moved: Sequence[RefMove]) -> tuple[Change, ...]:
        order = push_rows.from_payload(intent.payload)
        merged: list[str] = []
        for move in moved:
            if move.ref.startswith(_HEADS) and ZERO not in (move.old, move.new):
                new = self._repositories.log(move.project, move.new, without=(move.old,), limit=_CLOSES_AT_MOST)
                merged += [commit.id for commit in new]
        return self._db.run_now(push_rows.finish_direct, intent, order, tuple(moved), merged, self._clock.now())

    def _with_rebases(self, project: str, planned: Plan) -> Plan:
        """Find the patch sets that are the one before on another parent: votes are kept on them."""
        steps = tuple(
            replace(step, kind=self._rebase_kind(project, step.existing.current, step.commit))
            if step.existing is not None and step.kind is Kind.REWORK
            else step
            for step in planned.steps
        )
        return replace(planned, steps=steps)

    def _rebase_kind(self, project: str, prior: CommitFacts, new: CommitFacts) -> Kind:
        if prior.parents == new.parents or len(prior.parents) != 1 or len(new.parents) != 1:
            return Kind.REWORK
        scratch = self._repositories.speculation("receive", (project,)).store
        picked = self._repositories.pick(scratch, prior.id, new.parents[0])
        if not isinstance(picked, MergedTree) or picked.tree != new.tree:
            return Kind.REWORK
        same = prior.message == new.message
        return Kind.TRIVIAL_REBASE if same else Kind.TRIVIAL_REBASE_WITH_MESSAGE_UPDATE

    # -- start-up ---------------------------------------------------------------------------------

    def settle(self) -> int:
        """Finish the pushes that were begun when the server died; how many.

        What was accepted is completed: references that have not moved are moved now if they are where they were.
        """
        begun = self._db.read_now(open_intents, push_rows.KIND)
        for intent in begun:
            order = push_rows.from_payload(intent.payload)
            moved = [move for move in intent.moves if self._moved(move)]
            if order.entries and len(moved) == len(intent.moves):
                self._finish_review(intent, order)
            elif moved and not order.entries:
                self._finish_direct(intent, moved)
            else:
                self._db.run_now(push_rows.give_up, intent, self._clock.now())
        return len(begun)

    def _moved(self, move: RefMove) -> bool:
        here = self._repositories.resolve(move.project, move.ref) or ZERO
        return here == move.new or self._repositories.update_ref(move.project, move.ref, move.old, move.new)


def _facts(info: CommitInfo) -> CommitFacts:
    return CommitFacts(
        info.id,
        info.tree,
        info.parents,
        info.subject,
        info.message,
        info.author.name,
        info.author.email,
        info.committer.email,
    )


def _ancestry(incoming: Incoming, commits: Sequence[CommitFacts], target: str | None) -> Refusal | None:
    """Whether the new commits grow on the branch that they are for."""
    if target is None:
        return None
    new = {commit.id for commit in commits}
    for commit in commits:
        if not commit.parents:
            return Refusal("no common ancestry", reason("review.push-unrelated"), commit.id)
        if len(commit.parents) == 1 and commit.parents[0] not in new:
            base = commit.parents[0]
            if base != target and not incoming.is_ancestor(base, target):
                return Refusal("implicit merges detected", reason("review.push-implicit-merge"), commit.id)
    return None
