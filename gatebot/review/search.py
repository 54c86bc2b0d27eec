# SPDX-License-Identifier: Apache-2.0
"""Finding changes: by every identifier that Gerrit knows, and by a query.

Transaction functions. What the asker may not see is not found: changes that are private show only
to owner, reviewers and those who see everything.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TypeAlias

from sqlalchemy import and_, exists, false, func, not_, or_, select, true

from ..db import Session
from ..errors import Invalid, NotFound
from ..reasons import reason
from . import store
from .attention.store import attention
from .model import Change, Status
from .people.store import list_watches
from .query import And, Node, Not, Or, Query, Term, as_written, bad_value, parse
from .query_values import age_seconds, is_change_id, label_term, moment, size_term
from .search_people import (
    COMPARE,
    Clause,
    Labels,
    drafted_by,
    edited_by,
    known_members,
    known_people,
    of_current,
    people,
    person,
    reviewed_by,
    shipped,
    spoken_last,
    unresolved,
    unresolved_threads,
    voted,
    waits_for,
)
from .search_texts import text_clause
from .tables import changes, messages, parents, patch_sets
from .trackers.model import Rule

MOST = 500
Below: TypeAlias = Callable[[Session, str], Sequence[str]]


def alone(_: Session, project: str) -> Sequence[str]:
    """Of a site whose projects inherit nothing."""
    return (project,)


@dataclass(frozen=True, slots=True)
class Asking:
    """Who asks, and when. `sees_all` is set for those whom private changes are not hidden from.

    `labels` tells each project's label of a name; `trackers` are the rules by which messages name what is elsewhere;
    `below` are a project and those that inherit from it.
    """

    account: int | None
    sees_all: bool
    now: datetime
    watching: bool = False
    labels: Labels = shipped
    trackers: tuple[Rule, ...] = ()
    below: Below = alone


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
    return or_(public, changes.c.owner == asking.account, reviewed_by([asking.account]))


def _clause(session: Session, node: Node, asking: Asking) -> Clause:
    match node:
        case And(parts):
            return and_(true(), *(_clause(session, part, asking) for part in parts))
        case Or(parts):
            return or_(false(), *(_clause(session, part, asking) for part in parts))
        case Not(part):
            return not_(_clause(session, part, asking))
        case Term(operator, value):
            try:
                return _term(session, operator, value, asking)
            except Invalid as error:
                raise as_written(error, node) from None


def _term(session: Session, operator: str, value: str, asking: Asking) -> Clause:
    found = text_clause(session, operator, value, asking.trackers)
    if found is not None:
        return found
    match operator:
        case "":
            return _bare(session, value)
        case "change":
            return _bare(session, value) if value.isdecimal() or is_change_id(value) else _triplet(value)
        case "status" | "is":
            return _state(session, operator, value, asking)
        case "has":
            return _has(value, asking)
        case "label":
            return voted(session, label_term(value), asking.account, asking.labels)
        case "age" | "after" | "before" | "mergedafter" | "mergedbefore":
            return _when(operator, value, asking)
        case "parentproject":
            return changes.c.project.in_(asking.below(session, value))
        case "unresolved":
            return unresolved_threads(*size_term(operator, value))
        case "conflicts":
            raise bad_value(operator, value, "it cannot stand in the filter of what somebody watches")
        case "query" | "destination":
            kind = "review.query-no-query" if operator == "query" else "review.query-no-destination"
            raise Invalid(reason=reason(kind, name=value[:100]))
        case "added" | "deleted" | "delta":
            comparison, size = size_term(operator, value)
            lines = {"added": patch_sets.c.added, "deleted": patch_sets.c.deleted}
            column = lines.get(operator, patch_sets.c.added + patch_sets.c.deleted)
            return of_current(COMPARE[comparison](column, size))
        case "ownerin" | "uploaderin" | "reviewerin":
            return person(operator.removesuffix("in"), known_members(session, value))
        case _:
            return _about(session, operator, value, asking)


def _about(session: Session, operator: str, value: str, asking: Asking) -> Clause:
    """What has to do with an account; what others keep for themselves is not told."""
    # Reviewers may be addresses without an account in Gerrit: there such a one is looked for and not found.
    by_address = operator in ("reviewer", "cc") and "@" in value
    ids = (people if by_address else known_people)(session, value, asking.account)
    match operator:
        case "starredby" if not asking.sees_all:
            return person(operator, [id for id in ids if id == asking.account])
        case "draftby":
            return drafted_by([id for id in ids if id == asking.account])
        case "attention":
            return waits_for(ids)
        case "reviewedby":
            return spoken_last(ids)
        case "visibleto":
            if len(ids) != 1:
                raise bad_value(operator, value, "it names one account")
            return visible(Asking(ids[0], False, asking.now))
        case _:
            return person(operator, ids)


def _bare(session: Session, value: str) -> Clause:
    if value.isascii() and value.isdecimal():
        return changes.c.number == int(value) if len(value) < 10 else false()
    if is_change_id(value):
        return _change_id(value)
    if re.fullmatch(r"[0-9a-f]{7,40}", value) is not None:
        found = text_clause(session, "commit", value)
        assert found is not None
        return found
    message = text_clause(session, "message", value) if not value.startswith("^") else None
    named = or_(changes.c.project == value, changes.c.topic == value)
    return named if message is None else or_(message, named)


def _triplet(value: str) -> Clause:
    parts = value.split("~")
    if len(parts) == 2 and parts[1].isascii() and parts[1].isdecimal() and len(parts[1]) < 10:
        return and_(changes.c.project == parts[0], changes.c.number == int(parts[1]))
    if len(parts) != 3:
        raise bad_value("change", value, "write a number, I..., or PROJECT~BRANCH~I...")
    return and_(changes.c.project == parts[0], changes.c.branch == parts[1], changes.c.change_id == parts[2])


def _change_id(value: str) -> Clause:
    """A Change-Id, or all that begin so: by the index, in any case of letters of what is written."""
    wanted = "I" + value[1:].lower()
    if len(wanted) == 41:
        return changes.c.change_id == wanted
    return and_(changes.c.change_id >= wanted, changes.c.change_id < wanted + "g")


def _state(session: Session, operator: str, value: str, asking: Asking) -> Clause:
    match value.lower():
        case "open" | "new" | "pending":
            return changes.c.status == Status.NEW.value
        case "closed":
            return changes.c.status.in_((Status.MERGED.value, Status.ABANDONED.value))
        case "merged" | "abandoned":
            return changes.c.status == value.upper()
        case flag if operator == "is":
            return _is(session, flag, asking)
        case _:
            raise bad_value(operator, value, "the values are open, closed, merged, abandoned")


def _is(session: Session, value: str, asking: Asking) -> Clause:
    own = [] if asking.account is None else [asking.account]
    match value:
        case "wip":
            return changes.c.work_in_progress
        case "private":
            return changes.c.private
        case "started":
            return not_(changes.c.work_in_progress)
        case "visible":
            return visible(asking)
        case "owner" | "uploader" | "reviewer" | "cc":
            return person(value, own)
        case "starred":
            return person("starredby", own)
        case "attention":
            return waits_for(own)
        case "watched":
            return _watched(session, asking)
        case "reviewed":
            return _reviewed()
        case "cherrypick":
            return changes.c.picked_change.is_not(None)
        case "pure-revert":
            # A range, as SQLite uses no index for what is not null; and a list, for there are few reverts.
            reverts = changes.alias("reverts")
            few = select(reverts.c.number).where(reverts.c.revert_of > 0)
            return and_(changes.c.number.in_(few), of_current(patch_sets.c.pure_revert))
        case "merge":
            several = parents.c.position == 1
            here = and_(parents.c.change == changes.c.number, parents.c.patch_set == changes.c.current, several)
            return exists().where(here)
        case "submittable":
            raise bad_value("is", value, "it must hold of all that is found, so it cannot stand inside an OR")
        case _:
            raise bad_value("is", value, f"the values are {_IS}")


_IS = (
    "open, closed, merged, abandoned, wip, private, started, visible, owner, uploader, reviewer, cc, starred, "
    "attention, watched, reviewed, merge, cherrypick, pure-revert, submittable"
)


def _reviewed() -> Clause:
    """Somebody but the owner spoke last, as in Gerrit: what the owner says or pushes asks for another look."""
    last = select(messages.c.account).where(messages.c.change == changes.c.number, messages.c.account.is_not(None))
    speaker = last.order_by(messages.c.id.desc()).limit(1).scalar_subquery()
    return func.coalesce(speaker, changes.c.owner) != changes.c.owner


def _watched(session: Session, asking: Asking) -> Clause:
    """What the asker watches: each project, narrowed by its filter. A filter that asks for itself finds nothing."""
    if asking.account is None or asking.watching:
        return false()
    inside = replace(asking, watching=True)
    parts: list[Clause] = []
    for one in list_watches(session, asking.account):
        try:
            parts.append(and_(changes.c.project == one.project, _clause(session, parse(one.filter).node, inside)))
        except Invalid:  # it named somebody who is no more; the others are still watched
            continue
    return or_(false(), *parts)


def _has(value: str, asking: Asking) -> Clause:
    own = [] if asking.account is None else [asking.account]
    match value.lower():
        case "star" | "stars":
            return person("starredby", own)
        case "draft" | "drafts":
            return drafted_by(own)
        case "edit" | "edits":
            return edited_by(own)
        case "attention":
            return changes.c.number.in_(select(attention.c.change).where(attention.c.active))
        case "unresolved":
            return unresolved()
        case _:
            raise bad_value("has", value, "the values are attention, draft, edit, star, unresolved")


def _when(operator: str, value: str, asking: Asking) -> Clause:
    if operator == "age":
        return changes.c.updated < _before(asking.now, age_seconds(value))
    column = changes.c.submitted if operator.startswith("merged") else changes.c.updated
    at = moment(operator, value)
    found = column >= at if operator.endswith("after") else column <= at
    return and_(changes.c.status == Status.MERGED.value, found) if operator.startswith("merged") else found


def _before(now: datetime, seconds: int) -> datetime:
    try:
        return now - timedelta(seconds=seconds)
    except OverflowError:
        return datetime(1, 1, 1, tzinfo=UTC)
