# SPDX-License-Identifier: Apache-2.0
"""What a change's page says of the reader's own edit: what it changes, and whether its patch set is outdated.

Read only; the differences are read on a worker thread and kept for a while, as two commits never differ otherwise.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from functools import lru_cache

from ...access import Actor
from ...repo import Repositories
from ..reading import ChangeView
from ..shown_files import FileView, file_view, message_view
from .keeping import Keeping
from .service import Edits
from .store import Edit

_LINES = 2_000  # of the differences of an edit


@dataclass(frozen=True, slots=True)
class Begun:
    """An edit against its patch set `base`; `outdated`: a newer patch set is here."""

    base: int
    outdated: bool
    files: tuple[FileView, ...]


class Beginnings:
    """Tells people of the edits that they have begun."""

    def __init__(self, edits: Edits, kept: Keeping, repositories: Repositories) -> None:
        self._edits = edits
        self._kept = kept
        self._repositories = repositories
        self._files = lru_cache(maxsize=32)(self._read)

    async def of(self, actor: Actor, view: ChangeView) -> Begun | None:
        """The reader's edit of a change."""
        if actor.account is None:
            return None
        edit = await self._edits.find(actor, view.change.number)
        return None if edit is None else await asyncio.to_thread(self._told, view, edit)

    def _told(self, view: ChangeView, edit: Edit) -> Begun:
        place = self._kept.scratch(view.change.project)
        base = next(one.commit for one in view.patch_sets if one.number == edit.base)
        return Begun(edit.base, edit.base != view.change.current, self._files(place, base, edit.commit))

    def _read(self, place: str, base: str, commit: str) -> tuple[FileView, ...]:
        files = tuple(file_view(one) for one in self._repositories.diff(place, base, commit, lines=_LINES))
        before, after = (self._repositories.commit(place, one).message for one in (base, commit))
        return files if before == after else (message_view(before, after), *files)
