# SPDX-License-Identifier: Apache-2.0
"""Which open changes cannot be merged beside another one: what `conflicts:` of a query finds.

The database knows who touches the same files; whether they merge is tried in git, once for two commits, and remembered.
Before a query is asked, such a term is put into it as the numbers that were found. Merges block: they use a thread.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace

from ..access import Actor
from ..db import Database, Session
from ..errors import GatebotError, Invalid
from ..reasons import reason
from ..repo import FinalCommit, Repositories, person
from . import hosting, search, search_files
from .model import Change, Project
from .query import And, Node, Not, Or, Query, Term
from .search import Asking

_NOBODY = person("gatebot", "gatebot@localhost", 0)
_MOST = 100  # merges that one query tries: with those of them that were touched last
_REMEMBERED = 50_000  # pairs of commits
_TERM = "conflicts"


class Collisions:
    """Tries merges; `scratch` is a store of a project where nobody sees what is made."""

    def __init__(self, db: Database, repositories: Repositories, scratch: Callable[[str], str]) -> None:
        self._db = db
        self._repositories = repositories
        self._scratch = scratch
        self._known: dict[tuple[str, str, str], bool] = {}

    async def told(self, query: Query, actor: Actor, asking: Asking) -> Query:
        """The query with the changes that `conflicts:` names in its place."""
        asked = _asked(query.node)
        if not asked:
            return query
        if len(asked) > 5:
            raise Invalid(reason=reason("review.query-many-conflicts"))
        found: dict[str, Node] = {}
        for value in asked:
            numbers = await self._with(value, actor, asking)
            found[value] = Or(tuple(Term("change", str(number)) for number in numbers))
        return replace(query, node=_replaced(query.node, found))

    async def _with(self, value: str, actor: Actor, asking: Asking) -> list[int]:
        try:
            change = await self._db.read(search.resolve, value, asking)
        except GatebotError as error:
            raise Invalid(reason=error.reason) from None
        return await asyncio.to_thread(self._found, change)

    def _found(self, change: Change) -> list[int]:
        project, commit, others = self._db.read_now(_touching, change)
        if project is None:
            return []
        return [number for number, other in others if self._collide(project, change.branch, commit, other)]

    def _collide(self, project: Project, branch: str, mine: str, other: str) -> bool:
        kind = project.submit_type.value
        key = (kind, mine, other)
        if key not in self._known:
            if len(self._known) >= _REMEMBERED:
                self._known.clear()
            self._known[key] = self._try(project.name, kind, branch, mine, other)
        return self._known[key]

    def _try(self, project: str, kind: str, branch: str, mine: str, other: str) -> bool:
        """Whether the other one does not go onto this one as the project merges."""
        try:
            if self._repositories.is_ancestor(project, mine, other):
                return False
            place = self._scratch(project)
            made = self._repositories.final_commit(place, kind, other, mine, branch=branch, committer=_NOBODY)
        except GatebotError:  # a commit that is not there collides with nothing
            return False
        return not isinstance(made, FinalCommit)


def _touching(session: Session, change: Change) -> tuple[Project | None, str, tuple[tuple[int, str], ...]]:
    project = hosting.find_project(session, change.project)
    return project, *search_files.touching(session, change, _MOST)


def _asked(node: Node) -> set[str]:
    match node:
        case Term(operator, value):
            return {value} if operator == _TERM else set()
        case Not(part):
            return _asked(part)
        case And(parts) | Or(parts):
            return set[str]().union(*(_asked(part) for part in parts))


def _replaced(node: Node, found: dict[str, Node]) -> Node:
    match node:
        case Term(operator, value):
            return found[value] if operator == _TERM else node
        case Not(part):
            return Not(_replaced(part, found))
        case And(parts):
            return And(tuple(_replaced(part, found) for part in parts))
        case Or(parts):
            return Or(tuple(_replaced(part, found) for part in parts))
