# SPDX-License-Identifier: Apache-2.0
"""Reads the files of patch sets and commits, and keeps which of them an account has read.

Reading git blocks, so it is done on worker threads. Who may see a change was asked before.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from dataclasses import dataclass
from functools import lru_cache

from ...access import Actor
from ...assignment import Json
from ...db import Database
from ...errors import Invalid, NotFound
from ...reasons import reason
from ...repo import FileChange, Repositories
from ...repo.texts import Blamed, Piece, Texts
from .. import store as changes
from ..model import COMMIT_MESSAGE, PatchSet
from ..permission import require_account
from . import store
from .commit_text import commit_message_file, merge_list_file
from .diff_info import Half, content_type, diff_info

MERGE_LIST = "/MERGE_LIST"
_MOST_MERGED = 1000


@dataclass(frozen=True, slots=True)
class Against:
    """What a patch set is compared with: another one, one of its parents, or nothing (a first commit)."""

    commit: str | None
    patch_set: PatchSet | None = None


@dataclass(frozen=True, slots=True)
class Looked:
    """How a difference is to be told."""

    whitespace: str = "IGNORE_NONE"
    context: int | None = None
    intraline: bool = False


@dataclass(frozen=True, slots=True)
class Content:
    """A file as it is."""

    data: bytes
    type: str


class Files:
    """Files of patch sets."""

    def __init__(self, db: Database, repositories: Repositories) -> None:
        self._db = db
        self._repositories = repositories
        self._kept = lru_cache(maxsize=256)(self._changed)  # two commits never differ otherwise later

    async def changed(self, project: str, patch_set: PatchSet, against: Against) -> tuple[FileChange, ...]:
        """The files that differ, and the pseudo file of the message first."""
        return await asyncio.to_thread(self._kept, project, patch_set, against)

    async def diff(
        self, project: str, patch_set: PatchSet, path: str, against: Against, looked: Looked
    ) -> dict[str, Json]:
        """Gerrit's DiffInfo of one file."""
        return await asyncio.to_thread(self._diff, project, patch_set, path, against, looked)

    async def content(self, project: str, commit: str, path: str, patch_set: PatchSet | None = None) -> Content:
        """A file of a commit; the pseudo files are those of `patch_set`."""
        return await asyncio.to_thread(self._content, project, commit, path, patch_set)

    async def names(self, project: str, commit: str, part: str) -> tuple[str, ...]:
        """Files of a commit, changed or not, whose names have `part` in them."""
        listed = await asyncio.to_thread(self._repositories.list_files, project, commit)
        return tuple(sorted(path for path, _ in listed if part in path))[:1000]

    async def blame(self, project: str, commit: str, path: str) -> tuple[Blamed, ...]:
        """Who wrote the lines of a file."""
        return await asyncio.to_thread(self._blame, project, commit, path)

    async def archive(self, project: str, commit: str, form: str) -> bytes:
        """The tree of a commit as `tar`, `tar.gz` or `zip`."""
        return await asyncio.to_thread(self.texts(project).archive, commit, form)

    async def merge_list(self, project: str, patch_set: PatchSet, parent: int) -> tuple[str, ...]:
        """The commits that a merge brings to one of its parents, newest first."""
        return await asyncio.to_thread(self._merged, project, patch_set, parent)

    async def set_reviewed(self, actor: Actor, patch_set: PatchSet, path: str, *, wanted: bool) -> bool:
        """Mark a file as read or not; whether that is news."""
        place = (require_account(actor), patch_set.change, patch_set.number, path)
        if wanted:
            return await self._db.run_silent(store.set_reviewed, *place)
        await self._db.run_silent(store.unset_reviewed, *place)
        return True

    async def last_reviewed(self, account: int, change: int, before: int) -> int:
        """The newest patch set below a number of which an account has read a file; 0: none."""
        return await self._db.read(store.last_reviewed, account, change, before)

    async def reviewed(self, actor: Actor, patch_set: PatchSet) -> tuple[str, ...]:
        """What the asker has read of a patch set."""
        return await self._db.read(store.reviewed_files, require_account(actor), patch_set.change, patch_set.number)

    # -- blocking --------------------------------------------------------------------------------------

    def texts(self, project: str) -> Texts:
        """The files of a project, to be read closely."""
        return Texts(self._repositories.store_path(project))

    def _changed(self, project: str, patch_set: PatchSet, against: Against) -> tuple[FileChange, ...]:
        diffs = self._repositories.diff(project, against.commit, patch_set.commit, lines=0)
        return tuple(one.change for one in diffs)

    def _message(self, project: str, patch_set: PatchSet) -> str:
        known: dict[str, str] = {}
        hidden = self._db.read_now(changes.private_among, project, patch_set.parents)
        for parent in (one for one in patch_set.parents if one not in hidden):
            try:
                known[parent] = self._repositories.commit(project, parent).subject
            except NotFound:
                continue
        return commit_message_file(patch_set, known)

    def _merged(self, project: str, patch_set: PatchSet, parent: int) -> tuple[str, ...]:
        if not 0 < parent <= len(patch_set.parents):
            raise Invalid(reason=reason("review.no-such-parent", parent=parent, patch_set=patch_set.number))
        kept = patch_set.parents[parent - 1]
        found: dict[str, None] = {}
        for other in patch_set.parents:
            if other != kept:
                log = self._repositories.log(project, other, without=(kept,), limit=_MOST_MERGED)
                found |= {commit.id: None for commit in log}
        return tuple(found)

    def _pseudo(self, project: str, patch_set: PatchSet, path: str) -> str | None:
        if path == COMMIT_MESSAGE:
            return self._message(project, patch_set)
        if path == MERGE_LIST and len(patch_set.parents) > 1:
            merged = self._merged(project, patch_set, 1)
            return merge_list_file((one, self._repositories.commit(project, one).subject) for one in merged)
        return None

    def half(self, texts: Texts, project: str, commit: str | None, path: str, of: PatchSet | None) -> Half:
        """One side of a difference; the pseudo files are those of the patch set `of`."""
        if of is not None and path in (COMMIT_MESSAGE, MERGE_LIST):
            told = self._pseudo(project, of, path)
            return Half() if told is None else Half(path, told.encode(), 0o100644)
        entry = texts.entry(commit, path) if commit is not None else None
        if entry is None:
            return Half()
        data = b"" if entry.binary else texts.data(entry.id)
        return Half(path, data, entry.mode, entry.id, entry.binary, entry.size)

    def _diff(self, project: str, patch_set: PatchSet, path: str, against: Against, looked: Looked) -> dict[str, Json]:
        texts = self.texts(project)
        new = self.half(texts, project, patch_set.commit, path, patch_set)
        renamed, before = "", path
        if path not in (COMMIT_MESSAGE, MERGE_LIST):
            diffs = self._repositories.diff(project, against.commit, patch_set.commit, path, lines=0)
            change = next((one.change for one in diffs if one.change.path == path), None)
            if change is not None and change.status in "RC":
                before, renamed = change.old_path, "RENAMED" if change.status == "R" else "COPIED"
        old = self.half(texts, project, against.commit, before, against.patch_set)
        if not old.path and not new.path:
            if path in (COMMIT_MESSAGE, MERGE_LIST):
                return {"change_type": "MODIFIED", "content": []}
            raise NotFound(reason=reason("review.no-file-in-commit", file=path[:200], commit=patch_set.commit[:10]))
        pieces: tuple[Piece, ...] = ()
        if not (old.binary or new.binary):
            pieces = texts.pieces(old.text, new.text, looked.whitespace)
        return diff_info(old, new, pieces, looked.context, renamed=renamed, intraline=looked.intraline)

    def _content(self, project: str, commit: str, path: str, patch_set: PatchSet | None) -> Content:
        if patch_set is not None and (told := self._pseudo(project, patch_set, path)) is not None:
            return Content(told.encode(), content_type(path))
        texts = self.texts(project)
        entry = texts.entry(commit, path)
        if entry is None:
            raise NotFound(reason=reason("review.no-file-in-commit", file=path, commit=commit[:10]))
        return Content(texts.data(entry.id), "application/octet-stream" if entry.binary else content_type(path))

    def _blame(self, project: str, commit: str, path: str) -> tuple[Blamed, ...]:
        texts = self.texts(project)
        if texts.entry(commit, path) is None:
            raise NotFound(reason=reason("review.no-file-in-commit", file=path, commit=commit[:10]))
        return texts.blame(commit, path)


def against(patch_set: PatchSet, all_of: Collection[PatchSet], base: int | None, parent: int | None) -> Against:
    """What a patch set is compared with, as a request says it: patch set `base`, or parent number `parent`."""
    if base:
        found = next((one for one in all_of if one.number == base), None)
        if found is None:
            raise NotFound(reason=reason("review.no-such-patch-set", change=patch_set.change, patch_set=base))
        return Against(found.commit, found)
    if parent is not None and not 0 < parent <= len(patch_set.parents):
        raise Invalid(reason=reason("review.no-such-parent", parent=parent, patch_set=patch_set.number))
    return Against(patch_set.parents[(parent or 1) - 1] if patch_set.parents else None)
