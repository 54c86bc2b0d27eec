# SPDX-License-Identifier: Apache-2.0
"""What becomes of inline comments when a review is published: rows, and whose turn it is then.

Transaction functions. Drafts of the author are published with the review when it says so; a comment
without a word on it leaves its thread as it found it.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from .. import journal
from ..db import Session
from ..events import CommentAdded
from ..identity import SERVICE_USERS, accounts_in
from . import conversation, store
from .attention import store as attention
from .attention.model import Reply
from .attention.turns import after_reply
from .drafts import Draft
from .model import Change, DraftedComment, InlineComment, Message, Vote
from .threads.store import take_drafts


def comments_of(
    session: Session, account: int, change: int, patch_set: int, draft: Draft, ids: Sequence[str]
) -> list[InlineComment]:
    """The comments that a review publishes; message and time are those of `store_comments`."""
    found = [(id, patch_set, one) for id, one in zip(ids, draft.comments, strict=True)]
    if draft.publish != "KEEP":
        only = patch_set if draft.publish == "PUBLISH" else None
        found += [(one.id, one.patch_set, one.comment) for one in take_drafts(session, account, change, only)]
    return _comments(session, account, change, found, draft.tag)


def store_comments(session: Session, message: Message, comments: Sequence[InlineComment]) -> None:
    """Publish the comments of a message."""
    for one in comments:
        conversation.add_comment(session, InlineComment(
            one.id, one.change, one.patch_set, one.account, one.file, one.text, message.created, message.id, one.line,
            one.side, one.range, one.in_reply_to, one.unresolved, one.tag, one.fixes,
        ))  # fmt: skip


def publish_drafts(
    session: Session, change: int, patch_set: int, account: int, at: datetime, *, turns: bool = True
) -> int:
    """Publish all that an account has written on a change, as a push does; how many comments that were.

    Without `turns` it is nobody else's turn by that.
    """
    drafts = [(one.id, one.patch_set, one.comment) for one in take_drafts(session, account, change, None)]
    if not drafts:
        return 0
    comments = _comments(session, account, change, drafts, "")
    text = f"Patch Set {patch_set}:\n\n({len(comments)} comment{'s' if len(comments) > 1 else ''})"
    said = conversation.add_message(session, change, patch_set, account, text, at)
    store_comments(session, said, comments)
    journal.append(session, CommentAdded(change, patch_set, account, said.id, text, inline=len(comments)), at)
    if turns:
        next_turns(session, store.get_change(session, change), said, (), comments)
    return len(comments)


def next_turns(
    session: Session, change: Change, said: Message, cast: Sequence[Vote], comments: Sequence[InlineComment]
) -> None:
    """Whose turn it is after a review."""
    author = said.account
    known = accounts_in(session, [author]) if author is not None else {}
    if author is None or author not in known:
        return
    reply = Reply(
        author=author,
        owner=change.owner,
        uploader=store.get_patch_set(session, change.number, change.current).uploader,
        participants=_participants(session, change.number, comments),
        bot=SERVICE_USERS in known[author].groups,
        negative=any(vote.value < 0 for vote in cast),
    )
    attention.move(session, change.number, after_reply(reply, known[author].name), said.created)


def _participants(session: Session, change: int, comments: Sequence[InlineComment]) -> frozenset[int]:
    """Who wrote in the threads that are answered."""
    if not any(one.in_reply_to for one in comments):
        return frozenset()
    by_id = {one.id: one for one in conversation.list_comments(session, change)}
    found: set[int] = set()
    for comment in comments:
        before, seen = by_id.get(comment.in_reply_to), set[str]()
        while before is not None and before.id not in seen:
            seen.add(before.id)
            found.add(before.account)
            before = by_id.get(before.in_reply_to)
    return frozenset(found)


def _comments(
    session: Session, account: int, change: int, written: Sequence[tuple[str, int, DraftedComment]], tag: str
) -> list[InlineComment]:
    if not written:
        return []
    known = {one.id: one.unresolved for one in conversation.list_comments(session, change)}
    now = store.get_change(session, change).updated
    found: list[InlineComment] = []
    for id, patch_set, one in written:
        unresolved = known.get(one.in_reply_to, False) if one.unresolved is None else one.unresolved
        found.append(InlineComment(
            id, change, patch_set, account, one.file, one.text, now, 0, one.line, one.side, one.range,
            one.in_reply_to, unresolved, tag, one.fixes,
        ))  # fmt: skip
    return found
