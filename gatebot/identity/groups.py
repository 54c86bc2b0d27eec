# SPDX-License-Identifier: Apache-2.0
"""Groups of accounts, for callers in the event loop: what they are, and who and what is in them.

A group is named by its name, UUID or number. Nobody is asked here whether he may.
"""

from __future__ import annotations

import secrets
from collections.abc import Awaitable, Callable, Iterable

from ..clock import Clock
from ..db import Database, Session
from . import group_store
from .group_tables import Group, GroupChange
from .store import Account


class Groups:
    """The groups of the site."""

    def __init__(self, db: Database, clock: Clock) -> None:
        self._db = db
        self._clock = clock
        self.groups_changed: list[Callable[[], Awaitable[None]]] = []
        """Called after a group was renamed, made or taken away: who remembers names forgets them."""

    async def find_group(self, identifier: str) -> Group | None:
        """The group of this name, UUID or number."""
        return await self._db.read(group_store.find, identifier)

    async def list_groups(self) -> tuple[Group, ...]:
        """All groups that people can join, by name."""
        return await self._db.read(group_store.every)

    async def create_group(
        self, name: str, *, description: str = "", owner: str = "", visible: bool = False,
        members: Iterable[int] = (), uuid: str = "", by: int | None = None,
    ) -> Group:  # fmt: skip
        """A new group. `owner` is a group by any name, by default the new one itself."""

        def make(session: Session) -> Group:
            of = group_store.get(session, owner).uuid if owner and owner != name else ""
            group = Group(name, uuid or secrets.token_hex(20), 0, description, of, visible)
            return group_store.create(session, group, members, by, self._clock.now())

        made = await self._db.run(make)
        await self._changed()
        return made

    async def rename_group(self, identifier: str, name: str) -> Group:
        """Call a group otherwise; rules go on to mean it, because they know its UUID."""
        renamed = await self._db.run(
            lambda session: group_store.rename(session, group_store.get(session, identifier), name)
        )
        await self._changed()
        return renamed

    async def change_group(
        self, identifier: str, *, description: str | None = None, owner: str | None = None, visible: bool | None = None
    ) -> Group:
        """Change what is given: the description, the group that owns it, whether everybody sees it."""

        def change(session: Session) -> Group:
            of = group_store.get(session, owner).uuid if owner is not None else None
            group = group_store.get(session, identifier)
            return group_store.change(session, group, description=description, owner=of, visible=visible)

        return await self._db.run(change)

    async def delete_group(self, identifier: str) -> None:
        """Take a group away; those that every site has stay."""
        await self._db.run(lambda session: group_store.delete(session, group_store.get(session, identifier)))
        await self._changed()

    async def members_of(self, identifier: str, *, recursive: bool = False) -> tuple[Account, ...]:
        """The accounts in a group, by id; `recursive`: also those of the groups in it."""
        return await self._db.read(
            lambda session: group_store.members_of(session, group_store.get(session, identifier), recursive=recursive)
        )

    async def subgroups_of(self, identifier: str) -> tuple[Group, ...]:
        """The groups in a group."""
        return await self._db.read(
            lambda session: group_store.subgroups_of(session, group_store.get(session, identifier))
        )

    async def group_history(self, identifier: str) -> tuple[GroupChange, ...]:
        """Who and what came and left, the latest first."""
        return await self._db.read(lambda session: group_store.history(session, group_store.get(session, identifier)))

    async def change_members(
        self, identifier: str, *, add: Iterable[int] = (), remove: Iterable[int] = (),
        include: Iterable[str] = (), exclude: Iterable[str] = (), by: int | None = None,
    ) -> Group:  # fmt: skip
        """Let accounts (by id) and groups (by any name) in and out, all in one; what is so already stays so."""
        wanted = (tuple(add), tuple(remove), tuple(include), tuple(exclude))

        def change(session: Session) -> Group:
            group, now = group_store.get(session, identifier), self._clock.now()
            for id in wanted[0]:
                group_store.add_member(session, group, id, by, now)
            for id in wanted[1]:
                group_store.remove_member(session, group, id, by, now)
            for name in wanted[2]:
                group_store.add_subgroup(session, group, group_store.get(session, name), by, now)
            for name in wanted[3]:
                group_store.remove_subgroup(session, group, group_store.get(session, name), by, now)
            return group

        return await self._db.run(change)

    async def _changed(self) -> None:
        for told in self.groups_changed:
            await told()
