# SPDX-License-Identifier: Apache-2.0
"""Cherry-picking a patch set onto another branch: a change there, or the next patch set of one.

Commits are made at the workbench. The refusals are in Gerrit's words.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace

from ..access import Actor, Target, Verb
from ..db import Session
from ..errors import Conflict, Invalid
from ..identity import Account
from ..reasons import reason
from ..repo import CommitInfo
from . import conversation, kinds, store
from .mail.model import NO_WISH, Wish
from .making import Wanted
from .model import Change, PatchSet, ReviewerState, Status
from .permission import require
from .reverting import of, with_change_id
from .states import LONGEST_TOPIC
from .workbench import COMMIT_ID, Workbench


@dataclass(frozen=True, slots=True)
class Pick:
    """What a cherry-pick is asked for. `base` is the commit it goes onto, empty: the tip of the branch."""

    destination: str
    message: str = ""
    base: str = ""
    parent: int = 1
    topic: str = ""
    keep_reviewers: bool = False
    allow_conflicts: bool = False
    allow_empty: bool = False
    wish: Wish = NO_WISH


@dataclass(frozen=True, slots=True)
class Picked:
    """The change that a pick made; `conflicts` are the files that git left its marks in."""

    change: Change
    conflicts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Commit:
    id: str
    change_id: str
    conflicts: tuple[str, ...]


class Picking:
    """Makes cherry-picks."""

    def __init__(self, bench: Workbench) -> None:
        self._bench = bench
        self._repositories = bench.repositories

    async def cherry_pick(self, actor: Actor, number: int, patch_set: int, pick: Pick) -> Picked:
        """A change, or the next patch set of one, that does on another branch what a patch set does."""
        return await asyncio.to_thread(self._pick, actor, number, patch_set, pick)

    def _pick(self, actor: Actor, number: int, patch_set: int, pick: Pick) -> Picked:
        account, db = self._bench.account(actor), self._bench.db
        change, source = db.read_now(_read, number, patch_set)
        branch = pick.destination.strip().removeprefix("refs/heads/")
        if not branch:
            raise Invalid(reason=reason("review.pick-nowhere"))
        require(actor, Verb.UPLOAD, Target(change.project, f"refs/heads/{branch}", account.id), self._bench.rules)
        tip = self._repositories.resolve(change.project, f"refs/heads/{branch}")
        if tip is None:
            raise Invalid(reason=reason("review.pick-branch", branch=f"refs/heads/{branch}"))
        onto = self._base(actor, change.project, branch, pick.base, tip)
        commit = self._repositories.commit(change.project, source.commit)
        if not 1 <= pick.parent <= len(commit.parents):
            raise Invalid(reason=reason("review.pick-parent", parent=pick.parent, most=len(commit.parents)))
        made = self._made(change.project, commit, onto, pick, account)
        self._bench.require_unhidden(actor, change.project, branch, made.change_id)
        existing = db.read_now(store.find_by_id, made.change_id, change.project, branch)
        wanted = self._wanted(change, source, branch, made, existing[0] if existing else None, pick, account.id)
        (done,) = self._bench.make(actor, account, [replace(wanted, wish=pick.wish)])
        return Picked(done, made.conflicts)

    def _wanted(
        self, change: Change, source: PatchSet, branch: str, made: _Commit, other: Change | None, pick: Pick,
        account: int,
    ) -> Wanted:  # fmt: skip
        """The patch set: of a new change, or of the one that has the Change-Id there."""
        place, says = self._bench.scratch(change.project), f"Cherry Picked from branch {change.branch}."
        if made.conflicts:
            says += "\n\n" + conflicts_told(made.conflicts)
        # As Gerrit names it: what was one topic here is another one there, and is not submitted with this.
        topic = pick.topic or (f"{change.topic}-{branch}"[:LONGEST_TOPIC] if change.topic else "")
        wanted = Wanted(
            change.project, branch, made.change_id, made.id, place, says=says, topic=topic,
            work_in_progress=bool(made.conflicts), cherry_pick_of=(change.number, source.number),
        )  # fmt: skip
        if other is None:
            asked = self._bench.db.read_now(conversation.list_reviewers, change.number) if pick.keep_reviewers else ()
            reviewers = of(asked, ReviewerState.REVIEWER) | ({change.owner} if asked else set[int]())
            # What nobody else sees does not become everybody's on another branch.
            return replace(
                wanted, work_in_progress=wanted.work_in_progress or change.work_in_progress, private=change.private,
                reviewers=tuple(sorted(reviewers - {account})), cc=tuple(sorted(of(asked, ReviewerState.CC))),
            )  # fmt: skip
        if not other.is_open:
            raise Invalid(
                reason=reason(
                    "review.pick-closed", id=made.change_id, change=other.number, branch=f"refs/heads/{branch}",
                    project=change.project, status=other.status.value,
                )
            )  # fmt: skip
        before = self._bench.db.read_now(store.get_patch_set, other.number, other.current)
        compared = kinds.compare(self._repositories, change.project, before.commit, made.id, place)
        return replace(
            wanted, number=other.number, on=other.current, kind=compared.kind, unchanged_files=compared.unchanged_files
        )

    def _base(self, actor: Actor, project: str, branch: str, base: str, tip: str) -> str:
        """The commit that it goes onto: one of the branch, or of a change for it that the asker sees."""
        if not base:
            return tip
        commit = base.lower()
        if not COMMIT_ID.match(commit) or self._repositories.resolve(project, commit) is None:
            raise Invalid(reason=reason("review.pick-base", base=base))
        if self._bench.is_in(project, commit, tip):
            return commit
        change = self._bench.db.read_now(self._bench.change_at, actor, project, commit)
        if change is None or change.branch != branch:
            raise Invalid(reason=reason("review.pick-base-elsewhere", base=base, branch=branch))
        if change.status is Status.ABANDONED:
            raise Conflict(reason=reason("review.pick-base-abandoned", change=change.number))
        return commit

    def _made(self, project: str, commit: CommitInfo, onto: str, pick: Pick, account: Account) -> _Commit:
        """The commit of a pick and its Change-Id."""
        place, source = self._bench.scratch(project), commit.id
        if pick.parent > 1:  # picks go by the first parent: a stand-in has the one that was asked for
            source = self._repositories.write_commit(
                place, commit.tree, (commit.parents[pick.parent - 1],), commit.author, commit.committer, commit.message
            )
        picked, conflicts = self._bench.pick(place, source, onto)
        if conflicts and not pick.allow_conflicts:
            raise Conflict(reason=reason("review.pick-conflict", paths=", ".join(conflicts[:10])))
        if picked == self._repositories.commit(place, onto).tree and not pick.allow_empty:
            raise Conflict(reason=reason("review.pick-identical"))
        who = self._bench.person(account)
        text, id = with_change_id(pick.message.strip() or commit.message, picked, onto, who)
        made = self._repositories.write_commit(place, picked, (onto,), commit.author, who, text)
        return _Commit(made, id, conflicts)


def conflicts_told(paths: tuple[str, ...]) -> str:
    """What a change's message says of the files that have git's marks of conflicts in them."""
    return "The following files contain Git conflicts:\n" + "\n".join(f"* {path}" for path in paths[:50])


def _read(session: Session, number: int, patch_set: int) -> tuple[Change, PatchSet]:
    return store.get_change(session, number), store.get_patch_set(session, number, patch_set)
