# SPDX-License-Identifier: Apache-2.0
"""The rows of comments that are not published yet.

Transaction functions; only the author's own are ever read.
"""

from __future__ import annotations

from sqlalchemy import (
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    RowMapping,
    String,
    Table,
    Text,
    delete,
    insert,
    select,
)

from ...db import Session, metadata, utc
from ...errors import NotFound, TooLarge
from ...reasons import reason
from ..conversation import range_text, text_range
from ..model import DraftedComment, Side
from .model import StoredDraft

drafts = Table(
    "review_drafts",
    metadata,
    Column("id", String(40), primary_key=True),
    Column("change", Integer, ForeignKey("review_changes.number"), nullable=False),
    Column("patch_set", Integer, nullable=False),
    Column("account", Integer, nullable=False),
    Column("updated", utc, nullable=False),
    Column("file", Text, nullable=False),
    Column("line", Integer),
    Column("side", String(10), nullable=False),
    Column("range", String(80), nullable=False, server_default=""),
    Column("text", Text, nullable=False),
    Column("in_reply_to", String(40), nullable=False, server_default=""),
    Column("unresolved", Boolean),
    Column("fixes", Text, nullable=False, server_default=""),
    Index("ix_review_drafts_account", "account", "change"),
)
MOST = 1000  # of one account on one change


def put_draft(session: Session, draft: StoredDraft) -> None:
    """Keep a draft, in place of the one with its id."""
    drop_draft(session, draft.account, draft.change, draft.id)
    if len(list_drafts(session, draft.account, draft.change)) >= MOST:
        raise TooLarge(reason=reason("review.too-many-drafts", limit=MOST))
    comment = draft.comment
    values = {
        "id": draft.id,
        "change": draft.change,
        "patch_set": draft.patch_set,
        "account": draft.account,
        "updated": draft.updated,
        "file": comment.file,
        "line": comment.line,
        "side": comment.side.value,
        "range": range_text(comment.range),
        "text": comment.text,
        "in_reply_to": comment.in_reply_to,
        "unresolved": comment.unresolved,
        "fixes": comment.fixes,
    }
    session.execute(insert(drafts).values(values))


def list_drafts(session: Session, account: int, change: int, patch_set: int | None = None) -> tuple[StoredDraft, ...]:
    """What an account has not published on a change, or on one of its patch sets."""
    wanted = select(drafts).where(drafts.c.account == account, drafts.c.change == change)
    if patch_set is not None:
        wanted = wanted.where(drafts.c.patch_set == patch_set)
    wanted = wanted.order_by(drafts.c.patch_set, drafts.c.file, drafts.c.line, drafts.c.updated, drafts.c.id)
    return tuple(_draft(row) for row in session.execute(wanted).mappings())


def get_draft(session: Session, account: int, change: int, id: str) -> StoredDraft:
    """One of the account's drafts."""
    found = next((draft for draft in list_drafts(session, account, change) if draft.id == id), None)
    if found is None:
        raise NotFound(reason=reason("review.no-such-draft", id=id, change=change))
    return found


def drop_draft(session: Session, account: int, change: int, id: str) -> bool:
    """Throw a draft away; whether there was one."""
    where = (drafts.c.account == account, drafts.c.change == change, drafts.c.id == id)
    return session.execute(delete(drafts).where(*where)).rowcount > 0


def take_drafts(session: Session, account: int, change: int, patch_set: int | None) -> tuple[StoredDraft, ...]:
    """The drafts that are about to be published, of one patch set or of all: they are drafts no more."""
    taken = list_drafts(session, account, change, patch_set)
    for draft in taken:
        drop_draft(session, account, change, draft.id)
    return taken


def _draft(row: RowMapping) -> StoredDraft:
    comment = DraftedComment(
        file=row["file"],
        text=row["text"],
        line=row["line"],
        side=Side(row["side"]),
        range=text_range(row["range"]),
        in_reply_to=row["in_reply_to"],
        unresolved=row["unresolved"],
        fixes=row["fixes"],
    )
    return StoredDraft(row["id"], row["change"], row["patch_set"], row["account"], row["updated"], comment)
