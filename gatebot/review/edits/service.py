# SPDX-License-Identifier: Apache-2.0
"""Writes changes without a clone: a new change, and edits of files and message that become the next patch set.

Commits are made in a store of their own; `making.py` makes patch sets of them, in beats. What
blocks runs on worker threads.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from ... import access
from ...access import Actor, Target, Verb
from ...errors import Conflict, Invalid, NotFound, Unprocessable
from ...reasons import reason
from ...repo import CommitInfo
from ...repo.messages import with_footers
from ...repo.texts import Texts
from ...repo.trees import Trees
from .. import change_id, deeds, hosting, kinds
from .. import store as changes
from ..fixes.applying import rewritten
from ..fixes.model import Replacement
from ..making import Wanted
from ..model import Change, PatchSet
from ..permission import require, require_account, require_open
from ..workbench import Workbench
from . import store
from .keeping import Keeping
from .store import Edit

_TRIES = 20  # of one write, when several come at once


@dataclass(frozen=True, slots=True)
class NewChange:
    """What a new change is asked for. `base` is a commit, empty: the tip of the branch.

    Whether it is private or work in progress the project's policy says where the asker does not.
    """

    project: str
    branch: str
    subject: str
    topic: str = ""
    base: str = ""
    private: bool | None = None
    work_in_progress: bool | None = None


class Edits:
    """New changes and change edits."""

    def __init__(self, bench: Workbench) -> None:
        self._bench = bench
        self._db = bench.db
        self._repositories = bench.repositories
        self._clock = bench.clock
        self._kept = Keeping(bench.db, bench.repositories)

    async def create(self, actor: Actor, wanted: NewChange) -> Change:
        """A new change whose commit changes no file yet."""
        return await asyncio.to_thread(self._create, actor, wanted)

    async def find(self, actor: Actor, change: int) -> Edit | None:
        """The asker's edit of a change."""
        return await self._db.read(store.find_edit, change, require_account(actor))

    async def write(self, actor: Actor, change: Change, path: str, data: bytes) -> None:
        """Put a file into the asker's edit; the first write begins one."""
        await self._change(actor, change, lambda trees, commit: trees.with_file(commit, path, data))

    async def delete(self, actor: Actor, change: Change, path: str) -> None:
        """Take a file away in the asker's edit."""
        await self._change(actor, change, lambda trees, commit: trees.without_file(commit, path))

    async def replace(self, actor: Actor, change: Change, replacements: Sequence[Replacement]) -> Edit:
        """Write suggestions into the asker's edit, all or none; the edit as it is then."""
        return await asyncio.to_thread(self._replace, actor, change, replacements)

    async def begin(self, actor: Actor, change: Change) -> None:
        """An edit that says what the current patch set says."""
        await asyncio.to_thread(self._begin, actor, change)

    async def reword(self, actor: Actor, change: Change, message: str) -> None:
        """Another commit message; its Change-Id stays."""
        await asyncio.to_thread(self._reword, actor, change, message)

    async def content(self, actor: Actor, change: Change, path: str) -> bytes | None:
        """A file of the asker's edit, or of the current patch set where there is none."""
        return await asyncio.to_thread(self._content, actor, change, path)

    async def message(self, actor: Actor, change: Change) -> str:
        """The commit message of the asker's edit."""
        edit = await self._existing(actor, change)
        return (await asyncio.to_thread(self._repositories.commit, self._store(change), edit.commit)).message

    async def drop(self, actor: Actor, change: Change) -> None:
        """Throw the asker's edit away."""
        edit = await self._existing(actor, change)
        await self._db.run_silent(store.drop_edit, edit.change, edit.account)
        await asyncio.to_thread(self._kept.hold, change.project, change.number, edit.account)

    async def set_message(self, actor: Actor, change: Change, message: str) -> Change:
        """Another commit message at once, as the next patch set."""
        return await asyncio.to_thread(self._set_message, actor, change, message)

    async def publish(self, actor: Actor, change: Change) -> Change:
        """Make the asker's edit the next patch set."""
        edit = await self._existing(actor, change)
        return await asyncio.to_thread(self._publish, actor, change, edit)

    # -- blocking --------------------------------------------------------------------------------------

    def _create(self, actor: Actor, wanted: NewChange) -> Change:
        project = self._db.read_now(hosting.find_project, wanted.project)
        target = Target(wanted.project, f"refs/heads/{wanted.branch}")
        if project is None or not access.may(actor, Verb.READ, target, self._bench.rules):
            raise Unprocessable(reason=reason("review.no-such-project", project=wanted.project))
        account = self._bench.account(actor)
        self._bench.require_writable(wanted.project)
        require(actor, Verb.UPLOAD, target, self._bench.rules)
        if not wanted.subject.strip():
            raise Invalid(reason=reason("review.empty-message"))
        tip = self._repositories.branches(wanted.project).get(wanted.branch)
        if tip is None:
            raise Invalid(reason=reason("review.no-destination", branch=wanted.branch))
        base = tip
        if wanted.base:
            if not self._repositories.is_ancestor(wanted.project, self._known(wanted), tip):
                raise Unprocessable(reason=reason("review.base-elsewhere", base=wanted.base, branch=wanted.branch))
            base = wanted.base
        who, place = self._bench.person(account), self._bench.scratch(wanted.project)
        named = change_id.read(wanted.subject)
        id = named if isinstance(named, str) else f"I{secrets.token_hex(20)}"
        message = wanted.subject.strip() + "\n"
        if not isinstance(named, str):
            message = with_footers(message, (f"Change-Id: {id}",))
        tree = self._repositories.commit(wanted.project, base).tree
        commit = self._repositories.write_commit(place, tree, (base,), who, who, message)
        policy = self._bench.reader.policies.of(wanted.project)
        made = Wanted(
            wanted.project, wanted.branch, id, commit, place, topic=wanted.topic,
            private=policy.private if wanted.private is None else wanted.private,
            work_in_progress=policy.work_in_progress if wanted.work_in_progress is None else wanted.work_in_progress,
        )  # fmt: skip
        return self._bench.make(actor, account, [made])[0]

    def _known(self, wanted: NewChange) -> str:
        if len(wanted.base) != 40 or self._repositories.resolve(wanted.project, wanted.base) is None:
            raise Unprocessable(reason=reason("review.base-elsewhere", base=wanted.base, branch=wanted.branch))
        return wanted.base

    async def _change(self, actor: Actor, change: Change, make: Callable[[Trees, str], str]) -> None:
        def written(edit: Edit, before: CommitInfo) -> tuple[str, str]:
            return make(Trees(self._repositories.store_path(self._store(change))), edit.commit), before.message

        await asyncio.to_thread(self._keep, actor, change, written)

    def _replace(self, actor: Actor, change: Change, replacements: Sequence[Replacement]) -> Edit:
        def written(edit: Edit, before: CommitInfo) -> tuple[str, str]:
            if edit.base != change.current:
                raise Conflict(reason=reason("review.edit-is-old", base=edit.base, current=change.current))
            return self._replaced(change, edit, before.tree, replacements), before.message

        return self._keep(actor, change, written)

    def _replaced(self, change: Change, edit: Edit, before: str, replacements: Sequence[Replacement]) -> str:
        """The tree of an edit with suggestions written into its files."""
        place = self._repositories.store_path(self._store(change))
        texts, trees, tree = Texts(place), Trees(place), before

        def read(path: str) -> bytes:
            entry = texts.entry(edit.commit, path)
            if entry is None:
                raise NotFound(reason=reason("review.no-such-file", file=path[:200], patch_set=change.current))
            if entry.binary:
                raise Conflict(reason=reason("review.fix-binary", file=path[:200]))
            return texts.data(entry.id)

        for path, made in rewritten(replacements, read):
            tree = trees.with_file(tree, path, made)
        if tree == before:
            raise Conflict(reason=reason("review.edit-is-empty"))
        return tree

    def _begin(self, actor: Actor, change: Change) -> None:
        if self._db.read_now(store.find_edit, change.number, require_account(actor)) is not None:
            raise Conflict(reason=reason("review.edit-exists", change=change.number))
        edit, before = self._started(actor, change)
        self._kept.put(change, edit, before)

    def _reword(self, actor: Actor, change: Change, message: str) -> None:
        def written(_: Edit, before: CommitInfo) -> tuple[str, str]:
            text = self._worded(change, message)
            if before.message == text:
                raise Conflict(reason=reason("review.same-message"))
            return before.tree, text

        self._keep(actor, change, written)

    def _content(self, actor: Actor, change: Change, path: str) -> bytes | None:
        edit = self._db.read_now(store.find_edit, change.number, require_account(actor))
        commit = edit.commit if edit is not None else self._current(change).commit
        texts = Texts(self._repositories.store_path(self._store(change)))
        entry = texts.entry(commit, path)
        return None if entry is None else texts.data(entry.id)

    def _publish(self, actor: Actor, change: Change, edit: Edit) -> Change:
        require_open(change)
        if edit.base != change.current:
            raise Conflict(reason=reason("review.edit-is-old", base=edit.base, current=change.current))
        current, made = self._current(change), self._repositories.commit(self._store(change), edit.commit)
        if (made.tree, made.message) == (
            self._repositories.commit(change.project, current.commit).tree,
            current.message,
        ):
            raise Conflict(reason=reason("review.edit-is-empty"))
        done = self._patched(actor, change, current, edit.commit, f"Published edit on patch set {edit.base}.")
        self._db.run_now(store.drop_edit, edit.change, edit.account, edit.commit)
        self._kept.hold(change.project, change.number, edit.account)
        return done

    def _patched(self, actor: Actor, change: Change, current: PatchSet, commit: str, says: str) -> Change:
        """The change with a commit of the scratch store as its next patch set."""
        place = self._store(change)
        compared = kinds.compare(self._repositories, change.project, current.commit, commit, place)
        wanted = Wanted(
            change.project, change.branch, change.change_id, commit, place, change.number, change.current,
            compared.kind, compared.unchanged_files, says,
        )  # fmt: skip
        (done,) = self._bench.make(actor, self._bench.account(actor), [wanted])
        return done

    def _set_message(self, actor: Actor, change: Change, message: str) -> Change:
        deeds.amend(actor, change, self._bench.rules)
        current, account = self._current(change), self._bench.account(actor)
        text = self._worded(change, message)
        before = self._repositories.commit(change.project, current.commit)
        if before.message == text:
            raise Conflict(reason=reason("review.same-message"))
        commit = self._repositories.write_commit(
            self._store(change), before.tree, before.parents, before.author, self._bench.person(account), text
        )
        return self._patched(actor, change, current, commit, "Commit message was updated.")

    def _worded(self, change: Change, message: str) -> str:
        """A commit message with the change's own Change-Id."""
        if not message.strip():
            raise Invalid(reason=reason("review.empty-message"))
        text = message.strip() + "\n"
        named = change_id.read(text)
        if not isinstance(named, str):
            return with_footers(text, (f"Change-Id: {change.change_id}",))
        if named != change.change_id:
            raise Conflict(reason=reason("review.other-change-id", change=change.number, id=change.change_id))
        return text

    def _started(self, actor: Actor, change: Change) -> tuple[Edit, str]:
        """The asker's edit and its commit; or a new one on the current patch set, and no commit."""
        account = deeds.amend(actor, change, self._bench.rules)
        found = self._db.read_now(store.find_edit, change.number, account)
        if found is not None:
            return found, found.commit
        return Edit(change.number, account, change.current, self._current(change).commit, self._clock.now()), ""

    def _keep(self, actor: Actor, change: Change, written: Callable[[Edit, CommitInfo], tuple[str, str]]) -> Edit:
        """The asker's edit with another tree and message; what was kept meanwhile is read, and written once more."""
        place, who = self._store(change), self._bench.person(self._bench.account(actor))
        author = self._repositories.commit(change.project, self._current(change).commit).author
        for _ in range(_TRIES):
            edit, kept = self._started(actor, change)
            before = self._repositories.commit(place, edit.commit)
            tree, message = written(edit, before)
            commit = self._repositories.write_commit(place, tree, before.parents, author, who, message)
            now = replace(edit, commit=commit, updated=self._clock.now())
            if self._kept.put(change, now, kept):
                return now
        raise Conflict(reason=reason("review.edit-meanwhile"))

    async def _existing(self, actor: Actor, change: Change) -> Edit:
        found = await self.find(actor, change.number)
        if found is None:
            raise NotFound(reason=reason("review.no-edit", change=change.number))
        return found

    def _store(self, change: Change) -> str:
        return self._bench.scratch(change.project)

    def _current(self, change: Change) -> PatchSet:
        return self._db.read_now(changes.get_patch_set, change.number, change.current)
