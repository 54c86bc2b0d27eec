# SPDX-License-Identifier: Apache-2.0
"""Clauses of queries about texts: commit messages, authors, comments, files, footers, topics.

Transaction functions. Every clause is exact on both databases; on SQLite an index of three-letter
pieces (`review_search`) first finds the few changes that can fit at all.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence

from sqlalchemy import ColumnElement, Integer, and_, cast, exists, false, func, literal, not_, or_, select, text, union

from ..db import Session
from .query import bad_value
from .query_values import pattern
from .search_files import files
from .search_people import Clause, of_current
from .tables import changes, comments, hashtags, messages, parents, patch_sets, projects
from .trackers.model import Rule
from .trackers.rules import named

_FEW = 1000  # numbers that a clause names; where more can fit, the newest are found without them
_TAIL = 12  # letters that are looked for first: each piece of a long text costs, and few texts end alike
_MOST_NAMING = 10_000  # changes that name one thing of a tracker; past them, the newest
_A_NUMBER = "write the number of a change"
_TRACKERS = ("bug", "closes-bug", "partial-bug", "related-bug", "implements", "story", "task", "issue", "fixes")


def text_clause(session: Session, operator: str, value: str, trackers: Sequence[Rule] = ()) -> Clause | None:
    """The clause of an operator that is about text; None when it is not. `trackers` are the rules of `tr:`."""
    if operator == "tr":
        return _tracked(session, value.removeprefix("#"), trackers)
    if operator in ("message", "subject", "prefixsubject", "author", "committer", "footer", "hasfooter"):
        return _of_commit(session, operator, value)
    if operator in ("file", "path", "dir", "ext", "onlyexts"):
        return _of_files(session, operator, value)
    if operator == "comment":
        return _commented(value)
    if operator == "project":
        return _project(session, value)
    made = _PLACES.get(operator)
    return made(operator, value) if made is not None else None


def _has(column: ColumnElement[str], value: str) -> Clause:
    return column.icontains(value, autoescape=True)  # type: ignore[attr-defined]


def _like(operator: str, column: ColumnElement[str], value: str) -> Clause:
    """Equal, or fitting a regular expression."""
    matching = pattern(operator, value)
    return column == value if matching is None else column.regexp_match(matching)


def _of_commit(session: Session, operator: str, value: str) -> Clause:
    message = patch_sets.c.message
    match operator:
        case "message" if (matching := pattern(operator, value)) is not None:
            return of_current(message.regexp_match(f"^((.|\\n)*{matching[1:-1]}(.|\\n)*)$"))
        case "message":
            return narrowed(session, "message", value, of_current(_has(message, value)))
        case "subject":
            return narrowed(session, "message", value, _has(changes.c.subject, value))
        case "prefixsubject":
            return changes.c.subject.istartswith(value, autoescape=True)
        case "author" | "committer":
            return _of_person(session, operator, value.rpartition("<")[2].strip("<>") if "<" in value else value)
        case "hasfooter":
            return _with_footer(session, value)
        case _:
            name, equals, rest = value.partition("=") if "=" in value else value.partition(":")
            line = f"{name.strip()}: {rest.strip()}" if equals and rest.strip() else f"{name.strip()}: "
            end = "\n" if equals and rest.strip() else ""
            whole = literal("\n").concat(message).concat("\n")
            return narrowed(session, "message", line, of_current(_has(whole, f"\n{line}{end}")))


def _with_footer(session: Session, name: str) -> Clause:
    """Changes with a footer of this name, in these very letters, in the last paragraph of their message."""
    if re.fullmatch(r"[A-Za-z0-9-]{1,100}", name) is None:
        raise bad_value("hasfooter", name, "write the name of a footer, as Signed-off-by")
    message = patch_sets.c.message
    named = literal("\n").concat(message).regexp_match(f"^((.|\\n)*\\n{name}:[^\\n]*(\\n[^\\n]+)*\\n*)$")
    return narrowed(session, "message", f"{name}:", of_current(and_(_has(message, f"\n{name}:"), named)))


def _tracked(session: Session, id: str, rules: Sequence[Rule]) -> Clause:
    """Changes whose message names something of a tracker: in the usual footers, or as the site's rules find it."""
    whole = literal("\n").concat(patch_sets.c.message).concat("\n")
    usual = [_has(whole, f"\n{name}: {sign}{id}\n") for name in _TRACKERS for sign in ("", "#")]
    clause = narrowed(session, "message", id, of_current(or_(*usual)))
    if not rules or not id:
        return clause
    current = (patch_sets.c.change == changes.c.number) & (patch_sets.c.number == changes.c.current)
    names = {name for rule in rules for name in rule.footers} if all(rule.footers for rule in rules) else ()
    fits = and_(
        _has(patch_sets.c.message, id), *([or_(*(_has(whole, f"\n{name}") for name in names))] if names else ())
    )
    wanted = select(changes.c.number, patch_sets.c.message).join(patch_sets, current)
    rows = session.execute(wanted.where(narrowed(session, "message", id, fits)).order_by(changes.c.number.desc()))
    wish = id.lower()
    found = [row.number for row in rows if any(one.id.lower() == wish for one in named(row.message, rules))]
    return or_(clause, changes.c.number.in_(found[:_MOST_NAMING]))


def _of_person(session: Session, operator: str, wanted: str) -> Clause:
    """The address as a whole, or a part of the name. There are few people and many commits: first, who they are."""
    name, email = patch_sets.c[f"{operator}_name"], patch_sets.c[f"{operator}_email"]
    ways = (
        _spelled(session, email, lambda column: column.ilike(_exactly(wanted), escape="/")),
        _spelled(session, name, lambda column: _has(column, wanted)),
    )
    known = [way for way in ways if way is not None]
    if not known:
        return false()
    spelled = or_(*known)
    # Each way by its own index: asked for both at once, SQLite reads all patch sets.
    found = union(*(select(patch_sets.c.change).where(way) for way in known)).limit(_FEW + 1)
    return _among(session, session.execute(found).scalars().all(), of_current(spelled))


def _spelled(
    session: Session, column: ColumnElement[str], fits: Callable[[ColumnElement[str]], Clause]
) -> Clause | None:
    """Equal to one of the values that fit; None: there are none. An indexed column is asked for them, one step of its
    index for each."""
    known = select(func.min(column).label("value")).cte("known", recursive=True)
    following = select(func.min(column)).where(column > known.c.value).scalar_subquery()
    known = known.union_all(select(following).where(known.c.value.is_not(None)))
    wanted = select(known.c.value).where(known.c.value.is_not(None), fits(known.c.value)).limit(_FEW + 1)
    values = session.execute(wanted).scalars().all()
    if not values:
        return None
    return column.in_(values) if len(values) <= _FEW else fits(column)


def narrowed(session: Session, column: str, value: str, clause: Clause) -> Clause:
    """The clause, and where few changes can fit, their numbers."""
    if session.dialect.name != "sqlite" or len(value) < 3 or not value.isascii():
        return clause
    numbers = _pieced(session, column, value[-_TAIL:])
    if len(numbers) > _FEW and len(value) > _TAIL:
        numbers = _pieced(session, column, value)
    return _among(session, numbers, clause)


def _pieced(session: Session, column: str, value: str) -> list[int]:
    """The changes that have these letters, in the index of three-letter pieces; no more than just too many."""
    quoted = value.replace('"', '""')
    asked = {"q": f'{column} : "{quoted}"', "few": _FEW + 1}
    rows = session.execute(text("SELECT rowid FROM review_search WHERE review_search MATCH :q LIMIT :few"), asked)
    return list(rows.scalars())


def _among(session: Session, numbers: Sequence[int], clause: Clause) -> Clause:
    """The clause, looked for among these changes alone. Of many the newest are found sooner without them."""
    if len(numbers) > _FEW:
        return clause
    if session.dialect.name != "sqlite":
        return and_(changes.c.number.in_(numbers), clause)
    # One parameter: a thousand of them cost more of our time than the whole query of SQLite's.
    each = func.json_each(json.dumps(numbers)).table_valued("value")
    return and_(changes.c.number.in_(select(cast(each.c.value, Integer))), clause)


def _exactly(value: str) -> str:
    return value.replace("/", "//").replace("%", "/%").replace("_", "/_")


def _commented(value: str) -> Clause:
    said = exists().where(messages.c.change == changes.c.number, _has(messages.c.text, value))
    return or_(said, exists().where(comments.c.change == changes.c.number, _has(comments.c.text, value)))


def _of_files(session: Session, operator: str, value: str) -> Clause:
    path = files.c.path
    here = files.c.change == changes.c.number
    matching = pattern(operator, value)
    if matching is not None and operator in ("file", "path", "dir"):
        within = path.regexp_match(matching if operator != "dir" else f"{matching[:-1]}/(.*)$")
        return exists().where(here, within)
    match operator:
        case "path":
            return changes.c.number.in_(select(files.c.change).where(path == value))
        case "file":
            parts = (
                path.startswith(f"{value}/", autoescape=True),
                path.endswith(f"/{value}", autoescape=True),
                path.contains(f"/{value}/", autoescape=True),
            )
            return narrowed(session, "paths", value, exists().where(here, or_(path == value, *parts)))
        case "dir":
            folder = value.strip("/").lower()
            if not folder:
                return exists().where(here, not_(path.contains("/")))
            inside = path.icontains(f"/{folder}/", autoescape=True)
            found = exists().where(here, or_(path.istartswith(f"{folder}/", autoescape=True), inside))
            return narrowed(session, "paths", f"{folder}/", found)
        case "ext":
            return narrowed(session, "paths", f".{value.lstrip('.')}", exists().where(here, _ends(value)))
        case _:
            wanted = [one.strip() for one in value.split(",") if one.strip()]
            if not wanted:
                raise bad_value(operator, value, "write it as py,rst")
            return and_(
                *(exists().where(here, _ends(one)) for one in wanted),
                not_(exists().where(here, not_(or_(*(_ends(one) for one in wanted))))),
            )


def _ends(extension: str) -> Clause:
    return files.c.path.iendswith(f".{extension.lstrip('.')}", autoescape=True)


def _tag(operator: str, value: str) -> Clause:
    value = value.lstrip("#")
    here = select(hashtags.c.change)
    match operator:
        case "hashtag":
            return changes.c.number.in_(here.where(hashtags.c.hashtag == value))
        case "prefixhashtag":
            return changes.c.number.in_(here.where(hashtags.c.hashtag.istartswith(value, autoescape=True)))
        case _ if (matching := pattern(operator, value)) is not None:
            return changes.c.number.in_(here.where(hashtags.c.hashtag.regexp_match(matching)))
        case _:
            return changes.c.number.in_(here.where(hashtags.c.hashtag.icontains(value, autoescape=True)))


def _topic(operator: str, value: str) -> Clause:
    match operator:
        case "topic":
            return changes.c.topic == value
        case "prefixtopic":
            return changes.c.topic.istartswith(value, autoescape=True)
        case _ if (matching := pattern(operator, value)) is not None:
            return changes.c.topic.regexp_match(matching)
        case _:
            # The index of topics alone is read, not the changes.
            known = select(changes.c.topic).where(
                changes.c.topic > "", changes.c.topic.icontains(value, autoescape=True)
            )
            return changes.c.topic.in_(known.distinct())


def _commit(_: str, value: str) -> Clause:
    """A commit or the beginning of one; a full id by its index alone."""
    wanted = value.lower()
    found = select(patch_sets.c.change)
    if len(wanted) == 40:
        return changes.c.number.in_(found.where(patch_sets.c.commit == wanted))
    upto = wanted + "g"
    return changes.c.number.in_(found.where(patch_sets.c.commit >= wanted, patch_sets.c.commit < upto))


def _parent_of(operator: str, value: str) -> Clause:
    """Changes on whose patch sets the current one of a change stands."""
    if not (value.isascii() and value.isdecimal() and len(value) < 10):
        raise bad_value(operator, value, _A_NUMBER)
    current = select(changes.c.current).where(changes.c.number == int(value)).scalar_subquery()
    stands = select(parents.c.parent).where(parents.c.change == int(value), parents.c.patch_set == current)
    return changes.c.number.in_(select(patch_sets.c.change).where(patch_sets.c.commit.in_(stands)))


def _project(session: Session, value: str) -> Clause:
    """A project, or those whose names fit: there are few of them, and many changes."""
    matching = pattern("project", value)
    if matching is None:
        return changes.c.project == value
    wanted = select(projects.c.name).where(projects.c.name.regexp_match(matching))
    return changes.c.project.in_(session.execute(wanted).scalars().all())


def _branch(operator: str, value: str) -> Clause:
    return _like(operator, changes.c.branch, value.removeprefix("refs/heads/"))


def _made_of(operator: str, value: str) -> Clause:
    """What takes a change back, or was picked from one, or from one patch set of it."""
    number, comma, patch_set = value.partition(",")
    parts = (number, patch_set) if comma and operator == "cherrypickof" else (value,)
    if not all(part.isascii() and part.isdecimal() and len(part) < 10 for part in parts):
        how = "write the number of a change, or CHANGE,PATCHSET" if operator == "cherrypickof" else _A_NUMBER
        raise bad_value(operator, value, how)
    if operator == "revertof":
        return changes.c.revert_of == int(value)
    picked = changes.c.picked_change == int(number)
    return and_(picked, changes.c.picked_patch_set == int(patch_set)) if comma else picked


_PLACES: Mapping[str, Callable[[str, str], Clause]] = {
    "projects": lambda _, value: changes.c.project.startswith(value, autoescape=True),
    "branch": _branch,
    "ref": lambda operator, value: _like(operator, literal("refs/heads/").concat(changes.c.branch), value),
    "topic": _topic,
    "intopic": _topic,
    "prefixtopic": _topic,
    "hashtag": _tag,
    "inhashtag": _tag,
    "prefixhashtag": _tag,
    "commit": _commit,
    "parentof": _parent_of,
    "revertof": _made_of,
    "cherrypickof": _made_of,
    "submissionid": lambda _, value: and_(changes.c.submission == value, changes.c.submission != ""),
}
