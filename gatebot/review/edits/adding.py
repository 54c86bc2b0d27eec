# SPDX-License-Identifier: Apache-2.0
"""The next patch set of a change without a clone: a patch put onto it (`patch:apply`), or another merge (`merge`).

Gerrit's texts. What blocks runs on worker threads.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace

from ...access import Actor
from ...errors import Conflict, Invalid, Unprocessable
from ...reasons import reason
from ...repo import CommitInfo, Person
from ...repo.messages import last_footers, with_footers, with_note
from .. import change_id, deeds, kinds, store
from ..making import Wanted
from ..model import Change, branch_ref
from ..picking import conflicts_told
from ..workbench import COMMIT_ID, Workbench
from .mixing import Merge, Mixed, Mixing, Patch


@dataclass(frozen=True, slots=True)
class Applied:
    """What `patch:apply` is asked for. `base` is a commit that it goes onto, empty: the parent of the current patch
    set, or with `amend` that patch set itself."""

    patch: Patch
    message: str = ""
    base: str = ""
    amend: bool = False
    author: tuple[str, str] | None = None


@dataclass(frozen=True, slots=True)
class NewMerge:
    """What `merge` is asked for. `onto` is the commit of another change, empty: the tip of the branch, or with
    `inherit` the first parent of the current patch set."""

    merge: Merge
    subject: str = ""
    onto: str = ""
    inherit: bool = False
    author: tuple[str, str] | None = None


@dataclass(frozen=True, slots=True)
class Added:
    """The change, and the files of it that have git's marks of conflicts."""

    change: Change
    conflicts: tuple[str, ...] = ()


class Adding:
    """Makes patch sets."""

    def __init__(self, bench: Workbench, mixing: Mixing) -> None:
        self._bench = bench
        self._mixing = mixing
        self._repositories = bench.repositories

    async def apply(self, actor: Actor, change: Change, wanted: Applied) -> Added:
        """The next patch set is what a patch makes of a commit."""
        return await asyncio.to_thread(self._apply, actor, change, wanted)

    async def merge(self, actor: Actor, change: Change, wanted: NewMerge) -> Added:
        """The next patch set is a merge of another commit."""
        return await asyncio.to_thread(self._merge, actor, change, wanted)

    def _apply(self, actor: Actor, change: Change, wanted: Applied) -> Added:
        deeds.amend(actor, change, self._bench.rules)
        if wanted.base and wanted.amend:
            raise Invalid(reason=reason("review.patch-amend-base"))
        current = self._current(change)
        onto = self._onto(actor, change, current, wanted)
        mixed = self._mixing.patched(change.project, onto, wanted.patch)
        if wanted.amend:
            mixed = replace(mixed, parents=current.parents)
        return self._made(actor, change, current, mixed, wanted.message, wanted.author)

    def _merge(self, actor: Actor, change: Change, wanted: NewMerge) -> Added:
        deeds.amend(actor, change, self._bench.rules)
        current, ref = self._current(change), branch_ref(change.branch)
        tip = wanted.onto or self._repositories.resolve(change.project, ref)
        if wanted.inherit and current.parents:
            tip = current.parents[0]
        if not tip:
            raise Conflict(reason=reason("review.no-destination", branch=change.branch))
        mixed = self._mixing.merged(actor, change.project, tip, wanted.merge)
        return self._made(actor, change, current, mixed, wanted.subject, wanted.author)

    def _current(self, change: Change) -> CommitInfo:
        found = self._bench.db.read_now(store.get_patch_set, change.number, change.current)
        return self._repositories.commit(change.project, found.commit)

    def _onto(self, actor: Actor, change: Change, current: CommitInfo, wanted: Applied) -> str:
        if not wanted.base:
            if len(current.parents) != 1:
                raise Invalid(reason=reason("review.patch-no-parent", change=change.number))
            return current.id if wanted.amend else current.parents[0]
        if not COMMIT_ID.match(wanted.base):
            raise Invalid(reason=reason("review.patch-base", base=wanted.base[:100]))
        tip = self._repositories.resolve(change.project, branch_ref(change.branch))
        known = tip is not None and self._bench.is_in(change.project, wanted.base, tip)
        other = None if known else self._bench.db.read_now(
            self._bench.change_at, actor, change.project, wanted.base
        )  # fmt: skip
        if not known and (other is None or other.branch != change.branch or not other.is_open):
            raise Unprocessable(reason=reason("review.base-elsewhere", base=wanted.base, branch=change.branch))
        return wanted.base

    def _made(
        self, actor: Actor, change: Change, current: CommitInfo, mixed: Mixed, said: str, author: tuple[str, str] | None
    ) -> Added:
        account = self._bench.account(actor)
        who, place = self._bench.person(account), self._bench.scratch(change.project)
        message = with_note(_worded(change, current.message, said), mixed.note)
        commit = self._repositories.write_commit(
            place, mixed.tree, mixed.parents, _by(who, author), who, message
        )  # fmt: skip
        compared = kinds.compare(self._repositories, change.project, current.id, commit, place)
        says = f"Uploaded patch set {change.current + 1}."
        marked = bool(mixed.conflicts) and len(mixed.parents) > 1
        if marked:
            says += "\n\n" + conflicts_told(mixed.conflicts)
        wanted = Wanted(
            change.project, change.branch, change.change_id, commit, place, change.number, change.current,
            compared.kind, compared.unchanged_files, says, work_in_progress=marked,
        )  # fmt: skip
        (done,) = self._bench.make(actor, account, [wanted])
        return Added(done, mixed.conflicts)


def _by(who: Person, author: tuple[str, str] | None) -> Person:
    return who if author is None else replace(who, name=author[0], email=author[1])


def _worded(change: Change, before: str, said: str) -> str:
    """The message: what is said with the footers of the one before, its Change-Id above all; else as it was."""
    if not said.strip():
        return before
    text = said.strip() + "\n"
    named = change_id.read(text)
    if isinstance(named, str) and named != change.change_id:
        raise Conflict(reason=reason("review.other-change-id", change=change.number, id=change.change_id))
    return with_footers(text, last_footers(before) or (f"Change-Id: {change.change_id}",))
