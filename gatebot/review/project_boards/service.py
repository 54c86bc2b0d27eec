# SPDX-License-Identifier: Apache-2.0
"""Finds the dashboards of a project and of its parents for somebody who asks, and which one is the default.

Reads git at each call. A reference that the asker may not read has no dashboards for him.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace

from ...access import Actor, Rulebook, Target, Verb, may
from ...errors import GatebotError, NotFound
from ...reasons import reason
from ...repo import Repositories
from ..config.editing import with_values
from ..config.ports import Configs
from ..hosted.service import ConfigEditing, Files
from .model import DASHBOARDS, DEFAULT, Board, Name, name_of
from .reading import board

_MOST = 200
_DEEPEST = 30


@dataclass(frozen=True, slots=True)
class Boards:
    """The dashboards of projects."""

    repositories: Repositories
    rules: Rulebook
    configs: Configs
    editing: ConfigEditing

    async def listed(self, actor: Actor, project: str, *, inherited: bool = False) -> Sequence[Sequence[Board]]:
        """Those of a project by name; with `inherited` those of each of its parents, too, the nearest first."""
        places = self._tree(project) if inherited else [project]
        return [await asyncio.to_thread(self._all, actor, project, place) for place in places]

    async def find(self, actor: Actor, project: str, id: str) -> Board:
        """The one of this id, of the project or of the nearest parent that has it; `default`: the default one."""
        wanted = self.default_of(project) if id == DEFAULT else name_of(id)
        for place in self._tree(project) if wanted is not None else ():
            if wanted is not None and (found := await asyncio.to_thread(self._one, actor, project, place, wanted)):
                return found
        raise NotFound(reason=reason("review.no-such-dashboard", dashboard=id[:80], project=project))

    async def default(self, actor: Actor, project: str, *, inherited: bool) -> Board:
        """The default dashboard of a project; with `inherited` that of the nearest parent where it has none."""
        for place in self._tree(project) if inherited else [project]:
            wanted = self.default_of(place, own=place == project)
            if wanted is not None and (found := await asyncio.to_thread(self._one, actor, project, place, wanted)):
                return found
        raise NotFound(reason=reason("review.no-such-dashboard", dashboard=DEFAULT, project=project))

    async def set_default(self, actor: Actor, project: str, wanted: Name | None, message: str) -> None:
        """Another default dashboard, or none: a line of `project.config`, for owners."""

        def change(files: Files) -> Files:
            text = files.config
            if wanted is None:
                text = with_values(text, "dashboard", None, "default", [])
            values = [] if wanted is None else [wanted.id]
            return replace(files, config=with_values(text, "dashboard", None, "local-default", values))

        said = message or ("Take no dashboard for the default" if wanted is None else f"Begin with {wanted.id}")
        await self.editing.edit(actor, project, said, change)

    def default_of(self, project: str, *, own: bool = True) -> Name | None:
        """What the project's own file calls its default; one that is only its `own` is not inherited."""
        file = next(iter(self.configs.files(project)), None)
        if file is None:
            return None
        local = file.get("dashboard", "local-default") if own else None
        return name_of((local or file.get("dashboard", "default") or "").strip())

    def _tree(self, project: str) -> list[str]:
        """The project and its parents, the nearest first."""
        found, name = [project], self.configs.parent(project)
        while name and name not in found and len(found) < _DEEPEST:
            found.append(name)
            name = self.configs.parent(name)
        return found

    def _all(self, actor: Actor, project: str, place: str) -> list[Board]:
        found: list[Board] = []
        if not self.repositories.exists(place):
            return found
        for ref, tip in sorted(self.repositories.references(place, DASHBOARDS).items()):
            if not may(actor, Verb.READ, Target(place, ref), self.rules):
                continue
            for path, _ in self.repositories.list_files(place, tip)[: _MOST - len(found)]:
                name = Name(ref.removeprefix(DASHBOARDS), path)
                one = board(self.repositories.read_file(place, tip, path) or b"", name, project, place)
                found += [one] if one is not None else []
        return found

    def _one(self, actor: Actor, project: str, place: str, name: Name) -> Board | None:
        if not may(actor, Verb.READ, Target(place, name.whole_ref), self.rules):
            return None
        try:
            tip = self.repositories.resolve(place, name.whole_ref) if self.repositories.exists(place) else None
            data = self.repositories.read_file(place, tip, name.path) if tip else None
        except (GatebotError, ValueError, KeyError):  # a name that git does not take
            return None
        return None if data is None else board(data, name, project, place)
