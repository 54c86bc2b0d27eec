# SPDX-License-Identifier: Apache-2.0
"""Clauses of queries about people: owners, reviewers, uploaders, groups, who commented, and their votes.

Transaction functions; a name that nobody has is refused, as in Gerrit: an empty answer would hide a mistyped name.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Collection, Mapping, Sequence

from sqlalchemy import ColumnElement, and_, case, exists, false, func, literal, not_, or_, select, true

from ..access_rules import ANONYMOUS, REGISTERED
from ..db import Session
from ..errors import Invalid
from ..identity import accounts_in, addresses, group_in
from ..reasons import reason
from .attention.store import attention
from .edits.store import edits
from .hosting import list_projects
from .labels.model import Label
from .people.store import stars
from .query_values import LabelTerm, pattern
from .rules import rules_of
from .tables import changes, comments, messages, patch_sets, reviewers, votes
from .threads.store import drafts

Clause = ColumnElement[bool]
Labels = Callable[[Session, str], Mapping[str, Label | None]]
COMPARE: Mapping[str, Callable[[ColumnElement[int], int], Clause]] = {
    "=": operator.eq, ">=": operator.ge, "<=": operator.le, ">": operator.gt, "<": operator.lt,
}  # fmt: skip


def people(session: Session, value: str, asker: int | None) -> list[int]:
    """The accounts that a word names: `self`, an id, a username, an address, a name, or `Name <address>`."""
    if value in ("self", "me"):
        return [] if asker is None else [asker]
    wanted = value.rpartition("<")[2].rstrip(">").lower()
    found = accounts_in(session).values()
    if "@" in wanted and (further := addresses.owner(session, wanted)) is not None:
        return [further]
    return [a.id for a in found if wanted in (a.username.lower(), a.email.lower(), a.name.lower(), str(a.id))]


def members(session: Session, group: str) -> list[int]:
    """The accounts of a group."""
    return [a.id for a in accounts_in(session).values() if group.lower() in {name.lower() for name in a.groups}]


def known_people(session: Session, value: str, asker: int | None) -> list[int]:
    """The same, of somebody who is there; `self` of a stranger is nobody."""
    found = people(session, value, asker)
    if not found and value not in ("self", "me"):
        raise Invalid(reason=reason("review.query-no-user", user=value[:100]))
    return found


def known_members(session: Session, group: str) -> list[int]:
    """The accounts of a group that is there, by name, UUID or number."""
    found = group_in(session, group)
    if found is None:
        raise Invalid(reason=reason("review.query-no-group", group=group[:100]))
    return [*accounts_in(session)] if found.name in (ANONYMOUS, REGISTERED) else members(session, found.name)


def of_current(clause: Clause) -> Clause:
    """A clause on the current patch set."""
    here = (patch_sets.c.change == changes.c.number) & (patch_sets.c.number == changes.c.current)
    return exists().where(here, clause)


def person(operator: str, ids: Sequence[int]) -> Clause:
    """Changes that have to do with these accounts, in the way that an operator says."""
    if not ids:
        return false()
    match operator:
        case "owner":
            return changes.c.owner.in_(ids)
        case "uploader":
            return of_current(patch_sets.c.uploader.in_(ids))
        case "reviewer":
            return reviewed_by(ids, "REVIEWER")
        case "cc":
            return reviewed_by(ids, "CC")
        case "commentby":
            return _said_by(ids)
        case "starredby":
            return changes.c.number.in_(select(stars.c.change).where(stars.c.account.in_(ids)))
        case _:  # from
            return or_(changes.c.owner.in_(ids), _said_by(ids))


def waits_for(ids: Collection[int]) -> Clause:
    """Changes on which it is the turn of these accounts."""
    return changes.c.number.in_(select(attention.c.change).where(attention.c.account.in_(ids), attention.c.active))


def drafted_by(ids: Collection[int]) -> Clause:
    """Changes on which these accounts have written what they have not published."""
    return changes.c.number.in_(select(drafts.c.change).where(drafts.c.account.in_(ids)))


def edited_by(ids: Collection[int]) -> Clause:
    """Changes with an edit of these accounts that is not published."""
    return changes.c.number.in_(select(edits.c.change).where(edits.c.account.in_(ids)))


def reviewed_by(ids: Collection[int], state: str = "") -> Clause:
    """Changes that these accounts review, or are kept informed of."""
    found = select(reviewers.c.change).where(reviewers.c.account.in_(ids))
    return changes.c.number.in_(found if not state else found.where(reviewers.c.state == state))


def _said_by(ids: Sequence[int]) -> Clause:
    said = select(messages.c.change).where(messages.c.account.in_(ids), messages.c.tag == "")
    commented = select(comments.c.change).where(comments.c.account.in_(ids))
    return or_(changes.c.number.in_(said), changes.c.number.in_(commented))


def shipped(session: Session, name: str) -> Mapping[str, Label | None]:
    """Each project's label of a name, where no `project.config` says another thing."""
    return {one.name: rules_of(one.rules).label(name) for one in list_projects(session)}


def voted(session: Session, term: LabelTerm, asker: int | None, labels: Labels) -> Clause:
    """Changes with such votes on their current patch set; nobody having voted counts as a zero.

    A label is what each project says that it is; where it has none of this name, nothing is found.
    """
    known = labels(session, term.label)
    names = {label.name for label in known.values() if label is not None}
    if not names:
        return false()
    here = and_(votes.c.change == changes.c.number, votes.c.patch_set == changes.c.current, votes.c.label.in_(names))
    here = and_(here, *_voters(session, term, asker))
    match term.value:
        case "ANY":
            return _counted(here, term)
        case "MAX":
            return _counted(and_(here, _by_project(known, lambda label: votes.c.value == label.highest)), term)
        case "MIN":
            return _counted(and_(here, _by_project(known, lambda label: votes.c.value == label.lowest)), term)
        case str():
            return false()
        case int(value):
            cast = and_(here, COMPARE[term.comparison](votes.c.value, value))
            of_zero = {"=": value == 0, ">=": value <= 0, "<=": value >= 0, ">": value < 0, "<": value > 0}
            found = _counted(cast, term)
            if not of_zero[term.comparison]:
                return found
            return or_(found, and_(not_(exists().where(here)), _by_project(known, _on_its_branches)))


def _by_project(known: Mapping[str, Label | None], asked: Callable[[Label], Clause]) -> Clause:
    """What is asked of a label, for the projects that say the same of it."""
    alike: dict[tuple[int, int, tuple[str, ...]], list[str]] = {}
    of: dict[tuple[int, int, tuple[str, ...]], Label] = {}
    for project, label in known.items():
        if label is not None:
            key = (label.lowest, label.highest, label.branches)
            alike.setdefault(key, []).append(project)
            of[key] = label
    parts = [
        asked(of[key]) if len(those) == len(known) else and_(changes.c.project.in_(those), asked(of[key]))
        for key, those in alike.items()
    ]
    return or_(false(), *parts)


def _on_its_branches(label: Label) -> Clause:
    if not label.branches:
        return true()
    ref = case(
        (changes.c.branch.startswith("refs/"), changes.c.branch), else_=literal("refs/heads/") + changes.c.branch
    )
    found: list[Clause] = []
    for wanted in label.branches:
        matching = pattern("label", wanted)
        if matching is not None:
            found.append(ref.regexp_match(matching))
        else:
            found.append(ref.startswith(wanted[:-1], autoescape=True) if wanted.endswith("/*") else ref == wanted)
    return or_(*found)


def _counted(cast: Clause, term: LabelTerm) -> Clause:
    if term.count is None:
        return exists().where(cast)
    comparison, number = term.count
    many = select(func.count()).select_from(votes).where(cast).correlate(changes).scalar_subquery()
    return COMPARE[comparison](many, number)


def _voters(session: Session, term: LabelTerm, asker: int | None) -> list[Clause]:
    found: list[Clause] = []
    uploader = select(patch_sets.c.uploader).where(
        patch_sets.c.change == changes.c.number, patch_sets.c.number == changes.c.current
    )
    match term.user:
        case "":
            pass
        case "owner":
            found.append(votes.c.account == changes.c.owner)
        case "uploader":
            found.append(votes.c.account == uploader.correlate(changes).scalar_subquery())
        case "non_uploader":
            found.append(votes.c.account != uploader.correlate(changes).scalar_subquery())
        case name:
            found.append(votes.c.account.in_(_person_or_group(session, name, asker)))
    if term.group:
        found.append(votes.c.account.in_(known_members(session, term.group)))
    return found


def _person_or_group(session: Session, name: str, asker: int | None) -> list[int]:
    found = people(session, name, asker)
    if found or name in ("self", "me"):
        return found
    if group_in(session, name) is None:
        raise Invalid(reason=reason("review.query-no-voter", name=name[:100]))
    return known_members(session, name)


def spoken_last(ids: Collection[int]) -> Clause:
    """Changes of which these accounts said something after all that their owners said, as in Gerrit."""
    if not ids:
        return false()
    own = select(func.max(messages.c.id)).where(messages.c.change == changes.c.number)
    own = own.where(messages.c.account == changes.c.owner).correlate(changes)
    after = messages.c.id > func.coalesce(own.scalar_subquery(), 0)
    here = exists().where(messages.c.change == changes.c.number, messages.c.account.in_(ids), after)
    # As a list for all that they said; the sum keeps SQLite from beginning with it, as below.
    said = select(messages.c.change).where(messages.c.account.in_(ids))
    return and_((changes.c.number + 0).in_(said), here, not_(changes.c.owner.in_(ids)))


def unresolved_threads(comparison: str, number: int) -> Clause:
    """Changes with so many threads whose last comment is not resolved."""
    match comparison:
        case ">=":
            return _unresolved_at_least(number)
        case ">":
            return _unresolved_at_least(number + 1)
        case "<":
            return not_(_unresolved_at_least(number))
        case "<=":
            return not_(_unresolved_at_least(number + 1))
        case _:
            return and_(_unresolved_at_least(number), not_(_unresolved_at_least(number + 1)))


def _unresolved_at_least(number: int) -> Clause:
    if number <= 1:
        return unresolved() if number else true()
    answer = comments.alias("answer")
    answered = exists().where(answer.c.change == comments.c.change, answer.c.in_reply_to == comments.c.id)
    here = and_(comments.c.change == changes.c.number, comments.c.unresolved, not_(answered))
    many = select(func.count()).select_from(comments).where(here).correlate(changes).scalar_subquery()
    return and_(unresolved(), many >= number)


def unresolved() -> Clause:
    """Changes with a thread whose last comment is not resolved."""
    answer = comments.alias("answer")
    # By its change: most comments answer nothing, so to SQLite's statistics the index of answers seems useless.
    answered = exists().where(answer.c.change == comments.c.change, answer.c.in_reply_to == comments.c.id)
    # Those that may be, as a list; whether one is, is asked of each change: a list of the newest has to ask few.
    # The sum keeps SQLite from beginning with that list, and so from asking of all.
    candidates = (changes.c.number + 0).in_(select(comments.c.change).where(comments.c.unresolved))
    return candidates & exists().where(comments.c.change == changes.c.number, comments.c.unresolved, not_(answered))
