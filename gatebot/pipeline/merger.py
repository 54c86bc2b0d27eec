# SPDX-License-Identifier: Apache-2.0
"""Prepares items: merges each once on its base, and freezes the jobs that it runs there.

Blocking: git and configuration; called on a thread, one batch of a queue at a time. The same order gives the
same commits, because nothing in them depends on when they are made. Nothing is decided here: a preparation on a base
that is not wanted any more is found out by the plan.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType

from ..assignment import FrozenJob
from ..errors import GatebotError
from ..reasons import Reason, reason
from ..repo import ZERO, MergeConflict, NotFastForward, Person, Repositories, missing_parent
from .accepting.model import Accepted, standing
from .broken import configuration_broken
from .config.freeze import freeze
from .config.layout import Layout
from .config.loader import Proposed
from .config.model import FrozenGraph, Moment
from .layouts import Layouts
from .merge_modes import contradiction
from .naming import full_ref
from .queue.facts import PrepareAsked, Prepared, PrepareFailed
from .queue.model import Item, ItemChange, ItemRef, Preparation, Queue, place
from .queue.sharing import plan_jobs
from .vault import Vault
from .workspace import wanted


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of an order, with the jobs in full."""

    fact: Prepared | PrepareFailed
    jobs: tuple[FrozenJob, ...] = ()


class _Broken(Exception):
    """The item cannot be prepared on this base."""

    def __init__(self, why: Reason, moment: Moment = Moment.MERGE_CONFLICT) -> None:
        super().__init__(why.kind)
        self.reason = why
        self.moment = moment


@dataclass(slots=True)
class _Work:
    """One item on its base, while it is prepared."""

    item: Item
    base: dict[str, str]
    state: dict[str, str]
    trees: dict[str, str] = field(default_factory=dict[str, str])
    pins: dict[str, str] = field(default_factory=dict[str, str])
    pinned: dict[str, str] = field(default_factory=dict[str, str])
    commits: list[str] = field(default_factory=list[str])
    tolerated: tuple[Reason, ...] = ()
    ahead: tuple[Item, ...] = ()

    def numbers(self) -> tuple[int, ...]:
        return tuple([change.number for item in self.ahead for change in item.changes])


@dataclass(frozen=True, slots=True)
class _Given:
    """What an attempt of an item was answered: its preparation, what it was asked on, the tips read for it."""

    attempt: int
    preparation: Preparation
    onto: str
    pins: Mapping[str, str]


class Merger:
    """`email` is what merge commits carry as their committer's."""

    def __init__(
        self,
        repositories: Repositories,
        layouts: Layouts,
        email: str = "gatebot@localhost",
        vault: Vault | None = None,
    ) -> None:
        self.repositories = repositories
        self._layouts = layouts
        self._email = email
        self.vault = vault or Vault()
        self._stores: dict[tuple[str, str], str] = {}
        self._given: dict[str, dict[str, _Given]] = {}

    def prepare(
        self, queue: Queue, orders: Sequence[PrepareAsked], accepted: Mapping[str, Accepted] = MappingProxyType({})
    ) -> list[Answer]:
        """Carry out orders of one queue, in order: later ones stand on what earlier ones gave.

        `accepted` are errors of the tenant's configuration that stop nobody.
        """
        # What was answered may not be in the queue yet when the next batch comes.
        fresh = {
            item: given
            for item, given in self._given.pop(queue.id, {}).items()
            if item in queue.items and queue.items[item].attempt == given.attempt and not queue.items[item].prepared
        }
        batch = _Batch(self, queue, fresh, accepted)
        answers = batch.carry_out(orders)
        self._given[queue.id] = batch.given
        return answers

    def tip(self, project: str, branch: str) -> str | None:
        """The commit of a branch, or of a tag by its full name; None: there is none."""
        if not self.repositories.exists(project):
            return None
        found = self.repositories.resolve(project, full_ref(branch))
        return self.commit(project, found) if found and branch.startswith("refs/") else found

    def commit(self, project: str, id: str) -> str:
        """The commit that an id stands for: of an annotated tag, what it is on."""
        return self.repositories.commit(project, id).id

    def containing(self, project: str, id: str) -> tuple[str, ...]:
        """The branches that a commit, or a tagged one, is part of."""
        try:
            commit, branches = self.commit(project, id), self.repositories.branches(project)
        except GatebotError:
            return ()  # it is gone, or a tag of something else
        return tuple(name for name in branches if self.repositories.is_ancestor(project, commit, branches[name]))

    def read_of(self, subject: ItemChange | ItemRef) -> str:
        """The branch or tag that jobs find of their item: the default branch where it is about a deletion."""
        gone = isinstance(subject, ItemRef) and subject.gone
        return self.repositories.default_branch(subject.project) if gone else subject.branch

    def choose(self, project: str, names: Iterable[str]) -> str | None:
        """The first of these branches, and tags by their full names, that the project has, else its default branch."""
        if not self.repositories.exists(project):
            return None
        there = (name for name in names if name and self.tip(project, name) is not None)
        return next(there, None) or self.repositories.default_branch(project)

    def merge(self, queue: Queue, change: ItemChange, onto: str, person_time: int) -> tuple[str, str]:
        """The commit that lands when a change goes onto `onto`, and its tree."""
        store = self.store(queue, change.project)
        person = Person("gatebot", self._email, person_time)
        if queue.policy.lands:
            self._check_parents(store, change, onto)
        made = self.repositories.final_commit(
            store,
            change.submit_type,
            change.commit,
            onto,
            branch=change.branch,
            committer=person,
            into=change.branch != self.repositories.default_branch(change.project),
            footers=change.footers,
        )
        match made:
            case MergeConflict(paths=paths):
                told = ", ".join(paths[:3]) + (" ..." if len(paths) > 3 else "")
                raise _Broken(reason("pipeline.merge-conflict", paths=told, branch=change.branch))
            case NotFastForward():
                raise _Broken(reason("pipeline.not-fast-forward", branch=change.branch))
            case _:
                return made.commit, made.tree

    def _check_parents(self, store: str, change: ItemChange, onto: str) -> None:
        """A merge brings all that a change stands on: that must be there already, or come from another branch."""

        def elsewhere() -> Iterable[str]:
            # Of a mirrored project also those of its own site: it may have made a merge anew that was tested here.
            theirs = self.repositories.references(change.project, "refs/gerrit/heads/").values()
            return (*self.repositories.branches(change.project).values(), *theirs)

        missing = missing_parent(self.repositories, store, change.submit_type, change.commit, onto, elsewhere)
        if missing is not None:
            raise _Broken(reason("pipeline.parent-not-merged", commit=missing[:12], branch=change.branch))

    def store(self, queue: Queue, project: str) -> str:
        """The queue's store, able to read the project's objects."""
        key = (speculation(queue), project)
        if key not in self._stores:
            self._stores[key] = self.repositories.speculation(key[0], [project]).store
        return self._stores[key]

    def layout(self, queue: Queue, work: _Work) -> tuple[Layout, Layout | None]:
        """The layout of an item, and the one without its own change where that differs."""
        current = self._layouts.current(queue.tenant)
        if current is None:
            raise _Broken(reason("pipeline.no-tenant", tenant=queue.tenant), Moment.CONFIG_ERROR)
        before = [change for item in work.ahead for change in self._layouts.configuring(current, item)]
        own = self._layouts.configuring(current, work.item)
        if not own and not work.item.live:
            return current, None  # nobody asks for the jobs of what stands in
        previous = self._layouts.propose(current, self._proposed(queue, work, before)).layout
        if not own:
            return previous, None
        proposal = self._layouts.propose(current, self._proposed(queue, work, [*before, *own]))
        if proposal.errors and current.tenant.fail_closed:
            raise _Broken(configuration_broken(proposal.errors), Moment.CONFIG_ERROR)
        return proposal.layout, previous

    def _proposed(self, queue: Queue, work: _Work, changes: Sequence[ItemChange]) -> list[Proposed]:
        found = {change.place: change for change in changes}
        return [
            Proposed(one.project, one.branch, self.store(queue, one.project), work.state[at])
            for at, one in found.items()
            if at in work.state
        ]


class _Batch:
    """The orders of one queue; `given` is what the queue does not know yet, of this batch and those before."""

    def __init__(
        self, merger: Merger, queue: Queue, given: dict[str, _Given], accepted: Mapping[str, Accepted]
    ) -> None:
        self._accepted = accepted
        self._merger = merger
        self._queue = queue
        self.given = given
        self._present = {change.number: item for item in queue.items.values() for change in item.changes}
        self._tips = dict(queue.tips)
        for earlier in given.values():
            self._tips = {**earlier.pins, **self._tips}

    def carry_out(self, orders: Sequence[PrepareAsked]) -> list[Answer]:
        answers: list[Answer] = []
        for order in orders:
            item = self._queue.items.get(order.item)
            if item is None or item.attempt != order.attempt or item.prepared is not None:
                continue
            answer = self._prepare(item, order)
            answers.append(answer)
            fact = answer.fact
            broken = fact.reason if isinstance(fact, PrepareFailed) else None
            state: Mapping[str, str] = fact.state if isinstance(fact, Prepared) else {}
            made = Preparation(fact.base, state, ahead=fact.ahead, broken=broken)
            self.given[item.id] = _Given(item.attempt, made, order.onto, fact.pins)
        return answers

    def _prepare(self, item: Item, order: PrepareAsked) -> Answer:
        work = self._begin(item, order.onto)
        try:
            return self._finish(work)
        except _Broken as broken:
            why, moment = broken.reason, broken.moment
        except GatebotError as error:
            why, moment = reason("pipeline.cannot-prepare", text=str(error)), Moment.MERGE_CONFLICT
        fact = PrepareFailed(
            self._queue.id, item.id, item.attempt, work.base, why, work.pins, moment, ahead=work.numbers()
        )
        return Answer(fact)

    def _begin(self, item: Item, onto: str) -> _Work:
        """The base: what the nearest item ahead that could be prepared leaves; else the tips alone."""
        state: dict[str, str] = {}
        ahead: list[Item] = []
        found = self._standing(onto)
        if found is not None:
            under, prepared = found
            named = [self._present[number] for number in prepared.ahead if number in self._present]
            ahead = list({other.id: other for other in (*named, under)}.values())  # a cycle is named by each change
            # What is at the tip by now need not be carried along.
            state = {at: commit for at, commit in prepared.state.items() if self._tips.get(at) != commit}
        return _Work(item, dict(state), state, ahead=tuple(ahead))

    def _standing(self, onto: str) -> tuple[Item, Preparation] | None:
        while onto in self._queue.items:
            item = self._queue.items[onto]
            given = self.given.get(onto)
            prepared, below = (given.preparation, given.onto) if given else (item.prepared, item.onto)
            if prepared is not None and prepared.broken is None:
                return item, prepared
            onto = below
        return None

    def _finish(self, work: _Work) -> Answer:
        for change in work.item.changes:
            self._place(work, change.project, change.branch)
            if not change.merged:
                # Changes of a cycle may meet in one place: each goes onto the one before.
                onto, when = work.state[change.place], int(work.item.enqueued.timestamp())
                commit, tree = self._merger.merge(self._queue, change, onto, when)
                work.state[change.place], work.trees[change.place] = commit, tree
            work.commits.append(work.state[change.place])
        if work.item.ref is not None:
            self._ref(work, work.item.ref)
        graphs = self._graphs(work) if work.item.live else self._stand_in(work)
        fact = Prepared(
            self._queue.id,
            work.item.id,
            work.item.attempt,
            work.base,
            work.state,
            work.pins,
            work.pinned,
            work.trees,
            plan_jobs(work.item, [graph.jobs for graph in graphs]),
            work.numbers(),
            any(graph.fail_fast for graph in graphs),
            tuple(work.commits),
            work.tolerated,
        )
        return Answer(fact, tuple(job for graph in graphs for job in graph.jobs))

    def _place(self, work: _Work, project: str, branch: str) -> str:
        """The commit of a branch in the base; read once and pinned where the queue does not know it."""
        at = place(project, branch)
        if at not in work.base:
            tip = self._tips.get(at)
            if tip is None or tip == ZERO:  # it was deleted, and may be there again
                tip = self._merger.tip(project, branch)
                if tip is None:
                    raise _Broken(reason("pipeline.no-branch", project=project, branch=branch))
                self._tips[at] = work.pins[at] = tip
            work.base[at] = tip
            work.state.setdefault(at, tip)
        return work.base[at]

    def _ref(self, work: _Work, ref: ItemRef) -> None:
        """An item that is a branch or a tag: at the commit of its event, else where it is; nowhere when it is gone."""
        if not ref.gone:
            at, project = place(ref.project, ref.branch), ref.project
            commit = self._merger.commit(project, ref.new) if ref.new else self._place(work, project, ref.branch)
            work.base[at] = work.state[at] = commit

    def _graphs(self, work: _Work) -> list[FrozenGraph]:
        """What each change of the item runs, or its branch, on the layout of all of them together."""
        layout, previous = self._merger.layout(self._queue, work)
        for change in work.item.changes if self._queue.policy.lands else ():
            wrong = contradiction(change.project, layout.merge_mode(change.project), change.submit_type)
            if wrong is not None:
                raise _Broken(wrong, Moment.CONFIG_ERROR)
        subjects = _subjects(work.item)
        graphs = [
            freeze(
                layout,
                self._queue.pipeline,
                one.project,
                one.branch,
                files=_files(one),
                previous=previous,
                parameters=one.parameters if isinstance(one, ItemRef) else None,
                containing=one.containing if isinstance(one, ItemRef) else (),
            )
            for one in subjects
        ]
        errors = [
            error for graph in graphs for error in (*graph.errors, *self._merger.vault.unusable(layout, graph.jobs))
        ]
        left, work.tolerated = standing(errors, self._accepted)
        if left:
            raise _Broken(configuration_broken(left), Moment.CONFIG_ERROR)
        for one, graph in zip(subjects, graphs, strict=True):
            for job in graph.jobs:
                self._pin(work, layout, one, job)
        return graphs

    def _stand_in(self, work: _Work) -> list[FrozenGraph]:
        """What stands in runs nothing; but those that stand on it would use its configuration: that must be sound."""
        self._merger.layout(self._queue, work)
        return []

    def _pin(self, work: _Work, layout: Layout, subject: ItemChange | ItemRef, job: FrozenJob) -> None:
        """Fix every commit that the job reads: those of the queue belong to the base, others only to this buildset."""
        own = layout.queue(subject.project, subject.branch)[0]
        for one in wanted(job, subject.project, self._merger.read_of(subject), self._merger.choose):
            at = place(one.project, one.branch)
            shared = self._queue.policy.lands and layout.queue(one.project, one.branch)[0] == own
            if shared and not one.merged and not one.branch.startswith("refs/"):  # no change moves a tag
                self._place(work, one.project, one.branch)
            elif at not in work.pinned and (one.merged or at not in work.state):
                tip = self._merger.tip(one.project, one.branch)
                if tip is None:
                    why = reason("pipeline.no-branch", project=one.project, branch=one.branch)
                    raise _Broken(why, Moment.CONFIG_ERROR)
                work.pinned[at] = tip


def speculation(queue: Queue) -> str:
    """The name of a queue's store: a shared queue has its own, other queues share one by pipeline."""
    return queue.id if queue.policy.lands else f"{queue.tenant}/{queue.pipeline}"


def _subjects(item: Item) -> tuple[ItemChange | ItemRef, ...]:
    """The changes of an item, or its branch."""
    return item.changes or ((item.ref,) if item.ref is not None else ())


def _files(subject: ItemChange | ItemRef) -> tuple[str, ...] | None:
    return subject.files if isinstance(subject, ItemChange) else None
