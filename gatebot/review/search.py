# SPDX-License-Identifier: Apache-2.0
"""Finding changes: by every identifier that Gerrit knows, and by a query.

Transaction functions. What the asker may not see is not found: changes that are private show only
to owner, reviewers and those who see everything.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, and_, exists, false, not_, or_, select, true

from ..db import Session
from ..errors import Invalid, NotFound
from ..identity import accounts_in
from ..reasons import reason
from . import store
from .model import Change, Status
from .people.store import stars
from .query import And, LabelTerm, Node, Not, Or, Query, Term, age_seconds, is_change_id, label_term
from .rules import DEFAULT
from .tables import changes, hashtags, patch_sets, reviewers, votes

Clause = ColumnElement[bool]
MOST = 500


@dataclass(frozen=True, slots=True)
class Asking:
    """Who asks, and when. `sees_all` is set for those whom private changes are not hidden from."""

    account: int | None
    sees_all: bool
    now: datetime


@dataclass(frozen=True, slots=True)
class Found:
    changes: tuple[Change, ...]
    more: bool


def search(session: Session, query: Query, asking: Asking, limit: int = MOST, start: int = 0) -> Found:
    """The changes that a query describes, those touched last first."""
    limit = max(1, min(limit, query.limit or MOST, MOST))
    clause = and_(_clause(session, query.node, asking), visible(asking))
    wanted = select(changes).where(clause).order_by(changes.c.updated.desc(), changes.c.number.desc())
    found = store.read_changes(session, wanted.limit(limit + 1).offset(max(0, start)))
    return Found(found[:limit], len(found) > limit)


def resolve(session: Session, identifier: str, asking: Asking) -> Change:
    """The one change that an identifier names: `N`, `PROJECT~N`, `PROJECT~BRANCH~I...`, `I...` or a beginning of it."""
    parts = identifier.split("~")
    match parts:
        case [number] | [_, number] if number.isdecimal() and len(number) < 10:
            clause = changes.c.number == int(number)
            if len(parts) == 2:
                clause = and_(clause, changes.c.project == parts[0])
        case [change_id] if is_change_id(change_id):
            clause = _change_id(change_id)
        case [project, branch, change_id] if is_change_id(change_id):
            branch = branch.removeprefix("refs/heads/")
            clause = and_(changes.c.project == project, changes.c.branch == branch, _change_id(change_id))
        case _:
            raise NotFound(reason=reason("review.no-such-change", change=identifier))
    found = store.read_changes(session, select(changes).where(and_(clause, visible(asking))).limit(2))
    match found:
        case (change,):
            return change
        case ():
            raise NotFound(reason=reason("review.no-such-change", change=identifier))
        case _:
            raise NotFound(reason=reason("review.ambiguous", id=identifier))


def visible(asking: Asking) -> Clause:
    """What the asker may see."""
    if asking.sees_all:
        return true()
    public = not_(changes.c.private)
    if asking.account is None:
        return public
    return or_(public, changes.c.owner == asking.account, _reviewed_by(asking.account))


def _clause(session: Session, node: Node, asking: Asking) -> Clause:
    match node:
        case And(parts):
            return and_(true(), *(_clause(session, part, asking) for part in parts))
        case Or(parts):
            return or_(false(), *(_clause(session, part, asking) for part in parts))
        case Not(part):
            return not_(_clause(session, part, asking))
        case Term(operator, value):
            return _term(session, operator, value, asking)


def _term(session: Session, operator: str, value: str, asking: Asking) -> Clause:
    match operator:
        case "":
            return _bare(value)
        case "change":
            return _bare(value) if value.isdecimal() or is_change_id(value) else _triplet(value)
        case "status" | "is":
            return _state(operator, value, asking)
        case "starredby":
            # What others keep for themselves is not told.
            ids = people(session, value, asking)
            return _starred_by(ids if asking.sees_all else [id for id in ids if id == asking.account])
        case "owner" | "uploader" | "reviewer":
            return _person(session, operator, value, asking)
        case "label":
            return _label(session, label_term(value), asking)
        case "age":
            return changes.c.updated < asking.now - timedelta(seconds=age_seconds(value))
        case "after" | "before":
            moment = _moment(operator, value, asking)
            return changes.c.updated >= moment if operator == "after" else changes.c.updated <= moment
        case _:
            return _TEXTS[operator](value)


def _of_current(clause: Clause) -> Clause:
    """A clause on the current patch set."""
    here = (patch_sets.c.change == changes.c.number) & (patch_sets.c.number == changes.c.current)
    return exists().where(here, clause)


def _of_any(clause: Clause) -> Clause:
    return exists().where(patch_sets.c.change == changes.c.number, clause)


_TEXTS: dict[str, Callable[[str], Clause]] = {
    "project": lambda value: changes.c.project == value,
    "projects": lambda value: changes.c.project.startswith(value, autoescape=True),
    "branch": lambda value: changes.c.branch == value.removeprefix("refs/heads/"),
    "topic": lambda value: changes.c.topic == value,
    "intopic": lambda value: changes.c.topic.contains(value, autoescape=True),
    "hashtag": lambda value: exists().where(hashtags.c.change == changes.c.number, hashtags.c.hashtag == value),
    "message": lambda value: _of_current(patch_sets.c.message.icontains(value, autoescape=True)),
    "subject": lambda value: changes.c.subject.icontains(value, autoescape=True),
    "commit": lambda value: _of_any(patch_sets.c.commit.startswith(value.lower(), autoescape=True)),
    "author": lambda value: _of_current(
        or_(
            patch_sets.c.author_email == value.strip("<>"),
            patch_sets.c.author_name.icontains(value, autoescape=True),
        )
    ),
}


def _bare(value: str) -> Clause:
    if value.isdecimal():
        return changes.c.number == int(value) if len(value) < 10 else false()
    if is_change_id(value):
        return _change_id(value)
    return or_(_TEXTS["message"](value), changes.c.project == value, changes.c.topic == value)


def _triplet(value: str) -> Clause:
    parts = value.split("~")
    if len(parts) != 3:
        raise _bad("change", value, "write a number, I..., or PROJECT~BRANCH~I...")
    return and_(changes.c.project == parts[0], changes.c.branch == parts[1], changes.c.change_id == parts[2])


def _change_id(value: str) -> Clause:
    if len(value) == 41:
        return changes.c.change_id == value
    return changes.c.change_id.startswith(value, autoescape=True)


def _state(operator: str, value: str, asking: Asking) -> Clause:
    match value.lower():
        case "open" | "new" | "pending":
            return changes.c.status == Status.NEW.value
        case "closed":
            return changes.c.status != Status.NEW.value
        case "merged" | "abandoned":
            return changes.c.status == value.upper()
        case "wip" if operator == "is":
            return changes.c.work_in_progress
        case "private" if operator == "is":
            return changes.c.private
        case "owner" if operator == "is":
            return changes.c.owner == asking.account if asking.account is not None else false()
        case "reviewer" if operator == "is":
            return _reviewed_by(asking.account) if asking.account is not None else false()
        case "starred" if operator == "is":
            return _starred_by([] if asking.account is None else [asking.account])
        case "watched" if operator == "is":
            # Nobody can watch here yet: nothing is watched, which is not an error of the asker.
            return false()
        case _:
            known = "open, closed, merged, abandoned"
            extra = ", wip, private, owner, reviewer" if operator == "is" else ""
            raise _bad(operator, value, f"the values are {known}{extra}")


def _person(session: Session, operator: str, value: str, asking: Asking) -> Clause:
    ids = people(session, value, asking)
    match operator:
        case "owner":
            return changes.c.owner.in_(ids)
        case "uploader":
            return _of_current(patch_sets.c.uploader.in_(ids))
        case _:
            return exists().where(reviewers.c.change == changes.c.number, reviewers.c.account.in_(ids))


def people(session: Session, value: str, asking: Asking) -> list[int]:
    """The accounts that a word names: `self`, an id, a username, an address, or `Name <address>`."""
    if value in ("self", "me"):
        return [] if asking.account is None else [asking.account]
    wanted = value.rpartition("<")[2].rstrip(">").lower()
    found = accounts_in(session).values()
    return [a.id for a in found if wanted in (a.username.lower(), a.email.lower(), a.name.lower(), str(a.id))]


def _starred_by(ids: Sequence[int]) -> Clause:
    return exists().where(stars.c.change == changes.c.number, stars.c.account.in_(ids))


def _reviewed_by(account: int) -> Clause:
    return exists().where(reviewers.c.change == changes.c.number, reviewers.c.account == account)


def _label(session: Session, term: LabelTerm, asking: Asking) -> Clause:
    label = DEFAULT.label(term.label)
    if label is None:
        return false()
    here = (
        (votes.c.change == changes.c.number) & (votes.c.patch_set == changes.c.current) & (votes.c.label == label.name)
    )
    if term.user:
        here = here & votes.c.account.in_(people(session, term.user, asking))
    match term.value:
        case "ANY":
            return exists().where(here)
        case "MAX":
            return exists().where(here, votes.c.value == label.highest)
        case "MIN":
            return exists().where(here, votes.c.value == label.lowest)
        case int(value):
            compare = {
                "=": votes.c.value == value,
                ">=": votes.c.value >= value,
                "<=": votes.c.value <= value,
                ">": votes.c.value > value,
                "<": votes.c.value < value,
            }[term.comparison]
            # Zero is not stored: nobody having voted counts as a zero.
            of_zero = {"=": value == 0, ">=": value <= 0, "<=": value >= 0, ">": value < 0, "<": value > 0}
            voted = exists().where(here, compare)
            return or_(voted, not_(exists().where(here))) if of_zero[term.comparison] else voted
        case other:
            raise _bad("label", str(other), "the values are numbers, MAX, MIN and ANY")


def _moment(operator: str, value: str, asking: Asking) -> datetime:
    try:
        read = datetime.fromisoformat(value)
    except ValueError:
        raise _bad(operator, value, "write a date as 2026-01-31, or with a time as 2026-01-31T12:00") from None
    return read if read.tzinfo else read.replace(tzinfo=asking.now.tzinfo)


def _bad(operator: str, value: str, why: str) -> Invalid:
    return Invalid(reason=reason("review.query-bad-value", operator=operator, value=value, why=why))
