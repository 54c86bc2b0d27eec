# SPDX-License-Identifier: Apache-2.0
"""The review room as the gate sees it: facts of changes, reports, readiness, landing.

Implements the pipeline room's `Review` port by structure; neither room imports the other. The gate
acts as its own account.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from functools import lru_cache

from ..access import STRANGER, Actor
from ..change import ChangeFacts, FileComment, Landed, Landing, LandRefused, VoteFact
from ..db import Database, Session
from ..errors import Invalid, NotFound, Refused
from ..identity import GATE, Account, Identity, accounts_in
from ..reasons import Reason
from ..repo import Repositories, brought_files
from . import conversation, hosting, store
from .drafts import Draft
from .judging import Judge
from .landing import Lander
from .landing_plan import Order
from .model import Change, DraftedComment, Status, branch_ref
from .push_policy import Policies, SamePolicy
from .reading import Reading
from .service import MOST_BYTES, Review
from .submit_footers import footers_of

log = logging.getLogger(__name__)


class ReviewForGate:
    """What the pipeline room may ask of this one."""

    def __init__(
        self,
        db: Database,
        repositories: Repositories,
        identity: Identity,
        judge: Judge,
        review: Review,
        lander: Lander,
        reading: Reading,
        policies: Policies = SamePolicy(),  # noqa: B008 (a frozen value)
    ) -> None:
        self._db = db
        self._repositories = repositories
        self._identity = identity
        self._judge = judge
        self._review = review
        self._lander = lander
        self._reading = reading
        self._policies = policies
        # A commit's files never change, and the gate asks for them again and again; a merge's change with its branch.
        self._files = lru_cache(maxsize=4096)(self._read_files)

    async def change(self, number: int, patch_set: int | None = None) -> ChangeFacts | None:
        """One patch set of a change, the current one by default; None when there is no such thing."""
        facts = await self._db.read(self._facts, number, patch_set)
        if facts is None:
            return None
        files = await asyncio.to_thread(self._files_of, facts)
        return replace(facts, files=files)

    async def find(self, project: str, branch: str, change_id: str) -> ChangeFacts | None:
        """The change with this Change-Id on this branch."""
        found = await self._db.read(store.find_by_id, change_id, project, branch)
        return await self.change(found[0].number) if found else None

    async def named(self, address: str) -> tuple[int, ...]:
        """The changes that a Depends-On footer names, by an address of this site or by Change-Id."""
        return await self._db.read(self._judge.named, address)

    async def by_commit(self, project: str, branch: str, commit: str) -> ChangeFacts | None:
        """The open change of a branch whose current patch set is this commit."""
        found = (await self._db.read(store.find_by_commits, project, (commit,), branch)).get(commit)
        if found is None or found.status is not Status.NEW:
            return None
        facts = await self.change(found.number)
        return facts if facts is not None and facts.commit == commit else None

    async def open_changes(self, project: str) -> tuple[int, ...]:
        """The open changes of a project, oldest first."""
        return await self._db.read(store.open_changes, project)

    async def by_topic(self, number: int, topic: str) -> tuple[int, ...]:
        """The open changes under a topic, on the site of a change."""
        return await self._db.read(store.open_changes, None, None, topic) if topic else ()

    async def kept_from(self, numbers: Collection[int], by: Collection[int]) -> frozenset[int]:
        """Those of some changes that one of these accounts may not see."""
        return await self._db.read(self._kept_from, frozenset(numbers), frozenset(by))

    async def depending_on(self, number: int) -> tuple[int, ...]:
        """The open changes whose Depends-On names this one, or whose git parent it is."""
        try:
            return await self._db.read(self._judge.needed_by, number)
        except NotFound:
            return ()

    async def report(
        self, change: int, patch_set: int, *, message: str, votes: Mapping[str, int], tag: str, event_key: str,
        comments: Sequence[FileComment] = (),
    ) -> None:  # fmt: skip
        """Post a result as the gate's account, once for an `event_key`.

        A vote that counts for nothing any more (abandoned, or a newer patch set) is left out: the message still tells.
        """
        gate = await self._gate()
        known = await self._db.read(store.find_change, change)
        if known is None or not 0 < patch_set <= known.current:
            log.warning("a report on change %d,%d was dropped: there is no such patch set", change, patch_set)
            return
        counts = known.status is not Status.ABANDONED and known.current == patch_set
        remarks = tuple(_drafted(one) for one in comments)
        draft = Draft(_shortened(message), tuple(votes.items()) if counts else (), remarks, tag=tag)
        actor = Actor(gate.id, gate.groups)
        try:
            await self._review.post(actor, change, patch_set, draft, event_key)
        except (Refused, Invalid):
            # Somebody was faster with a new patch set or closed it, or there is no such label: tell without voting.
            await self._review.post(actor, change, patch_set, replace(draft, votes=()), event_key)

    async def land(self, landing: Landing) -> Landed | LandRefused:
        """Merge the changes of one item, all or none; the same item again gets the same answer."""
        gate = await self._gate()
        return await asyncio.to_thread(self._lander.land, Order(landing, gate.id, landing.item))

    async def ready(self, number: int) -> Reason | None:
        """What people still have to do before the gate may take the change; None: nothing."""
        return await self._db.read(self._ready, number)

    async def settle(self) -> int:
        """Finish the landings that a killed server began; before anything plans."""
        return await asyncio.to_thread(self._lander.settle)

    async def _gate(self) -> Account:
        found = await self._identity.by_username(GATE)
        if found is None:
            raise NotFound(f"the account {GATE} is missing; make it with: gatebot user add {GATE}")
        return found

    def _kept_from(self, session: Session, numbers: frozenset[int], by: frozenset[int]) -> frozenset[int]:
        people = accounts_in(session, by)
        seen = set(numbers)
        for account in by:
            asking = Actor(account, people[account].groups) if account in people else STRANGER
            seen &= self._reading.seen_in(session, asking, numbers).keys()
        return numbers - seen

    def _ready(self, session: Session, number: int) -> Reason | None:
        return self._judge.readiness(session, store.get_change(session, number))

    def _facts(self, session: Session, number: int, patch_set: int | None) -> ChangeFacts | None:
        change = store.find_change(session, number)
        sets = {p.number: p for p in store.list_patch_sets(session, number)} if change else {}
        asked = sets.get(patch_set or (change.current if change else 0))
        if change is None or asked is None:
            return None
        votes = conversation.list_votes(session, number, asked.number)
        people = accounts_in(session, {change.owner, *(vote.account for vote in votes)})
        footers = footers_of(change, asked.message, votes, people, self._judge.site, GATE)
        project = hosting.get_project(session, change.project)
        return ChangeFacts(
            number=number,
            patch_set=asked.number,
            current=change.current,
            change_id=change.change_id,
            project=change.project,
            branch=change.branch,
            commit=asked.commit,
            parents=asked.parents,
            subject=asked.subject,
            message=asked.message,
            owner=change.owner,
            owner_username=people[change.owner].username if change.owner in people else "",
            uploader=asked.uploader,
            status=change.status.value,
            url=self._url(change),
            topic=change.topic,
            hashtags=change.hashtags,
            work_in_progress=change.work_in_progress,
            private=change.private,
            votes=tuple(
                VoteFact(v.label, v.value, v.account, people[v.account].username, people[v.account].email, v.granted)
                for v in votes
                if v.account in people
            ),
            submit_type=project.submit_type.value,
            author=f"{asked.author.name} <{asked.author.email}>",
            footers=footers,
        )

    def _url(self, change: Change) -> str:
        return f"{self._judge.site.rstrip('/')}/{change.path}"

    def _files_of(self, facts: ChangeFacts) -> tuple[str, ...]:
        merges = self._policies.of(facts.project).implicit_merges
        if len(facts.parents) < 2 and not merges:
            return self._files(facts.project, facts.commit, facts.branch)
        return self._read_files(facts.project, facts.commit, facts.branch, implicit_merges=merges)

    def _read_files(self, project: str, commit: str, branch: str, *, implicit_merges: bool = False) -> tuple[str, ...]:
        """The paths that a commit changes on its branch; of a rename both."""
        tip = self._repositories.resolve(project, branch_ref(branch))
        return brought_files(self._repositories, project, commit, tip, implicit_merges=implicit_merges)


def _drafted(one: FileComment) -> DraftedComment:
    return DraftedComment(one.path, _shortened(one.message), one.line or None, range=one.span if one.line else None)


def _shortened(message: str) -> str:
    """A report is cut rather than refused: the links stand at its beginning."""
    data = message.encode()
    if len(data) <= MOST_BYTES:
        return message
    return data[: MOST_BYTES - 64].decode("utf-8", "ignore") + "\n[the rest was cut]"
