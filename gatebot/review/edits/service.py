# SPDX-License-Identifier: Apache-2.0
"""Writes changes without a clone: edits of files and message that become the next patch set.

Commits are made in a store of their own; `making.py` makes patch sets of them, in beats. What
blocks runs on worker threads.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import replace

from ...access import Actor
from ...errors import Conflict, Invalid, NotFound
from ...reasons import reason
from ...repo import CommitInfo
from ...repo.messages import with_footers
from ...repo.texts import Texts
from ...repo.trees import Trees
from .. import change_id, deeds, kinds
from .. import store as changes
from ..fixes.applying import rewritten
from ..fixes.model import Replacement
from ..making import Wanted
from ..model import Change, PatchSet
from ..permission import require_account, require_open
from ..workbench import Workbench
from . import store
from .keeping import Keeping
from .store import Edit

_TRIES = 20  # of one write, when several come at once


class Edits:
    """Change edits."""

    def __init__(self, bench: Workbench) -> None:
        self._bench = bench
        self._db = bench.db
        self._repositories = bench.repositories
        self._clock = bench.clock
        self._kept = Keeping(bench.db, bench.repositories)

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

    async def rebase(self, actor: Actor, change: Change) -> None:
        """Put the asker's edit onto the current patch set."""
        edit = await self._edited(actor, change)
        await asyncio.to_thread(self._rebase, actor, change, edit)

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
        edit = await self._edited(actor, change)
        return await asyncio.to_thread(self._publish, actor, change, edit)

    # -- blocking --------------------------------------------------------------------------------------

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

    def _rebase(self, actor: Actor, change: Change, edit: Edit) -> None:
        """What the edit changes of its patch set, on the current one."""
        deeds.amend(actor, change, self._bench.rules)
        if edit.base == change.current:
            raise Conflict(reason=reason("review.edit-is-current", change=change.number, current=change.current))
        place, who = self._store(change), self._bench.person(self._bench.account(actor))
        base = self._db.read_now(changes.get_patch_set, change.number, edit.base).commit
        current = self._repositories.commit(change.project, self._current(change).commit)
        made = self._repositories.commit(place, edit.commit)
        stand_in = self._repositories.write_commit(place, made.tree, (base,), who, who, made.message)
        tree, conflicts = self._bench.pick(place, stand_in, current.id)
        if conflicts:
            files = "\n".join(f"* {path}" for path in conflicts[:50])
            raise Conflict(reason=reason("review.edit-conflict", files=files))
        commit = self._repositories.write_commit(place, tree, current.parents, current.author, who, made.message)
        now = replace(edit, base=change.current, commit=commit, updated=self._clock.now())
        if not self._kept.put(change, now, edit.commit):
            raise Conflict(reason=reason("review.edit-meanwhile"))

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

    async def _edited(self, actor: Actor, change: Change) -> Edit:
        """The same where none is a conflict, as in Gerrit: what is done to an edit that is not there."""
        try:
            return await self._existing(actor, change)
        except NotFound as error:
            raise Conflict(reason=error.reason) from None

    async def _existing(self, actor: Actor, change: Change) -> Edit:
        found = await self.find(actor, change.number)
        if found is None:
            raise NotFound(reason=reason("review.no-edit", change=change.number))
        return found

    def _store(self, change: Change) -> str:
        return self._bench.scratch(change.project)

    def _current(self, change: Change) -> PatchSet:
        return self._db.read_now(changes.get_patch_set, change.number, change.current)
