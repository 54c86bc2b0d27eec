# SPDX-License-Identifier: Apache-2.0
"""Reading changes for pages, REST and the command line: with everything that is shown of them at once.

Nothing here writes. What the asker may not see is not found, as in Gerrit.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import TypeAlias

from sqlalchemy import not_, select

from .. import access
from ..access import Actor, Target, Verb, may
from ..clock import Clock
from ..db import Database, Session
from ..errors import NotFound
from ..identity import accounts_in
from ..reasons import reason
from . import conversation, hosting, intents, search, store
from .attention.store import attention_of
from .config.model import CONFIG_REF
from .facts import Case
from .judging import Judge
from .labels.model import SubmitRequirement
from .labels.requirements import Result
from .model import Change, PatchSet, Project, branch_ref
from .people.store import starred
from .permission import permitted_labels, reads_all_branches, sees_project, target_of
from .query import Query, parse
from .reviewer_updates import updates_of
from .search import Asking, Below, alone
from .sieve import Sieved, sieve
from .tables import changes
from .verdict import Verdict
from .whole import ChangeView

_SIEVED = 10_000  # changes that are judged for one query, at most

Told: TypeAlias = Callable[[Query, Actor, Asking], Awaitable[Query]]
"""Puts into a query what is not asked of the database."""


async def _as_it_is(query: Query, actor: Actor, asking: Asking) -> Query:
    del actor, asking
    return query


class Reading:
    """Finds and reads changes and projects."""

    def __init__(
        self, db: Database, judge: Judge, clock: Clock, rules: access.Rulebook = access.DEFAULT, below: Below = alone,
        told: Told = _as_it_is,
    ) -> None:  # fmt: skip
        self.db = db
        self._judge = judge
        self._clock = clock
        self._rules = rules
        self._below = below
        self._told = told

    async def find(self, actor: Actor, identifier: str) -> Change:
        """The one change that an identifier of any form names."""
        change = await self.db.read(search.resolve, identifier, self._asking(actor))
        return self._seen(actor, change)

    async def view(self, actor: Actor, number: int) -> ChangeView:
        """One change with everything."""
        return await self.db.read(self._view, actor, number)

    async def search(
        self, actor: Actor, query: str, limit: int = search.MOST, start: int = 0
    ) -> tuple[tuple[ChangeView, ...], bool]:
        """The changes that a query in Gerrit's language describes, and whether there are more."""
        asked = await self._told(parse(query), actor, self._asking(actor))
        return await self.db.read(self._search, actor, asked, limit, start)

    async def verdict(self, actor: Actor, number: int) -> Verdict:
        """Why a change may or may not be merged, as far as the asker may see what it depends on."""
        return await self.db.read(self._verdict, actor, number)

    async def try_requirement(self, number: int, wanted: SubmitRequirement) -> Result:
        """How a change stands to a submit requirement that nobody has configured."""
        return await self.db.read(self._try, number, wanted)

    async def related(self, actor: Actor, change: Change, patch_set: PatchSet) -> tuple[tuple[Change, PatchSet], ...]:
        """The relation chain of a patch set, newest first, as far as the asker may see it."""
        found = await self.db.read(self._judge.related, change, patch_set)
        seen = await self.visible(actor, [other.number for other, _ in found])
        return tuple(pair for pair in found if pair[0].number in seen)

    async def project(self, actor: Actor, name: str) -> Project:
        """A hosted project that the asker may read."""
        found = await self.db.read(hosting.find_project, name)
        if found is None or not sees_project(actor, name, self._rules):
            raise NotFound(reason=reason("review.no-such-project", project=name))
        return found

    async def projects(self, actor: Actor) -> tuple[Project, ...]:
        """All hosted projects that the asker may read, in order of creation."""
        found = await self.db.read(hosting.list_projects)
        return tuple(project for project in found if sees_project(actor, project.name, self._rules))

    async def visible(self, actor: Actor, numbers: Iterable[int]) -> frozenset[int]:
        """Those of some changes that the asker may read."""
        return frozenset(await self.db.read(self.seen_in, actor, numbers))

    def seen_in(self, session: Session, actor: Actor, asked: Iterable[int]) -> dict[int, Change]:
        """Those of some changes that the asker may read, by their numbers."""
        found: list[Change] = []
        numbers = sorted(set(asked))
        for start in range(0, len(numbers), search.MOST):
            here = changes.c.number.in_(numbers[start : start + search.MOST])
            found += store.read_changes(session, select(changes).where(here, search.visible(self._asking(actor))))
        return {change.number: change for change in found if self._readable(actor, change)}

    async def reviewers_of(self, project: str) -> tuple[int, ...]:
        """Who reviewed changes of a project, latest first."""
        return await self.db.read(conversation.recent_reviewers, project)

    async def hidden_in(self, actor: Actor, project: str) -> tuple[int, ...]:
        """The changes of a project that the asker may not see: for git, which serves their patch sets."""
        return await self.db.read(self._hidden_in, actor, project)

    # -- transactions ----------------------------------------------------------------------------------

    def _view(self, session: Session, actor: Actor, number: int) -> ChangeView:
        asking = self._asking(actor)
        return self._whole(session, actor, [self._seen(actor, search.resolve(session, str(number), asking))])[0]

    def _search(
        self, session: Session, actor: Actor, query: Query, limit: int, start: int
    ) -> tuple[tuple[ChangeView, ...], bool]:
        limit = min(limit, access.limit_of(actor, "queryLimit", self._rules, search.MOST))
        sieved = sieve(query)
        if sieved.submittable is not None:
            return self._sift(session, actor, sieved, limit, start)
        found = search.search(session, sieved.query, self._asking(actor), limit, start)
        readable = [change for change in found.changes if self._readable(actor, change)]
        return self._whole(session, actor, readable), found.more

    def _sift(
        self, session: Session, actor: Actor, sieved: Sieved, limit: int, start: int
    ) -> tuple[tuple[ChangeView, ...], bool]:
        """Page by page through what the database finds, until enough of it is as it shall be."""
        limit = min(limit, sieved.query.limit or limit)
        everything, asking = replace(sieved.query, limit=None), self._asking(actor)
        kept: list[Change] = []
        for place in range(0, _SIEVED, search.MOST):
            found = search.search(session, everything, asking, search.MOST, place)
            readable = [change for change in found.changes if self._readable(actor, change)]
            patch_sets = store.patch_sets_of(session, [change.number for change in readable])
            verdicts = self._judge.verdicts(session, self._cases(session, readable, patch_sets))
            kept += [
                change
                for change, verdict in zip(readable, verdicts, strict=True)
                if (change.is_open and verdict.submittable) is sieved.submittable
            ]
            if len(kept) > start + limit or not found.more:
                break
        return self._whole(session, actor, kept[start : start + limit]), len(kept) > start + limit

    def _verdict(self, session: Session, actor: Actor, number: int) -> Verdict:
        return self._veiled(session, actor, [self._judge.verdict(session, store.get_change(session, number))])[0]

    def _veiled(self, session: Session, actor: Actor, found: Sequence[Verdict]) -> list[Verdict]:
        named = frozenset[int]().union(*(verdict.named() for verdict in found))
        hidden = named - self.seen_in(session, actor, named).keys() if named else named
        return [verdict.veiled(hidden) for verdict in found] if hidden else list(found)

    def _try(self, session: Session, number: int, wanted: SubmitRequirement) -> Result:
        change = store.get_change(session, number)
        current = store.get_patch_set(session, number, change.current)
        votes = conversation.list_votes(session, number, change.current)
        rules = replace(self._judge.rules(session, change.project), requirements=(wanted,))
        return self._judge.verdicts(session, [Case(change, current, votes, rules)])[0].results[0]

    def _whole(self, session: Session, actor: Actor, found: Sequence[Change]) -> tuple[ChangeView, ...]:
        """Many changes at once: the number of queries does not grow with them."""
        if not found:
            return ()
        numbers = [change.number for change in found]
        patch_sets = store.patch_sets_of(session, numbers)
        messages = conversation.messages_of(session, numbers)
        comments = conversation.comments_of(session, numbers)
        reviewers = conversation.reviewers_of(session, numbers)
        turns, updates = attention_of(session, numbers), updates_of(session, numbers)
        stars = frozenset[int]() if actor.account is None else starred(session, actor.account, numbers)
        projects = hosting.find_projects(session, {change.project for change in found})
        cases = self._cases(session, found, patch_sets)
        verdicts = self._veiled(session, actor, self._judge.verdicts(session, cases))
        read = [
            ChangeView(
                change=case.change,
                patch_sets=patch_sets[case.change.number],
                votes=case.votes,
                messages=messages.get(case.change.number, ()),
                comments=comments.get(case.change.number, ()),
                reviewers=reviewers.get(case.change.number, ()),
                verdict=verdict,
                rules=case.rules,
                project=projects[case.change.project],
                people={},
                permitted=permitted_labels(actor, case.change, case.rules, self._rules),
                attention=turns.get(case.change.number, ()),
                starred=case.change.number in stars,
                updates=updates.get(case.change.number, ()),
            )
            for case, verdict in zip(cases, verdicts, strict=True)
        ]
        people = accounts_in(session, {id for view in read for id in view.named})
        return tuple(replace(view, people={id: people[id] for id in view.named if id in people}) for view in read)

    def _cases(
        self, session: Session, found: Sequence[Change], patch_sets: Mapping[int, tuple[PatchSet, ...]]
    ) -> list[Case]:
        """Changes with what is judged of them."""
        votes = conversation.votes_of(session, [change.number for change in found])
        projects = hosting.find_projects(session, {change.project for change in found})
        return [
            Case(
                change,
                patch_sets[change.number][-1],
                votes.get(change.number, ()),
                self._judge.rules_for(change.project, projects[change.project].rules).on(change.branch),
            )
            for change in found
        ]

    def _asking(self, actor: Actor) -> Asking:
        sees_all = may(actor, Verb.VIEW_PRIVATE, Target(), self._rules)
        labels, trackers = self._judge.labels_named, self._judge.linking.rules
        return Asking(actor.account, sees_all, self._clock.now(), labels=labels, trackers=trackers, below=self._below)

    def _hidden_in(self, session: Session, actor: Actor, project: str) -> tuple[int, ...]:
        numbers = select(changes.c.number).where(changes.c.project == project)
        hidden = list(session.scalars(numbers.where(changes.c.private, not_(search.visible(self._asking(actor))))))
        branches: Sequence[str] = [CONFIG_REF]
        if not reads_all_branches(project, self._rules):
            of_project = select(changes.c.branch).where(changes.c.project == project)
            branches = session.scalars(of_project.distinct()).all()
        targets = {name: Target(project, branch_ref(name)) for name in branches}
        shut = [name for name, target in targets.items() if not may(actor, Verb.READ, target, self._rules)]
        if shut:
            hidden += session.scalars(numbers.where(changes.c.branch.in_(shut)))
        # A patch set is in the repository before its rows: until then nobody can tell whether it is private.
        return tuple(dict.fromkeys((*hidden, *intents.unborn(session, project))))

    def _readable(self, actor: Actor, change: Change) -> bool:
        return may(actor, Verb.READ, target_of(change), self._rules)

    def _seen(self, actor: Actor, change: Change) -> Change:
        if not self._readable(actor, change):
            raise NotFound(reason=reason("review.no-such-change", change=change.number))
        return change


async def private_among(reading: Reading, project: str, commits: Iterable[str]) -> frozenset[str]:
    """Those commits that are patch sets of private changes."""
    return await reading.db.read(store.private_among, project, tuple(commits))
