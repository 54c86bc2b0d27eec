# SPDX-License-Identifier: Apache-2.0
"""What the mirror of a Gerrit knows of its changes: the gate's questions, answered without asking Gerrit.

An adapter over the mirror's rows and repositories; it changes nothing.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from functools import lru_cache

from ...change import SPACE, ChangeFacts, own_number
from ...db import Database
from ...depends import depends_on, is_change_id
from ...repo import Repositories, brought_files
from ..naming import full_ref
from . import store
from .model import Mirrored, Place
from .ports import Use
from .reading import number_of


class KnownChanges:
    """The changes of one connection."""

    def __init__(self, place: Place, use: Use, repositories: Repositories, db: Database) -> None:
        self.place = place
        self._use = use
        self._repositories = repositories
        self._db = db
        # A commit's files never change, and the gate asks for them again and again; a merge's change with its branch.
        self._files = lru_cache(maxsize=4096)(self._read_files)

    def numbers(self, number: int) -> bool:
        """Whether a change or an account of this number is of this Gerrit."""
        return self.place.space < number < self.place.space + SPACE

    def hosts(self, project: str) -> bool:
        """Whether a project is mirrored from this Gerrit."""
        return project in self._use.projects()

    async def change(self, number: int, patch_set: int | None = None) -> ChangeFacts | None:
        """One patch set of a change, the current one by default."""
        found = await self._db.read(store.find, number)
        return None if found is None else self._facts(found, patch_set)

    async def named(self, address: str) -> tuple[int, ...]:
        """The changes that a `Depends-On:` names, by an address of this Gerrit or by Change-Id."""
        if is_change_id(address):
            return await self._db.read(store.by_change_id, self.place.space, address)
        number = number_of(address, self.place)
        return (number,) if number is not None else ()

    async def by_topic(self, number: int, topic: str) -> tuple[int, ...]:
        """The open changes under a topic, on the site of a change."""
        return await self._db.read(store.by_topic, self.place.space, topic) if topic else ()

    async def kept_from(self, numbers: Collection[int], by: Collection[int]) -> frozenset[int]:
        """Those of some changes that one of these accounts may not see: private ones are for their owners alone."""
        found = [one for number in numbers if (one := await self.change(number)) is not None]
        return frozenset(one.number for one in found if one.private and set(by) != {one.owner})

    async def open_changes(self, project: str) -> tuple[int, ...]:
        """The open changes of a project, oldest first."""
        return await self._db.read(store.open_changes, self.place.space, project)

    async def by_commit(self, project: str, branch: str, commit: str) -> ChangeFacts | None:
        """The open change of a branch whose current patch set is this commit."""
        found = await self._db.read(store.by_commit, self.place.space, project, branch, commit)
        return None if found is None else self._facts(found, None)

    async def depending_on(self, number: int) -> tuple[int, ...]:
        """The open changes that name it in `Depends-On:`, or that stand on its current patch set."""
        known = await self._db.read(store.find, number)
        if known is None:
            return ()
        facts = known.facts
        near = await self._db.read(
            store.naming, self.place.space, f"/{own_number(number)}", facts.change_id, facts.commit
        )
        return tuple(
            other.facts.number
            for other in near
            if other.facts.number != number
            and (facts.commit in other.facts.parents or self._names(other.facts.message, number, facts.change_id))
        )

    def _names(self, message: str, number: int, change_id: str) -> bool:
        return any(url == change_id or number_of(url, self.place) == number for url in depends_on(message))

    def _facts(self, known: Mirrored, patch_set: int | None) -> ChangeFacts | None:
        asked = next((one for one in known.patch_sets if one.number == (patch_set or known.facts.current)), None)
        if asked is None:
            return None
        facts = replace(
            known.facts,
            patch_set=asked.number,
            commit=asked.commit,
            parents=asked.parents,
            subject=asked.subject,
            message=asked.message,
            uploader=asked.uploader,
            author=asked.author,
            votes=known.facts.votes if asked.number == known.facts.current else (),
        )
        read = self._files if len(facts.parents) < 2 else self._read_files
        return replace(facts, files=read(facts.project, facts.commit, facts.branch))

    def _read_files(self, project: str, commit: str, branch: str) -> tuple[str, ...]:
        """The paths that a commit changes; none of one that is not here, because it was merged long ago."""
        if not self._repositories.exists(project) or self._repositories.resolve(project, commit) is None:
            return ()
        return brought_files(self._repositories, project, commit, self._repositories.resolve(project, full_ref(branch)))
