# SPDX-License-Identifier: Apache-2.0
"""Rebasing a change, or it with everything it stands on: each gets a patch set on another commit.

Without a base a change goes onto the current patch set of the change it stands on, or onto the tip of its branch.
The refusals are in Gerrit's words.
"""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass

from .. import access
from ..access import Actor, Verb
from ..clock import Clock
from ..db import Database, Session
from ..errors import Conflict, GatebotError, Unprocessable
from ..identity import Account, account_in
from ..reasons import reason
from ..repo import MergeConflict, Repositories, person
from . import kinds, store
from .making import Maker, Wanted
from .model import Change, PatchSet, Status, branch_ref
from .permission import require, require_account, target_of
from .together import together

_SHA = re.compile(r"[0-9a-f]{40}\Z")


@dataclass(frozen=True, slots=True)
class _Base:
    """What a change goes onto; `depends`: the current patch set of the change that it stands on."""

    commit: str
    depends: bool = False


class Rebasing:
    """Rebases changes."""

    def __init__(
        self,
        db: Database,
        repositories: Repositories,
        maker: Maker,
        clock: Clock,
        rules: access.Rulebook = access.DEFAULT,
    ) -> None:
        self._db = db
        self._repositories = repositories
        self._maker = maker
        self._clock = clock
        self._rules = rules

    async def rebase(self, actor: Actor, number: int, base: str | None = None) -> Change:
        """Rebase one change. `base` is a change's number or a commit, "" the tip of the branch."""
        return (await asyncio.to_thread(self._rebase, actor, number, base, chain=False))[0]

    async def rebase_chain(self, actor: Actor, number: int, base: str | None = None) -> tuple[Change, ...]:
        """Rebase a change and the open changes below it, the lowest onto the base; the lowest first."""
        return await asyncio.to_thread(self._rebase, actor, number, base, chain=True)

    def _rebase(self, actor: Actor, number: int, base: str | None, *, chain: bool) -> tuple[Change, ...]:
        account = self._db.read_now(_account, require_account(actor))
        line = self._db.read_now(_line, number, chain=chain)
        for change, _ in line:
            if not change.is_open:
                raise Conflict(
                    reason=reason("review.rebase-closed", change=change.number, status=change.status.value.lower())
                )
            require(actor, Verb.REBASE, target_of(change), self._rules)
        lowest, current = line[0]
        found = self._db.read_now(self._base, lowest, current, base)
        place = self._maker.scratch(lowest.project)
        onto, wanted = found.commit, list[Wanted]()
        for change, patch_set in line:
            if patch_set.parents[:1] == (onto,):
                onto = patch_set.commit
                continue
            made = self._made(place, change, patch_set, onto, account)
            compared = kinds.compare(self._repositories, change.project, patch_set.commit, made, place)
            wanted.append(
                Wanted(
                    change.project, change.branch, change.change_id, made, place, change.number, change.current,
                    compared.kind, compared.unchanged_files, f"Patch Set {change.current} was rebased", "Rebase",
                )
            )  # fmt: skip
            onto = made
        if not wanted and chain and len(line) > 1:
            raise Conflict(reason=reason("review.rebase-chain-current"))
        if not wanted:
            raise Conflict(reason=reason("review.rebase-depends" if found.depends else "review.rebase-current"))
        return self._maker.make(account.id, wanted)

    def _made(self, place: str, change: Change, patch_set: PatchSet, onto: str, account: Account) -> str:
        """The commit of a change on another one."""
        if len(patch_set.parents) != 1:
            raise Conflict(reason=reason("review.rebase-merge", change=change.number))
        picked = self._repositories.pick(place, patch_set.commit, onto)
        if isinstance(picked, MergeConflict):
            files = "\n".join(f"* {path}" for path in picked.paths[:50])
            raise Conflict(reason=reason("review.rebase-conflict", change=change.number, files=files))
        commit = self._repositories.commit(change.project, patch_set.commit)
        now = int(self._clock.now().timestamp())
        who = person(account.name or account.username, account.email, now)
        return self._repositories.write_commit(place, picked.tree, (onto,), commit.author, who, commit.message)

    def _base(self, session: Session, change: Change, current: PatchSet, base: str | None) -> _Base:
        """What the lowest change goes onto."""
        tip = self._repositories.resolve(change.project, branch_ref(change.branch))
        if tip is None:
            raise Conflict(reason=reason("review.pick-branch", branch=branch_ref(change.branch)))
        if base is None:
            return self._natural(session, change, current, tip)
        if not base.strip():
            return _Base(tip)
        return _Base(self._named(session, change, base.strip(), tip))

    def _natural(self, session: Session, change: Change, current: PatchSet, tip: str) -> _Base:
        below = store.find_by_commits(session, change.project, current.parents[:1])
        under = below.get(current.parents[0]) if current.parents else None
        if under is None or under.number == change.number or under.branch != change.branch:
            return _Base(tip)
        if under.status is Status.ABANDONED:
            raise Conflict(reason=reason("review.rebase-abandoned-parent", id=under.change_id))
        if under.status is Status.MERGED:
            return _Base(tip)
        return _Base(store.get_patch_set(session, under.number, under.current).commit, depends=True)

    def _named(self, session: Session, change: Change, base: str, tip: str) -> str:
        """The commit of a base that somebody named: a change's number, or a commit of the branch or of a change."""
        number, _, patch_set = base.partition(",")
        other = store.find_change(session, int(number)) if number.isdecimal() and len(number) < 10 else None
        commit = ""
        if other is None and _SHA.match(base.lower()):
            commit = base.lower()
            other = store.find_by_commits(session, change.project, (commit,)).get(commit)
            if self._is_in(change.project, commit, tip):
                return commit
        if other is None or other.project != change.project:
            raise Unprocessable(reason=reason("review.rebase-no-base", base=base))
        if other.number == change.number:
            raise Conflict(reason=reason("review.rebase-itself"))
        if other.branch != change.branch:
            raise Conflict(reason=reason("review.rebase-branch", branch=branch_ref(other.branch)))
        if other.status is Status.ABANDONED:
            raise Conflict(reason=reason("review.rebase-abandoned-base", change=other.number))
        wanted = int(patch_set) if patch_set.isdecimal() and len(patch_set) < 10 else other.current
        found = commit or store.get_patch_set(session, other.number, wanted).commit
        if other.status is Status.MERGED and not self._repositories.is_ancestor(change.project, found, tip):
            return tip
        mine = store.get_patch_set(session, change.number, change.current).commit
        if self._repositories.is_ancestor(change.project, mine, found):
            raise Conflict(reason=reason("review.rebase-descendant", change=other.number))
        return found

    def _is_in(self, project: str, commit: str, tip: str) -> bool:
        try:
            known = self._repositories.commit(project, commit).id
        except GatebotError:
            return False
        return self._repositories.is_ancestor(project, known, tip)


def _line(session: Session, number: int, *, chain: bool) -> list[tuple[Change, PatchSet]]:
    """The changes to be rebased, the lowest first."""
    change = store.get_change(session, number)
    if not chain:
        return [(change, store.get_patch_set(session, number, change.current))]
    return list(together(session, change, whole_topic=False, of_any_type=True).changes)


def _account(session: Session, account: int) -> Account:
    known = account_in(session, account)
    if known is None:
        raise Conflict(reason=reason("review.no-such-account", account=account))
    return known
