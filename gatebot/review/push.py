# SPDX-License-Identifier: Apache-2.0
"""Carries a push out: reads the facts, lets the pure modules decide, and does it in beats.

`check` runs while git still keeps the objects in quarantine: all that can refuse, refuses there.
`perform` runs when they are in the repository: intent, references by compare-and-swap, rows and
journal. `settle` finishes what a killed server began. Everything here blocks; callers use a thread.
"""

from __future__ import annotations

import logging
import threading
import uuid
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from ..access import DEFAULT, Rulebook
from ..clock import Clock
from ..db import Database
from ..reasons import reason
from ..repo import ZERO, GitError, Incoming, Repositories
from ..words import say
from . import (
    conversation,
    kinds,
    push_direct,
    push_options,
    push_past_rows,
    push_people,
    push_plan,
    push_rows,
    receive,
    store,
)
from .config.ports import Configs, NoConfigs
from .edits.keeping import Keeping
from .edits.store import Edit
from .intents import open_intents
from .model import Change, Intent, RefMove, branch_ref
from .push_config import ConfigGuard
from .push_facts import Push, Reader, Site
from .push_options import BadOption, Request
from .push_policy import Policies, SamePolicy
from .push_rows import PushOrder, Wishes
from .receive import CommitFacts, Directly, ForReview, Plan, Refusal, Refused, refused

log = logging.getLogger(__name__)
_CLOSES_AT_MOST = 5000  # commits of one direct push that are looked up among the open changes


@dataclass(frozen=True, slots=True)
class Checked:
    """A push that nothing speaks against, with the facts that were read; oldest commit first.

    `rejected` are references that stay as they are while the others move.
    """

    push: Push
    sorted: ForReview | Directly
    commits: tuple[CommitFacts, ...] = ()
    wishes: Wishes = field(default_factory=Wishes)
    rejected: tuple[Refusal, ...] = ()
    request: Request = field(default_factory=Request)
    since: datetime | None = None


@dataclass(frozen=True, slots=True)
class Reviewed:
    """What became of a push for review. `made` are the new changes; the commits `given` have no Change-Id but `ids`.

    `first`: the pusher never had a change here before. `edits`: the commits became his change edits, no patch sets;
    below this address they are published. `outdated` are the votes that changes have lost by it.
    """

    changes: tuple[Change, ...]
    made: frozenset[int]
    warnings: tuple[str, ...]
    given: tuple[CommitFacts, ...] = ()
    ids: tuple[str, ...] = ()
    tip: str = ""
    base: str = ""
    first: bool = False
    edits: str = ""
    outdated: Mapping[int, tuple[str, ...]] = field(default_factory=dict[int, tuple[str, ...]])


@dataclass(frozen=True, slots=True)
class Pushed:
    """What became of a push past review."""

    closed: tuple[Change, ...]
    rejected: Refused = field(default_factory=lambda: Refused(()))


@dataclass(frozen=True, slots=True)
class Most:
    """How much one push may ask for."""

    refs: int = 100
    changes: int = 100


class Receiver:
    """Takes pushes; one for the whole process, so that those of one project follow one another."""

    def __init__(
        self, db: Database, repositories: Repositories, clock: Clock, site: str | Site, rules: Rulebook = DEFAULT,
        most: Most | None = None, policies: Policies | None = None, labels: push_rows.Labels = push_rows.rules_in,
        configs: Configs | None = None,
    ) -> None:  # fmt: skip
        self._db = db
        self._repositories = repositories
        self._clock = clock
        self._most = most or Most()
        self.site = Site(site.rstrip("/")) if isinstance(site, str) else site
        policies = policies or SamePolicy()
        self._reader = Reader(db, repositories, rules, policies, self.site, self.url, self._most.changes, labels)
        self._labels = labels
        self._guard = ConfigGuard(configs or NoConfigs(), rules)
        self._edits = Keeping(db, repositories)
        self._locks: defaultdict[str, threading.Lock] = defaultdict(threading.Lock)

    def url(self, change: Change) -> str:
        """The address of a change's page."""
        return f"{self.site.url}/{change.path}"

    # -- in quarantine: everything that can refuse ------------------------------------------------

    def check(self, push: Push) -> Checked | Refused:
        """Whether the push may go on. Nothing is written."""
        if self._reader.policies.of(push.project).read_only:
            return refused("prohibited by Gerrit: project state does not permit write")
        if (unsigned := self._reader.unsigned(push.project, push.account)) is not None:
            return refused(say(unsigned), self._reader.agreeing)
        since = self._clock.now()
        try:
            request = push_options.parse_request(push.options)
        except BadOption as error:
            return refused(str(error))
        kind = receive.sort(push.commands, push.options, self._most.refs)
        if isinstance(kind, Refused):
            return kind
        incoming = Incoming(self._repositories.path(push.project), push.quarantine)
        if isinstance(kind, Directly):
            found = self._check_direct(push, incoming, kind)
        else:
            found = self._check_review(push, incoming, kind)
        return found if isinstance(found, Refused) else replace(found, request=request, since=since)

    def _check_review(self, push: Push, incoming: Incoming, wanted: ForReview) -> Checked | Refused:
        ref = branch_ref(wanted.branch)
        unborn = ref in (branch_ref(self._repositories.default_branch(push.project)), receive.CONFIG)
        if not unborn and self._reader.target(push.project, wanted.branch) is None:
            short = ref.startswith("refs/heads/")
            hint = reason("review.push-branch")
            return refused(f"branch {wanted.branch} not found" if short else f"{ref} not found", hint)
        if not incoming.is_commit(wanted.command.new):
            return refused("not a commit")
        rights = self._reader.rights(push, ref)
        commits = self._reader.new_commits(push, incoming, wanted) if rights.read else ()
        if isinstance(commits, Refusal):
            return Refused((commits,))
        planned = push_plan.plan(wanted, commits, self._reader.known(push, wanted.branch, commits), rights)
        if isinstance(planned, Refused):
            return planned
        if self._reader.brings_hidden(push, incoming, wanted.command.new):
            return refused("base not found" if wanted.options.base else "invalid object")
        if ref == receive.CONFIG:
            about = (push.actor, push.project, incoming, [commit.id for commit in commits])
            if (refusal := self._guard.for_review(*about)) is not None:
                return Refused((refusal,))
        named = (wanted.options, commits, push.account.id)
        wishes = self._db.read_now(push_people.wishes_in, *named)
        return Refused((wishes,)) if isinstance(wishes, Refusal) else Checked(push, wanted, commits, wishes)

    def _check_direct(self, push: Push, incoming: Incoming, wanted: Directly) -> Checked | Refused:
        """Each reference by itself; what may move, may move although others may not."""
        rejected: list[Refusal] = []
        for command in wanted.commands:
            facts = self._reader.direct(push, incoming, command, skip=wanted.options.skip_validation)
            rights = self._reader.rights(push, command.ref)
            known = self._reader.past_review(push, facts.commits)
            refusal = push_direct.check(command, facts, known, rights)
            if refusal is None and self._reader.brings_hidden(push, incoming, command.new):
                refusal = Refusal("invalid object", ref=command.ref)
            if refusal is None and command.ref == receive.CONFIG:
                refusal = self._guard.past_review(push.actor, push.project, incoming, command.new)
            if refusal is not None:
                rejected.append(refusal)
        if len(rejected) == len(wanted.commands):
            return Refused(tuple(rejected))
        return Checked(push, wanted, rejected=tuple(rejected))

    # -- accepted: the beats ----------------------------------------------------------------------

    def perform(self, checked: Checked, *, atomic: bool = False) -> Reviewed | Pushed | Refused:
        """Do it. What others did since `check` may still refuse it; then nothing is changed.

        `atomic`: all references move, or none does.
        """
        push, request = checked.push, checked.request
        if request.deadline is not None and checked.since is not None:
            limit = timedelta(seconds=request.deadline)
            if self._clock.now() - checked.since > limit:
                millis = round(request.deadline * 1000)
                return refused(f"Client Provided Deadline Exceeded (client.timeout={millis}ms)")
        with self._locks[push.project]:
            match checked.sorted:
                case Directly() if atomic and checked.rejected:
                    named = {one.ref for one in checked.rejected}
                    others = [one.ref for one in push.commands if one.ref not in named]
                    return Refused((*checked.rejected, *(Refusal("transaction aborted", ref=ref) for ref in others)))
                case Directly(commands):
                    named = {one.ref for one in checked.rejected}
                    moving = [command for command in commands if command.ref not in named]
                    return self._perform_direct(checked, moving)
                case ForReview() as wanted:
                    known = self._reader.known(push, wanted.branch, checked.commits)
                    rights = self._reader.rights(push, branch_ref(wanted.branch))
                    planned = push_plan.plan(wanted, checked.commits, known, rights)
                    if isinstance(planned, Refused):
                        return planned
                    if wanted.options.edit:
                        return self._perform_edits(checked, planned)
                    return self._perform_review(checked, wanted, self._with_kinds(push.project, planned))

    def _perform_edits(self, checked: Checked, planned: Plan) -> Reviewed:
        """Each commit becomes the pusher's edit of its change; as in Gerrit, other options do nothing."""
        edited: list[Change] = []
        for step in planned.steps:
            if step.existing is not None:
                change, account = step.existing.change, checked.push.account.id
                edit = Edit(change.number, account, change.current, step.commit.id, self._clock.now())
                self._edits.replace(change, edit)
                edited.append(replace(change, subject=step.commit.subject))
        return Reviewed(tuple(edited), frozenset(), planned.warnings, edits=f"{self.site.url}/a/changes")

    def _perform_review(self, checked: Checked, wanted: ForReview, planned: Plan) -> Reviewed | Refused:
        push, now = checked.push, self._clock.now()
        place = (push.project, push.account.id, wanted.branch)
        wishes = self._by_policy(push.project, checked.wishes)
        intent = self._db.run_now(push_rows.open_review, uuid.uuid4().hex, *place, planned, wishes, now)
        if intent is None:
            return refused("failed to lock", reason("review.push-again"))
        if not self._move(intent.moves):
            self._db.run_now(push_rows.give_up, intent, self._clock.now())
            return refused("internal server error", reason("review.push-again"))
        changes = self._finish_review(intent, push_rows.from_payload(intent.payload))
        made = frozenset(
            change.number for change, step in zip(changes, planned.steps, strict=True) if step.existing is None
        )
        given = [step for step in planned.steps if step.given]
        first = checked.commits[0].parents[:1] if given else ()
        return Reviewed(
            changes, made, planned.warnings, tuple(step.commit for step in given),
            tuple(step.change_id for step in given), wanted.command.new, first[0] if first else "",
            bool(made) and self._db.read_now(push_rows.owns_only, push.account.id, made),
            outdated=self._db.read_now(conversation.outdated, {one.number for one in changes} - made),
        )  # fmt: skip

    def _by_policy(self, project: str, wishes: Wishes) -> Wishes:
        """What a project asks of new changes, where the push says nothing else."""
        policy = self._reader.policies.of(project)
        return replace(wishes, private_new=policy.private, wip_new=policy.work_in_progress)

    def _perform_direct(self, checked: Checked, commands: Sequence[receive.Command]) -> Pushed | Refused:
        push = checked.push
        moves = tuple(RefMove(push.project, one.ref, one.old, one.new, push.project) for one in commands)
        place = (push.project, push.account.id)
        now, arrived = self._clock.now(), self._arrived(moves)
        intent = self._db.run_now(push_past_rows.open_direct, uuid.uuid4().hex, *place, moves, arrived, now)
        if not self._move(intent.moves):
            self._db.run_now(push_rows.give_up, intent, self._clock.now())
            return refused("failed to update ref", reason("review.push-elsewhere"))
        return Pushed(self._finish_direct(intent, moves), Refused(checked.rejected))

    def _arrived(self, moves: Sequence[RefMove]) -> tuple[push_past_rows.Arrived, ...]:
        """The commits that branches get, by branch."""
        found: list[push_past_rows.Arrived] = []
        for move in push_past_rows.heads(moves):
            without = () if move.old == ZERO else (move.old,)
            branch = push_past_rows.branch_of(move.ref) or ""
            commits = self._repositories.log(move.project, move.new, without=without, limit=_CLOSES_AT_MOST)
            found += [push_past_rows.Arrived(branch, commit.id, commit.message) for commit in commits]
        return tuple(found)

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
        return self._db.run_now(push_rows.finish_review, intent, order, uploads, self._labels, self._clock.now())

    def _finish_direct(self, intent: Intent, moved: Sequence[RefMove]) -> tuple[Change, ...]:
        order = push_rows.from_payload(intent.payload)
        uploads = {
            one.commit: store.upload_of(self._repositories.commit(order.project, one.commit), order.account)
            for one in order.closes
            if one.new
        }
        return self._db.run_now(
            push_past_rows.finish_direct, intent, order, tuple(moved), uploads, self._labels, self._clock.now()
        )

    def _with_kinds(self, project: str, planned: Plan) -> Plan:
        """Find out what patch sets are to those before them: votes are kept by that."""
        if all(step.existing is None for step in planned.steps):
            return planned
        rules = self._db.read_now(self._labels, project)
        return kinds.with_kinds(self._repositories, project, planned, rules)

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
