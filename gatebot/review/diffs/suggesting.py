# SPDX-License-Identifier: Apache-2.0
"""Makes the edit that a comment suggests the next patch set, and closes the thread.

The edit is the reader's own change edit, so it is made only where he has none begun; what was suggested of
an older patch set is applied where its lines are now.
"""

from __future__ import annotations

from ...access import Actor
from ...errors import Conflict, GatebotError, NotFound
from ...reasons import reason
from ..drafts import Draft
from ..edits.service import Edits
from ..fixes.model import Fix
from ..fixes.suggestion import fix_of
from ..model import Change, DraftedComment, InlineComment, Side
from ..reading import ChangeView, Reading
from ..service import Review
from ..threads.service import Threads

_SAID = "Fix applied."


class Suggesting:
    """Applies suggestions."""

    def __init__(self, reading: Reading, threads: Threads, edits: Edits, review: Review) -> None:
        self._reading = reading
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

    async def _now(self, view: ChangeView, comment: InlineComment) -> InlineComment:
        """The comment where it belongs on the current patch set."""
        if comment.patch_set == view.change.current:
            return comment
        project = view.change.project
        return (await self._threads.ported(project, [comment], view.patch_sets, view.current))[0]


def _fix(comment: InlineComment) -> Fix | None:
    return fix_of(comment.id, comment.file, comment.text, comment.line, comment.range)
