# SPDX-License-Identifier: Apache-2.0
"""Accounts, changes, patch sets and votes in the shapes of `gerrit query` and `gerrit stream-events`.

Pure. The two differ from REST: moments are seconds, votes are texts, deleted lines are counted below zero. A field
without a value is left out, as Gerrit does, but for those that its own answers always have.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from ...assignment import Json
from .. import gerrit_labels
from ..gerrit_json import TouchedFile
from ..model import PATCH_SET_LEVEL, Change, InlineComment, Message, PatchSet, Vote
from ..whole import ChangeView, Known

People = Mapping[int, Known]
_TYPES = {"A": "ADDED", "D": "DELETED", "R": "RENAMED", "C": "COPIED", "W": "REWRITE"}


def seconds(moment: datetime) -> int:
    """A moment as the seconds of Unix."""
    return int(moment.timestamp())


def account(people: People, id: int | None) -> dict[str, Json]:
    """One account; nothing when it is nobody that is known."""
    known = people.get(id) if id is not None else None
    if known is None:
        return {}
    return {"name": known.name or known.username, "email": known.email, "username": known.username}


def change(of: Change, people: People, site: str, *, message: str = "", always: bool = False) -> dict[str, Json]:
    """The change itself; with `always` its hashtags are there even when it has none, as `query` tells them."""
    told: dict[str, Json] = {"project": of.project, "branch": of.branch}
    if of.topic:
        told["topic"] = of.topic
    told |= {"id": of.change_id, "number": of.number, "subject": of.subject}
    told |= {"owner": account(people, of.owner), "url": f"{site.rstrip('/')}/{of.path}"}
    if message:
        told["commitMessage"] = message
    if of.hashtags or always:
        told["hashtags"] = list(of.hashtags)
    if of.cherry_pick_of is not None:
        told["cherryPickOfChange"], told["cherryPickOfPatchSet"] = of.cherry_pick_of
    told["createdOn"] = seconds(of.created)
    if always:
        told |= {"lastUpdated": seconds(of.updated), "open": of.is_open}
    told["status"] = of.status.value
    told |= {"private": True} if of.private else {}
    return told | ({"wip": True} if of.work_in_progress else {})


def patch_set(of: PatchSet, people: People, touched: Sequence[TouchedFile]) -> dict[str, Json]:
    """One patch set, with the lines that it adds and takes away; those of its message count, as in Gerrit."""
    return {
        "number": of.number,
        "revision": of.commit,
        "parents": list(of.parents),
        "ref": of.ref,
        "uploader": account(people, of.uploader),
        "createdOn": seconds(of.created),
        "author": _author(of, people),
        "kind": of.kind.value,
        "sizeInsertions": sum(file.added for file in touched) + _message_lines(of),
        "sizeDeletions": sum(file.deleted for file in touched),
    }


def files(of: PatchSet, touched: Iterable[TouchedFile]) -> list[Json]:
    """The files of a patch set; its message is one."""
    message: dict[str, Json] = {
        "file": "/COMMIT_MSG",
        "type": "ADDED",
        "insertions": _message_lines(of),
        "deletions": 0,
    }
    found: list[Json] = [message]
    for file in touched:
        entry: dict[str, Json] = {"file": file.path}
        if file.status in ("R", "C"):
            entry["fileOld"] = file.old_path
        entry |= {"type": _TYPES.get(file.status, "MODIFIED"), "insertions": file.added, "deletions": -file.deleted}
        found.append(entry)
    return found


def approvals(votes: Iterable[Vote], people: People) -> list[Json]:
    """Votes with who gave them, and when."""
    return [
        {
            "type": vote.label,
            "description": vote.label,
            "value": str(vote.value),
            "grantedOn": seconds(vote.granted),
            "by": account(people, vote.account),
        }
        for vote in votes
    ]


def submit_approval(of: Change, people: People) -> list[Json]:
    """Gerrit's own vote on what was merged: who submitted it."""
    if of.submitted is None or of.submitter is None:
        return []
    return [{"type": "SUBM", "value": "1", "grantedOn": seconds(of.submitted), "by": account(people, of.submitter)}]


def messages(of: Iterable[Message], people: People) -> list[Json]:
    """The conversation."""
    return [
        {
            "timestamp": seconds(one.created),
            "reviewer": account(people, one.account) or {"name": "Gerrit Code Review"},
            "message": one.text,
        }
        for one in of
    ]


def inline(of: Iterable[InlineComment], people: People) -> list[Json]:
    """Inline comments of a patch set; one on a whole file is at line 0."""
    return [
        {"file": one.file, "line": one.line or 0, "reviewer": account(people, one.account), "message": one.text}
        for one in of
    ]


def level_comments(of: Iterable[InlineComment]) -> dict[str, Json]:
    """What was said of a patch set as a whole, as newer event streams tell it."""
    said: list[Json] = [{"message": one.text} for one in of if one.file == PATCH_SET_LEVEL]
    return {PATCH_SET_LEVEL: said} if said else {}


def dependency(of: Change, its: PatchSet) -> dict[str, Json]:
    """A neighbour in the chain of commits."""
    return {
        "id": of.change_id,
        "number": of.number,
        "revision": its.commit,
        "ref": its.ref,
        "isCurrentPatchSet": its.number == of.current,
    }


def submit_records(view: ChangeView) -> list[Json]:
    """Gerrit's verdict: the record, and what each label has to do with it. Zuul opens its gate by this."""
    (record,) = gerrit_labels.submit_records(view)
    return [{name: value for name, value in record.items() if name != "rule_name"}]


def _author(of: PatchSet, people: People) -> dict[str, Json]:
    """The commit's author, by the account that has the address where there is one."""
    for known in people.values():
        if known.email.lower() == of.author.email.lower():
            return account(people, known.id)
    return {"name": of.author.name, "email": of.author.email}


def _message_lines(of: PatchSet) -> int:
    """The lines of Gerrit's pseudo file of the message: parents, people and dates stand above it."""
    return len(of.parents) + 5 + len(of.message.splitlines())
