# SPDX-License-Identifier: Apache-2.0
"""Gerrit's REST calls on who is in a group: accounts below `members`, groups below `groups`.

Each can be added and removed one by one, by its address, or several at once by a body.
"""

from __future__ import annotations

from collections.abc import Iterable

from aiohttp import web

from ...assignment import Json
from ...errors import NotFound
from ...identity import Account, Group
from ...reasons import reason
from ..answers import body_of, everywhere, json_answer
from ..drafts import Object, text_of, texts
from ..gerrit_labels import account_info
from ..shaper import Shaper
from .service import GroupService
from .shapes import group_info


class RestMembers:
    """What is below `/groups/{group}/members` and `/groups/{group}/groups`."""

    def __init__(self, shaper: Shaper, groups: GroupService) -> None:
        self._shaper = shaper
        self._asker = shaper.asker
        self._groups = groups

    def routes(self) -> Iterable[web.RouteDef]:
        """What is served."""
        one = "/groups/{group}"
        table = (
            ("GET", f"{one}/members", self._members),
            ("POST", f"{one}/members", self._add),
            ("POST", f"{one}/members.add", self._add),
            ("POST", f"{one}/members.delete", self._remove),
            ("GET", f"{one}/members/{{account}}", self._member),
            ("PUT", f"{one}/members/{{account}}", self._add_one),
            ("DELETE", f"{one}/members/{{account}}", self._remove_one),
            ("GET", f"{one}/groups", self._subgroups),
            ("POST", f"{one}/groups", self._include),
            ("POST", f"{one}/groups.add", self._include),
            ("POST", f"{one}/groups.delete", self._exclude),
            ("GET", f"{one}/groups/{{member}}", self._subgroup),
            ("PUT", f"{one}/groups/{{member}}", self._include_one),
            ("DELETE", f"{one}/groups/{{member}}", self._exclude_one),
        )
        return [route for method, path, handler in table for route in everywhere(method, path, handler)]

    # -- accounts ----------------------------------------------------------------------------------------

    async def _members(self, request: web.Request) -> web.StreamResponse:
        recursive = request.query.get("recursive", "false" if "recursive" not in request.query else "true")
        found = await self._groups.members(
            self._asker.actor(request), request.match_info["group"], recursive=recursive != "false"
        )
        return json_answer(request, [account_info(one) for one in found])

    async def _member(self, request: web.Request) -> web.StreamResponse:
        return json_answer(request, account_info(await self._found(request)))

    async def _found(self, request: web.Request) -> Account:
        asked = await self._shaper.account(request, request.match_info["account"])
        for one in await self._groups.members(self._asker.actor(request), request.match_info["group"]):
            if one.id == asked.id:
                return one
        raise NotFound(
            reason=reason("review.group-no-member", member=asked.username, group=request.match_info["group"][:80])
        )

    async def _add_one(self, request: web.Request) -> web.StreamResponse:
        account = await self._shaper.account_in_body(request, request.match_info["account"])
        return await self._added(request, [account], single=True)

    async def _add(self, request: web.Request) -> web.StreamResponse:
        return await self._added(request, await self._accounts(request, await body_of(request)))

    async def _added(self, request: web.Request, accounts: list[Account], *, single: bool = False) -> web.Response:
        actor, group = self._asker.actor(request), request.match_info["group"]
        there = {one.id for one in await self._groups.members(actor, group)}
        await self._groups.change_members(actor, group, add=[one.id for one in accounts])
        if single:
            return json_answer(request, account_info(accounts[0]), 200 if accounts[0].id in there else 201)
        return json_answer(request, [account_info(one) for one in accounts])

    async def _remove_one(self, request: web.Request) -> web.StreamResponse:
        actor, group = self._asker.actor(request), request.match_info["group"]
        await self._groups.owned(actor, group)
        await self._groups.change_members(actor, group, remove=[(await self._found(request)).id])
        return web.Response(status=204)

    async def _remove(self, request: web.Request) -> web.StreamResponse:
        accounts = await self._accounts(request, await body_of(request))
        group = request.match_info["group"]
        await self._groups.change_members(self._asker.actor(request), group, remove=[one.id for one in accounts])
        return web.Response(status=204)

    async def _accounts(self, request: web.Request, body: Object) -> list[Account]:
        return [await self._shaper.account_in_body(request, name) for name in _names(body, "_one_member", "members")]

    # -- groups ------------------------------------------------------------------------------------------

    async def _subgroups(self, request: web.Request) -> web.StreamResponse:
        found = await self._groups.subgroups(self._asker.actor(request), request.match_info["group"])
        return json_answer(request, [await self._info(one) for one in found])

    async def _subgroup(self, request: web.Request) -> web.StreamResponse:
        return json_answer(request, await self._info(await self._nested(request)))

    async def _nested(self, request: web.Request) -> Group:
        asked = await self._in_body(request, request.match_info["member"])
        group = request.match_info["group"]
        for one in await self._groups.subgroups(self._asker.actor(request), group):
            if one.uuid == asked.uuid:
                return one
        raise NotFound(reason=reason("review.group-no-member", member=asked.name, group=group[:80]))

    async def _include_one(self, request: web.Request) -> web.StreamResponse:
        actor, group = self._asker.actor(request), request.match_info["group"]
        member = await self._in_body(request, request.match_info["member"])
        there = {one.uuid for one in await self._groups.subgroups(actor, group)}
        await self._groups.change_members(actor, group, include=[member.uuid])
        return json_answer(request, await self._info(member), 200 if member.uuid in there else 201)

    async def _include(self, request: web.Request) -> web.StreamResponse:
        found = await self._several(request, await body_of(request))
        group = request.match_info["group"]
        await self._groups.change_members(self._asker.actor(request), group, include=[one.uuid for one in found])
        return json_answer(request, [await self._info(one) for one in found])

    async def _exclude_one(self, request: web.Request) -> web.StreamResponse:
        actor, group = self._asker.actor(request), request.match_info["group"]
        await self._groups.owned(actor, group)
        await self._groups.change_members(actor, group, exclude=[(await self._nested(request)).uuid])
        return web.Response(status=204)

    async def _exclude(self, request: web.Request) -> web.StreamResponse:
        found = await self._several(request, await body_of(request))
        group = request.match_info["group"]
        await self._groups.change_members(self._asker.actor(request), group, exclude=[one.uuid for one in found])
        return web.Response(status=204)

    async def _several(self, request: web.Request, body: Object) -> list[Group]:
        return [await self._in_body(request, name) for name in _names(body, "_one_group", "groups")]

    async def _in_body(self, request: web.Request, name: str) -> Group:
        return await self._groups.find_in_body(self._asker.actor(request), name)

    async def _info(self, group: Group) -> dict[str, Json]:
        return group_info(group, await self._groups.names())


def _names(body: Object, one: str, several: str) -> list[str]:
    """The accounts or groups that a body lists, in either of Gerrit's two forms."""
    single = text_of(body.get(one), one)
    return [*([single] if single else []), *texts(body.get(several), several)]
