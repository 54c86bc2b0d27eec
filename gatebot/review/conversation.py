# SPDX-License-Identifier: Apache-2.0
"""The rows of what people and programs say of a change: votes, messages, comments, reviewers.

Transaction functions, like those of `store.py`. They store and read; which vote is allowed is
decided in `service.py`, what the votes mean in `verdict.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import TypeVar

from sqlalchemy import RowMapping, Select, bindparam, delete, insert, select, update

from ..db import Session
from ..identity import accounts_in
from .attention import store as attention
from .attention.model import ABANDONED, ADDED, OUTDATED, READY, SUBMITTED, WIP
from .labels.copying import Renewal
from .labels.outlasting import message_of, removed
from .model import Change, InlineComment, Message, Reviewer, ReviewerState, ReviewerUpdate, Side, TextRange, Vote
from .reviewer_updates import note
from .rules import Rules, copied_votes
from .tables import changes, comments, messages, reviewers, votes

T = TypeVar("T")

# What every vote and message needs: put together once, not each time.
_its_place = (
    votes.c.change == bindparam("change_"),
    votes.c.patch_set == bindparam("patch_set_"),
    votes.c.label == bindparam("label_"),
    votes.c.account == bindparam("account_"),
)
_value = select(votes.c.value).where(*_its_place)
_take_back = delete(votes).where(*_its_place)
_cast = insert(votes)
_say = insert(messages).returning(messages)
_touch = update(changes).where(changes.c.number == bindparam("change_"))
_answered = select(messages.c.id).where(messages.c.event_key == bindparam("event_key"))
_about = (reviewers.c.change == bindparam("change_"), reviewers.c.account == bindparam("account_"))
_state = select(reviewers.c.state).where(*_about)
_ask = insert(reviewers)
_ask_anew = update(reviewers).where(*_about)
_votes_of = (
    select(votes)
    .where(votes.c.change == bindparam("change"))
    .order_by(votes.c.patch_set, votes.c.granted, votes.c.label, votes.c.account)
)


def set_vote(session: Session, change: int, vote: Vote) -> int:
    """Store a vote in place of the account's former one of this label, 0 takes it back; the former value."""
    place = {"change_": change, "patch_set_": vote.patch_set, "label_": vote.label, "account_": vote.account}
    former = session.execute(_value, place).scalar()
    if former is not None:
        session.execute(_take_back, place)
    if vote.value != 0:
        values = {"change": change, "patch_set": vote.patch_set, "label": vote.label, "account": vote.account}
        values |= {"value": vote.value, "granted": vote.granted, "tag": vote.tag, "copied": vote.copied}
        session.execute(_cast, values)
    return former or 0


def list_votes(session: Session, change: int, patch_set: int | None = None) -> tuple[Vote, ...]:
    """The votes of a patch set (or of all), in the order in which they were given."""
    rows = session.execute(_votes_of, {"change": change}).mappings()
    return tuple(_vote(row) for row in rows if patch_set in (None, row["patch_set"]))


def copy_votes(
    session: Session, change: int, before: int, after: int, renewal: Renewal, rules: Rules, at: datetime
) -> str:
    """Let the votes that outlive a new patch set count on it; who cast one that does not has his turn again.

    What becomes of them, as the message of the patch set tells it.
    """
    cast = list_votes(session, change, before)
    people = accounts_in(session, {renewal.uploader, *(vote.account for vote in cast)}) if cast else {}
    renewal = replace(renewal, groups={id: account.groups for id, account in people.items()})
    kept = copied_votes(cast, renewal, after, rules)
    for vote in kept:
        set_vote(session, change, vote)
    still = {(vote.account, vote.label) for vote in kept}
    lost = [vote for vote in cast if (vote.account, vote.label) not in still]
    waiting = [(vote.account, OUTDATED.format(label=f"{vote.label}{vote.value:+d}")) for vote in lost]
    attention.add(session, change, waiting, at)
    names = {id: f"{one.name or one.username} <{one.email}>" for id, one in people.items()}
    return message_of(kept, lost, rules.label, renewal, names)


def outdated(session: Session, numbers: Collection[int]) -> dict[int, tuple[str, ...]]:
    """The votes that the current patch sets of some changes have lost, as a push tells them."""
    found: dict[int, tuple[str, ...]] = {}
    current = select(changes.c.number, changes.c.current).where(changes.c.number.in_(numbers), changes.c.current > 1)
    for number, patch_set in session.execute(current):
        still = {(one.account, one.label) for one in list_votes(session, number, patch_set)}
        cast = list_votes(session, number, patch_set - 1)
        lost = [one for one in cast if one.value and (one.account, one.label) not in still]
        people = accounts_in(session, {one.account for one in lost}) if lost else {}
        if lost:
            found[number] = removed(lost, {id: one.name or one.username for id, one in people.items()})
    return found


def keep_votes(session: Session, change: int, before: int, after: int) -> None:
    """Let every vote count on a patch set that is the one before, as it was merged."""
    for vote in list_votes(session, change, before):
        set_vote(session, change, replace(vote, patch_set=after, copied=True))


def add_message(
    session: Session,
    change: int,
    patch_set: int,
    account: int | None,
    text: str,
    at: datetime,
    *,
    tag: str = "",
    event_key: str | None = None,
) -> Message:
    """Add to the conversation of a change."""
    values = {"change": change, "patch_set": patch_set, "account": account, "text": text}
    values |= {"created": at, "tag": tag, "event_key": event_key}
    row = session.execute(_say, values).mappings().one()
    session.execute(_touch, {"change_": change, "updated": at})
    return _message(row)


def is_reported(session: Session, event_key: str) -> bool:
    """Whether the message that answers this event is already there."""
    return session.execute(_answered, {"event_key": event_key}).first() is not None


def list_messages(session: Session, change: int) -> tuple[Message, ...]:
    """The conversation of a change, oldest first."""
    return messages_of(session, [change]).get(change, ())


def messages_of(session: Session, numbers: Collection[int]) -> dict[int, tuple[Message, ...]]:
    """The conversations of some changes, oldest first."""
    wanted = select(messages).where(messages.c.change.in_(numbers)).order_by(messages.c.id)
    return _by_change(session, wanted, _message)


def add_comment(session: Session, comment: InlineComment) -> None:
    """Publish one inline comment."""
    span = comment.range
    values = {
        "id": comment.id,
        "change": comment.change,
        "patch_set": comment.patch_set,
        "account": comment.account,
        "file": comment.file,
        "line": comment.line,
        "side": comment.side.value,
        "range": range_text(span),
        "text": comment.text,
        "created": comment.created,
        "message": comment.message,
        "in_reply_to": comment.in_reply_to,
        "unresolved": comment.unresolved,
        "tag": comment.tag,
        "fixes": comment.fixes,
    }
    session.execute(insert(comments).values(values))


def blank_comment(session: Session, change: int, id: str, text: str) -> None:
    """Put another text in the place of a comment's."""
    here = (comments.c.change == change) & (comments.c.id == id)
    session.execute(update(comments).where(here).values(text=text, fixes=""))


def list_comments(session: Session, change: int, patch_set: int | None = None) -> tuple[InlineComment, ...]:
    """The inline comments of a patch set (or of all), in the order in which they were written."""
    found = comments_of(session, [change]).get(change, ())
    return tuple(one for one in found if patch_set in (None, one.patch_set))


def comments_of(session: Session, numbers: Collection[int]) -> dict[int, tuple[InlineComment, ...]]:
    """The inline comments of some changes, in the order in which they were written."""
    wanted = select(comments).where(comments.c.change.in_(numbers))
    wanted = wanted.order_by(comments.c.message, comments.c.file, comments.c.line, comments.c.id)
    return _by_change(session, wanted, _comment)


def set_reviewer(
    session: Session, change: int, account: int, state: ReviewerState, at: datetime, *, asked: bool = True, by: int = 0
) -> bool:
    """Make an account a reviewer or a CC; whether that is news. Who is asked to review has the next turn.

    `by` is who did it; 0: the account itself, by what it said.
    """
    former = state_of(session, change, account)
    if former is state:
        return False
    if former is None:
        session.execute(_ask, {"change": change, "account": account, "state": state.value, "since": at})
    else:
        session.execute(_ask_anew, {"change_": change, "account_": account, "state": state.value})
    owner = session.execute(select(changes.c.owner).where(changes.c.number == change)).scalar_one()
    if account != owner:  # as in Gerrit, nothing is told of an owner who votes
        note(session, change, ReviewerUpdate(account, by or account, state.value, at))
    if asked and state is ReviewerState.REVIEWER:
        attention.add(session, change, [(account, ADDED)], at)
    return True


def turn(session: Session, change: int, values: Mapping[str, object], at: datetime) -> None:
    """Whose turn it is when a change is closed, set aside or made ready."""
    match values.get("status"), values.get("work_in_progress"):
        case "MERGED", _:
            attention.clear(session, change, SUBMITTED, at)
        case "ABANDONED", _:
            attention.clear(session, change, ABANDONED, at)
        case _, True:
            attention.clear(session, change, WIP, at)
        case _, False:
            owner = session.execute(select(changes.c.owner).where(changes.c.number == change)).scalar_one()
            asked = [one.account for one in list_reviewers(session, change) if one.state is ReviewerState.REVIEWER]
            attention.add(session, change, [(account, READY) for account in asked if account != owner], at)
        case _:
            pass


def state_of(session: Session, change: int, account: int) -> ReviewerState | None:
    """What an account is to a change."""
    state = session.execute(_state, {"change_": change, "account_": account}).scalar()
    return None if state is None else ReviewerState(state)


def remove_reviewer(
    session: Session, change: int, account: int, patch_set: int, by: int, at: datetime
) -> tuple[Vote, ...] | None:
    """Take an account from the reviewers, with its votes on the patch set; those votes, None when it was none."""
    gone = session.execute(delete(reviewers).where(reviewers.c.change == change, reviewers.c.account == account))
    if gone.rowcount == 0:
        return None
    note(session, change, ReviewerUpdate(account, by, "REMOVED", at))
    lost = tuple(vote for vote in list_votes(session, change, patch_set) if vote.account == account)
    where = (votes.c.change == change, votes.c.patch_set == patch_set, votes.c.account == account)
    session.execute(delete(votes).where(*where))
    return lost


def list_reviewers(session: Session, change: int) -> tuple[Reviewer, ...]:
    """Reviewers and CCs, in the order in which they came."""
    return reviewers_of(session, [change]).get(change, ())


def reviewers_of(session: Session, numbers: Collection[int]) -> dict[int, tuple[Reviewer, ...]]:
    """Reviewers and CCs of some changes, in the order in which they came."""
    wanted = select(reviewers).where(reviewers.c.change.in_(numbers))
    return _by_change(session, wanted.order_by(reviewers.c.since, reviewers.c.account), _reviewer)


def hidden_from(session: Session, found: Iterable[Change], account: int) -> frozenset[int]:
    """Those of some changes that are private, not the account's own, and not reviewed by it."""
    private = [change.number for change in found if change.private and change.owner != account]
    reviewed = reviewers_of(session, private) if private else {}
    return frozenset(one for one in private if account not in {who.account for who in reviewed.get(one, ())})


def recent_reviewers(session: Session, project: str, most: int = 1000) -> tuple[int, ...]:
    """Who was asked for a review in a project, latest first."""
    wanted = select(reviewers.c.account).join(changes, changes.c.number == reviewers.c.change)
    wanted = wanted.where(changes.c.project == project).order_by(reviewers.c.since.desc(), reviewers.c.account)
    return tuple(dict.fromkeys(session.execute(wanted.limit(most)).scalars()))


def votes_of(session: Session, numbers: Collection[int]) -> dict[int, tuple[Vote, ...]]:
    """The votes on the current patch sets of some changes, in the order in which they were given."""
    wanted = (
        select(votes)
        .join(changes, (changes.c.number == votes.c.change) & (changes.c.current == votes.c.patch_set))
        .where(votes.c.change.in_(numbers))
        .order_by(votes.c.granted, votes.c.label, votes.c.account)
    )
    return _by_change(session, wanted, _vote)


def _by_change(
    session: Session, wanted: Select[tuple[object, ...]], read: Callable[[RowMapping], T]
) -> dict[int, tuple[T, ...]]:
    found: dict[int, list[T]] = {}
    for row in session.execute(wanted).mappings():
        found.setdefault(row["change"], []).append(read(row))
    return {number: tuple(rows) for number, rows in found.items()}


def _vote(row: RowMapping) -> Vote:
    return Vote(
        label=row["label"],
        value=row["value"],
        account=row["account"],
        granted=row["granted"],
        patch_set=row["patch_set"],
        tag=row["tag"],
        copied=row["copied"],
    )


def _message(row: RowMapping) -> Message:
    return Message(
        id=row["id"],
        change=row["change"],
        patch_set=row["patch_set"],
        account=row["account"],
        text=row["text"],
        created=row["created"],
        tag=row["tag"],
    )


def _comment(row: RowMapping) -> InlineComment:
    return InlineComment(
        id=row["id"],
        change=row["change"],
        patch_set=row["patch_set"],
        account=row["account"],
        file=row["file"],
        text=row["text"],
        created=row["created"],
        message=row["message"],
        line=row["line"],
        side=Side(row["side"]),
        range=text_range(row["range"]),
        in_reply_to=row["in_reply_to"],
        unresolved=row["unresolved"],
        tag=row["tag"],
        fixes=row["fixes"],
    )


def _reviewer(row: RowMapping) -> Reviewer:
    return Reviewer(account=row["account"], state=ReviewerState(row["state"]), since=row["since"])


def range_text(span: TextRange | None) -> str:
    """A range as a column holds it."""
    if span is None:
        return ""
    return f"{span.start_line}:{span.start_character}-{span.end_line}:{span.end_character}"


def text_range(text: str) -> TextRange | None:
    """The range of a column."""
    if not text:
        return None
    start, end = (part.split(":") for part in text.split("-"))
    return TextRange(int(start[0]), int(start[1]), int(end[0]), int(end[1]))
