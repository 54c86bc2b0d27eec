# SPDX-License-Identifier: Apache-2.0
"""Keeps comments until their author publishes them, and carries comments to later patch sets.

Publishing itself is part of a review (`../service.py`): drafts, votes and message appear together.
"""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import replace

from ...access import Actor
from ...clock import Clock
from ...db import Database, Session
from ...errors import Invalid
from ...reasons import reason
from ...repo import Repositories
from ...repo.texts import Piece, Texts
from .. import conversation
from ..model import COMMIT_MESSAGE, PATCH_SET_LEVEL, DraftedComment, InlineComment, PatchSet, Side
from ..permission import require_account
from . import store
from .model import StoredDraft
from .porting import Place, ported


class Threads:
    """Drafts and ported comments."""

    def __init__(self, db: Database, repositories: Repositories, clock: Clock) -> None:
        self._db = db
        self._repositories = repositories
        self._clock = clock

    async def drafts(self, actor: Actor, change: int, patch_set: int | None = None) -> tuple[StoredDraft, ...]:
        """What the asker has not published."""
        return await self._db.read(store.list_drafts, require_account(actor), change, patch_set)

    async def draft(self, actor: Actor, change: int, id: str) -> StoredDraft:
        """One of the asker's drafts."""
        return await self._db.read(store.get_draft, require_account(actor), change, id)

    async def keep(self, actor: Actor, patch_set: PatchSet, comment: DraftedComment, id: str = "") -> StoredDraft:
        """Keep a new draft, or the draft of this id as it is now written."""
        account = require_account(actor)
        draft = StoredDraft(
            id or uuid.uuid4().hex[:16], patch_set.change, patch_set.number, account, self._clock.now(), comment
        )
        await self._db.run_silent(_keep, draft, new=not id)
        return draft

    async def drop(self, actor: Actor, change: int, id: str) -> None:
        """Throw a draft away."""
        await self._db.run_silent(_drop, require_account(actor), change, id)

    async def ported(
        self, project: str, comments: Iterable[InlineComment], patch_sets: Sequence[PatchSet], onto: PatchSet
    ) -> tuple[InlineComment, ...]:
        """The comments of older patch sets, where they belong on a newer one."""
        older = [one for one in comments if one.patch_set < onto.number]
        return await asyncio.to_thread(self._ported, project, older, patch_sets, onto)

    def _ported(
        self, project: str, comments: Sequence[InlineComment], patch_sets: Sequence[PatchSet], onto: PatchSet
    ) -> tuple[InlineComment, ...]:
        texts = Texts(self._repositories.store_path(project))
        commits = {one.number: one.commit for one in patch_sets}
        found: list[InlineComment] = []
        known: dict[tuple[int, str], tuple[str | None, tuple[Piece, ...]]] = {}
        for comment in comments:
            if comment.file in (PATCH_SET_LEVEL, COMMIT_MESSAGE) or comment.side is Side.PARENT:
                file = comment.file if comment.side is Side.REVISION else PATCH_SET_LEVEL
                found.append(replace(comment, file=file, line=None, range=None))
                continue
            key = (comment.patch_set, comment.file)
            if key not in known:
                known[key] = self._between(texts, project, commits[comment.patch_set], onto.commit, comment.file)
            place = ported(Place(comment.file, comment.line, comment.range), *known[key])
            found.append(replace(comment, file=place.file, line=place.line, range=place.range))
        return tuple(found)

    def _between(
        self, texts: Texts, project: str, old: str, new: str, path: str
    ) -> tuple[str | None, tuple[Piece, ...]]:
        """What the file is called in the newer commit, and where it differs."""
        before, after = texts.entry(old, path), texts.entry(new, path)
        if after is None:
            renamed = (one.change for one in self._repositories.diff(project, old, new, path, lines=0))
            path = next((one.path for one in renamed if one.status == "R" and one.old_path == path), "")
            after = texts.entry(new, path) if path else None
        if after is None or before is None:
            return (None if after is None else path), ()
        if before.id == after.id or before.binary or after.binary:
            return path, ()
        return path, texts.pieces(texts.data(before.id), texts.data(after.id))


def _keep(session: Session, draft: StoredDraft, *, new: bool) -> None:
    if not new:
        store.get_draft(session, draft.account, draft.change, draft.id)
    answered = draft.comment.in_reply_to
    if answered and answered not in {one.id for one in conversation.list_comments(session, draft.change)}:
        raise Invalid(reason=reason("review.no-such-comment", id=answered, change=draft.change))
    store.put_draft(session, draft)


def _drop(session: Session, account: int, change: int, id: str) -> None:
    store.get_draft(session, account, change, id)
    store.drop_draft(session, account, change, id)
