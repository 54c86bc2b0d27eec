# SPDX-License-Identifier: Apache-2.0
"""Which projects inherit from which: a project with all that are below it.

Kept while no configuration moves and no project comes: a query must not look at every repository.
"""

from __future__ import annotations

from ...db import Session
from .. import hosting
from .model import ALL_PROJECTS
from .ports import Configs


class Lineage:
    """The tree of the projects that are hosted, as their configurations have it now."""

    def __init__(self, configs: Configs) -> None:
        self._configs = configs
        self._known: tuple[object, dict[str, list[str]]] | None = None

    def below(self, session: Session, project: str) -> tuple[str, ...]:
        """A project and everything that inherits from it; nothing where there is no such project."""
        children = self._children(session)
        found = [project] if project in children else []
        for one in found:
            found += [child for child in children.get(one, ()) if child not in found]
        return tuple(found)

    def _children(self, session: Session) -> dict[str, list[str]]:
        now = self._configs.generation, hosting.last_position(session)
        known = self._known
        if known is None or known[0] != now:
            names = [one.name for one in hosting.list_projects(session)]
            found: dict[str, list[str]] = {name: [] for name in (ALL_PROJECTS, *names)}
            for name in names:
                found.setdefault(self._configs.parent(name), []).append(name)
            known = self._known = now, found
        return known[1]
