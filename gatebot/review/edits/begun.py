# SPDX-License-Identifier: Apache-2.0
"""What a change's page says of the reader's own edit: which files it changes, and whether its patch set is outdated.

Read only; the differences are read on a worker thread.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from ...access import Actor
from ...repo import FileChange, Repositories
from ..model import COMMIT_MESSAGE
from ..reading import ChangeView
from .keeping import Keeping
from .service import Edits
from .store import Edit


@dataclass(frozen=True, slots=True)
class Begun:
    """An edit against its patch set `base`; `outdated`: a newer patch set is here."""

    base: int
    outdated: bool
    files: tuple[FileChange, ...]


class Beginnings:
    """Tells people of the edits that they have begun."""

    def __init__(self, edits: Edits, kept: Keeping, repositories: Repositories) -> None:
        self._edits = edits
        self._kept = kept
        self._repositories = repositories

    async def of(self, actor: Actor, view: ChangeView) -> Begun | None:
        """The reader's edit of a change."""
        if actor.account is None:
            return None
        edit = await self._edits.find(actor, view.change.number)
        return None if edit is None else await asyncio.to_thread(self._told, view, edit)

    def _told(self, view: ChangeView, edit: Edit) -> Begun:
        place, base = self._kept.scratch(view.change.project), view.patch_sets[edit.base - 1]
        files = tuple(one.change for one in self._repositories.diff(place, base.commit, edit.commit, lines=0))
        if self._repositories.commit(place, edit.commit).message != base.message:
            files = (FileChange(COMMIT_MESSAGE, COMMIT_MESSAGE, "M", 0, 0, False, 0, 0), *files)
        return Begun(edit.base, edit.base != view.change.current, files)
