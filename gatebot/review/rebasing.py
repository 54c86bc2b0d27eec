# SPDX-License-Identifier: Apache-2.0
"""Rebasing a change, or it with everything it stands on: each gets a patch set on another commit.

Without a base a change goes onto the current patch set of the change it stands on, or onto the tip of its branch.
Commits are made at the workbench. The refusals are in Gerrit's words.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from ..access import Actor
from ..db import Session
from ..errors import Conflict, Unprocessable
from ..identity import Account
from ..reasons import reason
from . import deeds, kinds, store
from .making import Wanted
from .model import Change, PatchSet, Status, branch_ref
from .picking import conflicts_told
from .together import together
from .workbench import COMMIT_ID, Workbench


@dataclass(frozen=True, slots=True)
class _Base:
    """What a change goes onto; `depends`: the current patch set of the change that it stands on."""

    commit: str
    depends: bool = False


@dataclass(frozen=True, slots=True)
class Rebased:
    """The changes that were rebased, the lowest first; those of `marked` have git's marks of conflicts in them."""

    changes: tuple[Change, ...]
    marked: frozenset[int] = frozenset()


class Rebasing:
    """Rebases changes."""

    def __init__(self, bench: Workbench) -> None:
        self._bench = bench
        self._db = bench.db
        self._repositories = bench.repositories

    async def rebase(
        self, actor: Actor, number: int, base: str | None = None, allow_conflicts: bool = False
    ) -> Rebased:
        """Rebase one change. `base` is a change's number or a commit, "" the tip of the branch."""
        return await asyncio.to_thread(self._rebase, actor, number, base, chain=False, allow=allow_conflicts)

    async def rebase_chain(
        self, actor: Actor, number: int, base: str | None = None, allow_conflicts: bool = False
    ) -> Rebased:
        """Rebase a change and the open changes below it, the lowest onto the base; the lowest first."""
        return await asyncio.to_thread(self._rebase, actor, number, base, chain=True, allow=allow_conflicts)

    def _rebase(self, actor: Actor, number: int, base: str | None, *, chain: bool, allow: bool) -> Rebased:
        account = self._bench.account(actor)
        line = self._db.read_now(_line, number, chain=chain)
        for change, _ in line:
            deeds.rebase(actor, change, self._bench.rules)
        self._require_seen(actor, [change.number for change, _ in line])
        lowest, current = line[0]
        found = self._db.read_now(self._base, actor, lowest, current, base)
        place = self._bench.scratch(lowest.project)
        onto, wanted, marked = found.commit, list[Wanted](), frozenset[int]()
        for change, patch_set in line:
            if patch_set.parents[:1] == (onto,):
                onto = patch_set.commit
                continue
            made, conflicts = self._made(place, change, patch_set, onto, account, allow=allow)
            says = f"Patch Set {change.current} was rebased"
            if conflicts:
                marked |= {change.number}
                says += "\n\n" + conflicts_told(conflicts)
            compared = kinds.compare(self._repositories, change.project, patch_set.commit, made, place)
            wanted.append(
                Wanted(
                    change.project, change.branch, change.change_id, made, place, change.number, change.current,
                    compared.kind, compared.unchanged_files, says, "Rebase", work_in_progress=bool(conflicts),
                )
            )  # fmt: skip
            onto = made
        if not wanted and chain and len(line) > 1:
            raise Conflict(reason=reason("review.rebase-chain-current"))
        if not wanted:
            raise Conflict(reason=reason("review.rebase-depends" if found.depends else "review.rebase-current"))
        return Rebased(self._bench.make(actor, account, wanted), marked)

    def _require_seen(self, actor: Actor, numbers: list[int]) -> None:
        """Nobody is given the commits of a change that is hidden from him, nor makes patch sets of one."""
        if len(self._db.read_now(self._bench.sees, actor, numbers)) < len(numbers):
            raise Conflict(reason=reason("review.rebase-hidden"))

    def _made(
        self, place: str, change: Change, patch_set: PatchSet, onto: str, account: Account, *, allow: bool
    ) -> tuple[str, tuple[str, ...]]:
        """The commit of a change on another one, and the files that have git's marks of conflicts in them."""
        if len(patch_set.parents) != 1:
            raise Conflict(reason=reason("review.rebase-merge", change=change.number))
        tree, conflicts = self._bench.pick(place, patch_set.commit, onto)
        if conflicts and not allow:
            files = "\n".join(f"* {path}" for path in conflicts[:50])
            raise Conflict(reason=reason("review.rebase-conflict", change=change.number, files=files))
        commit = self._repositories.commit(change.project, patch_set.commit)
        who = self._bench.person(account)
        made = self._repositories.write_commit(place, tree, (onto,), commit.author, who, commit.message)
        return made, conflicts

    def _base(self, session: Session, actor: Actor, change: Change, current: PatchSet, base: str | None) -> _Base:
        """What the lowest change goes onto."""
        tip = self._repositories.resolve(change.project, branch_ref(change.branch))
        if tip is None:
            raise Conflict(reason=reason("review.pick-branch", branch=branch_ref(change.branch)))
        if base is None:
            return self._natural(session, actor, change, current, tip)
        if not base.strip():
            return _Base(tip)
        return _Base(self._named(session, actor, change, base.strip(), tip))

    def _natural(self, session: Session, actor: Actor, change: Change, current: PatchSet, tip: str) -> _Base:
        below = store.find_by_commits(session, change.project, current.parents[:1], change.branch)
        under = below.get(current.parents[0]) if current.parents else None
        if under is None or under.number == change.number or under.status is Status.MERGED:
            return _Base(tip)
        if not self._bench.sees(session, actor, [under.number]):
            raise Conflict(reason=reason("review.rebase-hidden"))
        if under.status is Status.ABANDONED:
            raise Conflict(reason=reason("review.rebase-abandoned-parent", id=under.change_id))
        return _Base(store.get_patch_set(session, under.number, under.current).commit, depends=True)

    def _named(self, session: Session, actor: Actor, change: Change, base: str, tip: str) -> str:
        """The commit of a base that somebody named: a change's number, or a commit of the branch or of a change."""
        number, _, patch_set = base.partition(",")
        other = store.find_change(session, int(number)) if number.isdecimal() and len(number) < 10 else None
        commit = ""
        if other is None and COMMIT_ID.match(base.lower()):
            commit = base.lower()
            same = store.find_by_commits(session, change.project, (commit,), change.branch)
            other = (same or store.find_by_commits(session, change.project, (commit,))).get(commit)
            if self._bench.is_in(change.project, commit, tip):
                return commit
        if other is None or other.project != change.project or not self._bench.sees(session, actor, [other.number]):
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


def _line(session: Session, number: int, *, chain: bool) -> list[tuple[Change, PatchSet]]:
    """The changes to be rebased, the lowest first."""
    change = store.get_change(session, number)
    if not chain:
        return [(change, store.get_patch_set(session, number, change.current))]
    return list(together(session, change, whole_topic=False, of_any_type=True).changes)
