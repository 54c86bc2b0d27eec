# SPDX-License-Identifier: Apache-2.0
"""Shows the edit that a comment suggests as a small difference; makes it the next patch set, and closes the thread.

The edit is the reader's own change edit, so it is made only where he has none begun; what was suggested of
an older patch set is applied where its lines are now. It is shown beside the lines that it was written for.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence

from ...access import Actor
from ...errors import Conflict, GatebotError, NotFound
from ...reasons import reason
from ..drafts import Draft
from ..edits.service import Edits
from ..files.service import Files
from ..fixes.model import Fix
from ..fixes.suggestion import fix_of, lines_of, suggested, without
from ..model import COMMIT_MESSAGE, Change, DraftedComment, InlineComment, PatchSet, Side
from ..reading import ChangeView, Reading
from ..service import Review
from ..threads.service import Threads
from . import rows
from .replacing import Suggested, replaced

_MOST = 100  # suggestions of a page that are shown beside the lines that are there; of older ones only what is new
_SAID = "Fix applied."


class Suggesting:
    """Shows and applies suggestions."""

    def __init__(self, reading: Reading, files: Files, threads: Threads, edits: Edits, review: Review) -> None:
        self._reading = reading
        self._files = files
        self._threads = threads
        self._edits = edits
        self._review = review

    async def apply(self, actor: Actor, number: int, id: str) -> Change:
        """Apply what a comment suggests; the change with its new patch set."""
        view = await self._reading.view(actor, number)
        comment = next((one for one in view.comments if one.id == id), None)
        if comment is None or comment.side is not Side.REVISION or _fix(comment) is None:
            raise NotFound(reason=reason("review.no-such-suggestion", id=id, change=number))
        if await self._edits.find(actor, number) is not None:
            raise Conflict(reason=reason("review.suggestion-edit", change=number))
        fix = _fix(await self._now(view, comment))
        if fix is None:
            raise Conflict(reason=reason("review.suggestion-outdated", file=comment.file))
        await self._edits.replace(actor, view.change, fix.replacements)
        try:
            changed = await self._edits.publish(actor, view.change)
        except GatebotError:
            await self._edits.drop(actor, view.change)
            raise
        answer = DraftedComment(
            comment.file, _SAID, comment.line, comment.side, comment.range, in_reply_to=id, unresolved=False
        )
        await self._review.post(actor, number, comment.patch_set, Draft(comments=(answer,)))
        return changed

    async def shown(self, view: ChangeView, drafts: Sequence[InlineComment]) -> Mapping[str, Suggested]:
        """Those comments of a change that suggest something, by their ids, with what they suggest."""
        suggest = [one for one in (*view.comments, *drafts) if _fix(one) is not None and one.side is Side.REVISION]
        if not suggest:
            return {}
        newest = suggest[-_MOST:]
        asked = [one for one in newest if one.message and one.file != COMMIT_MESSAGE] if view.change.is_open else []
        moved = await self._threads.ported(view.change.project, asked, view.patch_sets, view.current)
        here = [one for one in asked if one.patch_set == view.change.current]
        can = {one.id for one in (*here, *moved) if _fix(one) is not None}
        return await asyncio.to_thread(self._compared, view, suggest, can)

    def _compared(self, view: ChangeView, suggest: Sequence[InlineComment], can: set[str]) -> dict[str, Suggested]:
        found: dict[str, Suggested] = {}
        patch_sets = {one.number: one for one in view.patch_sets}
        for place, one in enumerate(reversed(suggest)):
            written = patch_sets.get(one.patch_set) if place < _MOST else None
            old = self._lines(view.change.project, written, one) if written is not None else []
            found[one.id] = Suggested(without(one.text), replaced(old, suggested(one.text) or ""), one.id in can)
        return found

    def _lines(self, project: str, patch_set: PatchSet, comment: InlineComment) -> list[str]:
        """The lines that a comment speaks of."""
        half = self._files.half(self._files.texts(project), project, patch_set.commit, comment.file, patch_set)
        first, last = lines_of(comment.line or 0, comment.range)
        return [] if half.binary else rows.lines_of(half.text)[0][max(first - 1, 0) : last]

    async def _now(self, view: ChangeView, comment: InlineComment) -> InlineComment:
        """The comment where it belongs on the current patch set."""
        if comment.patch_set == view.change.current:
            return comment
        project = view.change.project
        return (await self._threads.ported(project, [comment], view.patch_sets, view.current))[0]


def _fix(comment: InlineComment) -> Fix | None:
    return fix_of(comment.id, comment.file, comment.text, comment.line, comment.range)
