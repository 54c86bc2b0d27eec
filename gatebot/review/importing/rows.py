# SPDX-License-Identifier: Apache-2.0
"""The rows of changes that come from another Gerrit.

Transaction functions. They tell the journal nothing: what happened elsewhere, years ago perhaps, is no news here, and
nobody shall be mailed or test anything for it. A change that was worked on here since it was brought is left alone.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from hashlib import sha256

from sqlalchemy import delete, func, insert, select, update

from ... import journal
from ...db import Session
from .. import conversation, intents
from .. import store as changes_store
from ..attention.store import attention
from ..model import Upload
from ..tables import changes, comments, counters, hashtags, messages, patch_sets, reviewers, votes
from . import store
from .model import Listed, Mark, TheirChange, Told
from .reading import moment

_MANY = 500
_REFILLED = (votes, reviewers, hashtags, attention)


@dataclass(frozen=True, slots=True)
class Written:
    """What became of a change: what was brought of it; `left`: it was worked on here."""

    told: Told
    left: bool = False


def allot(session: Session, source: str, wanted: Collection[Listed]) -> dict[int, int]:
    """A number here for each of their changes: the one that it has there where that is free."""
    known = store.marks(session, source, "change")
    found = {int(theirs): int(one.here) for theirs, one in known.items()}
    new = sorted({one.number for one in wanted} - found.keys())
    taken = _taken(session, new) | store.promised(session, "change")
    _count_from(session, max([*new, *found.values()], default=0))
    for number in new:
        found[number] = number if number not in taken else intents.allocate_changes(session)
        store.mark(session, source, "change", str(number), Mark(str(found[number])))
    return found


def _taken(session: Session, numbers: list[int]) -> set[int]:
    found: set[int] = set()
    for start in range(0, len(numbers), _MANY):
        some = numbers[start : start + _MANY]
        found |= set(session.execute(select(changes.c.number).where(changes.c.number.in_(some))).scalars())
        found |= _told(session, some)
    return found


def _told(session: Session, numbers: Collection[int]) -> set[int]:
    """Those of which something happened here: who was asked for a review, whose turn it is, what was deleted.

    Not all of that touches a change; and an import tells the journal nothing.
    """
    known = journal.known(session, [f"change/{number}" for number in numbers])
    return {number for number in numbers if f"change/{number}" in known}


def deleted(session: Session, source: str, theirs: Collection[int]) -> set[int]:
    """Those of their changes that were brought, and deleted here."""
    known = store.marks(session, source, "change")
    brought = {one: int(known[str(one)].here) for one in theirs if str(one) in known and known[str(one)].seen}
    here: set[int] = set()
    wanted = sorted(brought.values())
    for start in range(0, len(wanted), _MANY):
        some = changes.c.number.in_(wanted[start : start + _MANY])
        here |= set(session.execute(select(changes.c.number).where(some)).scalars())
    return {one for one, number in brought.items() if number not in here}


def _count_from(session: Session, least: int) -> None:
    """Let numbers of new changes begin behind these."""
    value = session.execute(select(counters.c.value).where(counters.c.name == "change")).scalar()
    if value is None and least:
        session.execute(insert(counters).values(name="change", value=least))
    elif value is not None and value < least:
        session.execute(update(counters).where(counters.c.name == "change").values(value=least))


def renumbered(change: TheirChange, numbers: Mapping[int, int], people: Mapping[int, int]) -> TheirChange:
    """A change with the numbers that it and its people have here."""
    here = numbers[change.number]
    picked = change.picked_from
    return replace(
        change,
        number=here,
        owner=people[change.owner],
        submitter=people[change.submitter] if change.submitter is not None else None,
        revert_of=numbers.get(change.revert_of) if change.revert_of is not None else None,
        picked_from=(numbers[picked[0]], picked[1]) if picked is not None and picked[0] in numbers else None,
        patch_sets=tuple(replace(one, uploader=people[one.uploader]) for one in change.patch_sets),
        messages=tuple(
            replace(one, account=people[one.account] if one.account is not None else None) for one in change.messages
        ),
        comments=tuple(
            (message, replace(one, change=here, account=people[one.account])) for message, one in change.comments
        ),
        votes=tuple(replace(one, account=people[one.account]) for one in change.votes),
        reviewers=tuple(replace(one, account=people[one.account]) for one in change.reviewers),
        attention=tuple(replace(one, account=people[one.account]) for one in change.attention),
    )


def write(session: Session, source: str, theirs: int, change: TheirChange, uploads: Mapping[int, Upload]) -> Written:
    """Everything about a change (as `renumbered`), whose number there is `theirs`; `uploads` by patch set."""
    told, known = Told(), store.mark_of(session, source, "change", str(theirs))
    row = session.execute(select(changes.c.updated).where(changes.c.number == change.number)).one_or_none()
    brought = known.seen if known is not None else ""
    if row is not None and (not brought or row.updated != moment(brought) or _told(session, [change.number])):
        return Written(told, left=True)
    values = _values(session, change, told)
    if row is None:
        session.execute(insert(changes).values(number=change.number, **values))
        told.count("changes")
    else:
        session.execute(update(changes).where(changes.c.number == change.number).values(values))
    there = {one.number for one in changes_store.list_patch_sets(session, change.number)}
    for one in change.patch_sets:
        if one.number not in there:
            upload = uploads[one.number]
            changes_store.insert_patch_set(session, change.number, one.number, upload, one.kind, one.created)
            told.count("patch sets")
    _speak(session, source, change, told)
    _refill(session, change, told)
    store.mark(session, source, "change", str(theirs), Mark(str(change.number), change.seen))
    return Written(told)


def _values(session: Session, change: TheirChange, told: Told) -> dict[str, object]:
    picked = change.picked_from or (None, None)
    last = next(one for one in change.patch_sets if one.number == change.current)
    merged = change.status == "MERGED"
    return {
        "project": change.project,
        "branch": change.branch,
        "change_id": _change_id(session, change, told),
        "subject": change.subject,
        "status": change.status,
        "owner": change.owner,
        "current": change.current,
        "created": change.created,
        "updated": change.updated,
        "topic": change.topic,
        "work_in_progress": change.work_in_progress,
        "private": change.private,
        "submitted": (change.submitted or change.updated) if merged else None,
        "submitter": change.submitter,
        "merged_as": last.commit if merged else "",
        "submission": change.submission[:80] if merged else "",
        "revert_of": change.revert_of,
        "picked_change": picked[0],
        "picked_patch_set": picked[1],
    }


def _change_id(session: Session, change: TheirChange, told: Told) -> str:
    """A Change-Id names one change of a branch; where old checks let a second one pass, that one gets another."""
    same = (
        (changes.c.project == change.project) & (changes.c.branch == change.branch)
        & (changes.c.change_id == change.change_id) & (changes.c.number != change.number)
    )  # fmt: skip
    if session.execute(select(changes.c.number).where(same)).first() is None:
        return change.change_id
    made = f"{change.change_id}-{change.number}"
    told.note(f"Change {change.number} has the Change-Id {made} here: another of its branch has {change.change_id}.")
    return made


def _speak(session: Session, source: str, change: TheirChange, told: Told) -> None:
    """Messages and comments that are not here yet."""
    heard: dict[str, int] = {}
    for one in change.messages:
        key = f"import:{sha256(f'{source} {change.number} {one.id}'.encode()).hexdigest()[:40]}"
        row = {"patch_set": one.patch_set, "account": one.account, "text": one.text, "created": one.created}
        found = session.execute(select(messages.c.id).where(messages.c.event_key == key)).scalar()
        if found is None:
            told.count("messages")
            new = insert(messages).values(change=change.number, tag=one.tag, event_key=key, **row)
            found = session.execute(new.returning(messages.c.id)).scalar_one()
        heard[one.id] = found
    known = {one.id for one in conversation.list_comments(session, change.number)}
    names = {one.id: _own_id(session, source, change.number, one.id, known) for _, one in change.comments}
    first = min(heard.values(), default=0)
    for message, one in change.comments:
        if names[one.id] not in known:
            told.count("comments")
            answered = names.get(one.in_reply_to, one.in_reply_to)
            new = replace(one, id=names[one.id], in_reply_to=answered, message=heard.get(message, first))
            conversation.add_comment(session, new)


def _own_id(session: Session, source: str, change: int, id: str, known: Collection[str]) -> str:
    """The id of a comment: theirs, but where a comment of another change has it."""
    made = sha256(f"{source} {change} {id}".encode()).hexdigest()[:16]
    if id in known or made in known:
        return id if id in known else made
    taken = len(id) > 40 or session.execute(select(comments.c.id).where(comments.c.id == id)).first() is not None
    return made if taken else id


def _refill(session: Session, change: TheirChange, told: Told) -> None:
    """Votes, reviewers, hashtags and whose turn it is, as they are there."""
    before = len(conversation.list_votes(session, change.number))
    for table in _REFILLED:
        session.execute(delete(table).where(table.c.change == change.number))
    since = {one.number: one.created for one in change.patch_sets}
    for vote in change.votes:
        copied = vote.patch_set in since and vote.granted < since[vote.patch_set]
        conversation.set_vote(session, change.number, replace(vote, copied=copied))
    # Two accounts of there may be one person here.
    for one in {one.account: one for one in reversed(change.reviewers)}.values():
        row = {"account": one.account, "state": one.state.value, "since": one.since}
        session.execute(insert(reviewers).values(change=change.number, **row))
    for tag in dict.fromkeys(tag[:255] for tag in change.hashtags):
        session.execute(insert(hashtags).values(change=change.number, hashtag=tag))
    for turn in {one.account: one for one in reversed(change.attention)}.values():
        row = {"account": turn.account, "active": turn.active, "since": turn.since, "reason": turn.reason}
        session.execute(insert(attention).values(change=change.number, **row))
    told.count("votes", max(0, len(conversation.list_votes(session, change.number)) - before))


def counted(session: Session, numbers: Collection[int]) -> dict[str, int]:
    """How many of these changes are here by status, and how much there is of them."""
    found: dict[str, int] = {}

    def add(what: str, number: int) -> None:
        found[what] = found.get(what, 0) + number

    wanted = sorted(numbers)
    for start in range(0, len(wanted), _MANY):
        some = wanted[start : start + _MANY]
        by_status = select(changes.c.status, func.count()).where(changes.c.number.in_(some)).group_by(changes.c.status)
        for status, number in session.execute(by_status):
            add(status, number)
        for what, table in (("patch sets", patch_sets), ("messages", messages), ("comments", comments)):
            add(what, session.execute(select(func.count()).where(table.c.change.in_(some))).scalar_one())
        current = (votes.c.change == changes.c.number) & (votes.c.patch_set == changes.c.current)
        cast = select(func.count()).select_from(votes.join(changes, current)).where(votes.c.change.in_(some))
        add("votes", session.execute(cast).scalar_one())
    return found


def is_busy(session: Session) -> bool:
    """Whether a push or a landing was begun and not finished: the next start of the server settles it."""
    return bool(intents.open_intents(session))
