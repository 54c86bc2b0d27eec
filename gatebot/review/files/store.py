# SPDX-License-Identifier: Apache-2.0
"""Which files of which patch set an account has read.

Transaction functions. A mark is for one patch set: of the next one the file has to be read again, because
it may say something else by then.
"""

from __future__ import annotations

from sqlalchemy import Column, ForeignKey, Integer, Table, Text, delete, func, insert, select

from ...db import Session, metadata

reviewed = Table(
    "review_reviewed",
    metadata,
    Column("account", Integer, primary_key=True),
    Column("change", Integer, ForeignKey("review_changes.number"), primary_key=True),
    Column("patch_set", Integer, primary_key=True),
    Column("file", Text, primary_key=True),
)


def _place(account: int, change: int, patch_set: int, file: str) -> dict[str, int | str]:
    return {"account": account, "change": change, "patch_set": patch_set, "file": file}


def set_reviewed(session: Session, account: int, change: int, patch_set: int, file: str) -> bool:
    """Mark a file as read; whether it was not before."""
    place = _place(account, change, patch_set, file)
    if session.execute(select(reviewed.c.file).filter_by(**place)).first() is not None:
        return False
    session.execute(insert(reviewed).values(place))
    return True


def unset_reviewed(session: Session, account: int, change: int, patch_set: int, file: str) -> None:
    """Take the mark away; nothing happens when there is none."""
    session.execute(delete(reviewed).filter_by(**_place(account, change, patch_set, file)))


def reviewed_files(session: Session, account: int, change: int, patch_set: int) -> tuple[str, ...]:
    """The files of a patch set that an account has read."""
    wanted = select(reviewed.c.file).filter_by(account=account, change=change, patch_set=patch_set)
    return tuple(session.execute(wanted.order_by(reviewed.c.file)).scalars())


def last_reviewed(session: Session, account: int, change: int, before: int) -> int:
    """The newest patch set below a number of which an account has read a file; 0: none."""
    wanted = select(func.max(reviewed.c.patch_set)).filter_by(account=account, change=change)
    return session.execute(wanted.where(reviewed.c.patch_set < before)).scalar() or 0
