# SPDX-License-Identifier: Apache-2.0
"""Groups for somebody who asks: what he may see of them, and what he may change.

Everybody sees the groups that are visible to all, his own, and those that he owns; administrators see
all. The members of a group's owner change it. REST, SSH and the command line call this.
"""

from __future__ import annotations

from collections.abc import Iterable

from ...access import SITE, SYSTEM_GROUPS, Actor, Rulebook, Verb, groups_of, may
from ...errors import NotFound, NotPermitted, Unprocessable
from ...identity import Account, Group, GroupChange, Identity
from ...reasons import reason
from ..permission import require, require_account


class GroupService:
    """Asks who may, then does it."""

    def __init__(self, identity: Identity, rules: Rulebook) -> None:
        self._identity = identity
        self._rules = rules

    async def visible(self, actor: Actor, *, owned: bool = False) -> tuple[Group, ...]:
        """All groups that somebody sees, or that he may change, by name; those that nobody joins among them."""
        found = [*await self._identity.list_groups()]
        found += [one for name in SYSTEM_GROUPS if (one := await self._identity.find_group(name)) is not None]
        names = {one.uuid: one.name for one in found}
        asked = self._owns if owned else self._sees
        seen = [one for one in found if asked(actor, one, names)]
        return tuple(sorted(seen, key=lambda one: one.name))

    async def names(self) -> dict[str, str]:
        """What each group is called, by UUID."""
        named = {one.uuid: one.name for one in await self._identity.list_groups()}
        return named | {uuid: name for name, uuid in SYSTEM_GROUPS.items()}

    async def find(self, actor: Actor, identifier: str) -> Group:
        """A group by name, UUID or number; one that he may not see is not there."""
        found = await self._identity.find_group(identifier)
        if found is None or not self._sees(actor, found, await self.names()):
            raise NotFound(reason=reason("hall.group-missing", group=identifier[:80]))
        return found

    async def find_in_body(self, actor: Actor, identifier: str) -> Group:
        """The same for a group that a body names; Gerrit's status for one that is not there is 422."""
        try:
            return await self.find(actor, identifier)
        except NotFound as error:
            raise Unprocessable(reason=error.reason) from None

    async def owned(self, actor: Actor, identifier: str) -> Group:
        """The same, when he may change it."""
        require_account(actor)
        found = await self.find(actor, identifier)
        if not self._owns(actor, found, await self.names()):
            owner = (await self.names()).get(found.owner, found.owner)
            raise NotPermitted(reason=reason("review.group-not-owner", group=found.name, owner=owner))
        return found

    async def create(
        self, actor: Actor, name: str, *, description: str = "", owner: str = "", visible: bool = False,
        members: Iterable[int] | None = None,
    ) -> Group:  # fmt: skip
        """Make a group. Without members who makes it is one, so that somebody can go on."""
        by = require(actor, Verb.CREATE_GROUP, SITE, self._rules)
        return await self._identity.create_group(
            name, description=description, owner=owner, visible=visible, by=by,
            members=(by,) if members is None else members,
        )  # fmt: skip

    async def change(
        self, actor: Actor, identifier: str, *, name: str | None = None, description: str | None = None,
        owner: str | None = None, visible: bool | None = None,
    ) -> Group:  # fmt: skip
        """Change what is given, its name last."""
        group = await self.owned(actor, identifier)
        changed = await self._identity.change_group(group.uuid, description=description, owner=owner, visible=visible)
        return changed if name is None else await self._identity.rename_group(group.uuid, name)

    async def delete(self, actor: Actor, identifier: str) -> None:
        """Take a group away: its owners who have the capability may."""
        group = await self.owned(actor, identifier)
        require(actor, Verb.DELETE_GROUP, SITE, self._rules)
        await self._identity.delete_group(group.uuid)

    async def members(self, actor: Actor, identifier: str, *, recursive: bool = False) -> tuple[Account, ...]:
        """The accounts in a group."""
        group = await self.find(actor, identifier)
        return await self._identity.members_of(group.uuid, recursive=recursive) if group.number else ()

    async def subgroups(self, actor: Actor, identifier: str) -> tuple[Group, ...]:
        """The groups in a group."""
        group = await self.find(actor, identifier)
        return await self._identity.subgroups_of(group.uuid) if group.number else ()

    async def change_members(
        self, actor: Actor, identifier: str, *, add: Iterable[int] = (), remove: Iterable[int] = (),
        include: Iterable[str] = (), exclude: Iterable[str] = (),
    ) -> Group:  # fmt: skip
        """Let accounts, by id, and groups, by any name, in and out."""
        group = await self.owned(actor, identifier)
        return await self._identity.change_members(
            group.uuid, add=add, remove=remove, include=include, exclude=exclude, by=actor.account
        )

    async def history(self, actor: Actor, identifier: str) -> tuple[GroupChange, ...]:
        """Who and what came and left; for owners."""
        return await self._identity.group_history((await self.owned(actor, identifier)).uuid)

    def _sees(self, actor: Actor, group: Group, names: dict[str, str]) -> bool:
        if group.visible or group.name in groups_of(actor) or not group.number:
            return True
        return self._owns(actor, group, names) or may(actor, Verb.VIEW_ACCESS, SITE, self._rules)

    def _owns(self, actor: Actor, group: Group, names: dict[str, str]) -> bool:
        if actor.account is None or not group.number:
            return False
        owner = names.get(group.owner)
        return owner in groups_of(actor) or may(actor, Verb.ADMINISTRATE_SERVER, SITE, self._rules)
