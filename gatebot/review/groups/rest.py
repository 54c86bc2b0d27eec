# SPDX-License-Identifier: Apache-2.0
"""Gerrit's REST calls on groups: lists, making one, what is told of it. Members are in `rest_members.py`.

Thin: who may is asked by `service.py`, the shapes are in `shapes.py`.
"""

from __future__ import annotations

from collections.abc import Iterable

from aiohttp import web

from ...assignment import Json
from ...errors import Conflict, Invalid
from ...identity import Group
from ...reasons import reason
from ..answers import body_of, everywhere, json_answer, must_be_new, only, start_and_limit, text_or
from ..drafts import Object, flag, text_of, texts
from ..gerrit_labels import account_info, timestamp
from ..hosted.finding import fitting
from ..shaper import Shaper
from .service import GroupService
from .shapes import chosen, group_info

MOST = 500
_ASKED = (
    "query query2 q g m match r regex s suggest n limit S start o owned owned-by ownedBy user u member p project "
    "query-group visible-to-all no-limit"
)


class RestGroups:
    """`/groups/` and what is told of one group."""

    def __init__(self, shaper: Shaper, groups: GroupService) -> None:
        self._shaper = shaper
        self._asker = shaper.asker
        self._groups = groups

    def routes(self) -> Iterable[web.RouteDef]:
        """What is served."""
        one = "/groups/{group}"
        table = (
            ("GET", one, self._one),
            ("PUT", one, self._create),
            ("DELETE", one, self._delete),
            ("GET", f"{one}/detail", self._detail),
            ("GET", f"{one}/name", self._name),
            ("PUT", f"{one}/name", self._rename),
            ("GET", f"{one}/description", self._description),
            ("PUT", f"{one}/description", self._describe),
            ("DELETE", f"{one}/description", self._describe),
            ("GET", f"{one}/options", self._options),
            ("PUT", f"{one}/options", self._set_options),
            ("GET", f"{one}/owner", self._owner),
            ("PUT", f"{one}/owner", self._set_owner),
            ("GET", f"{one}/log.audit", self._history),
            ("POST", f"{one}/index", self._index),
        )
        return [
            *(web.get(f"{prefix}/groups/", self._list) for prefix in ("", "/a")),
            *(route for method, path, handler in table for route in everywhere(method, path, handler)),
        ]

    async def _list(self, request: web.Request) -> web.StreamResponse:
        """A map by name; with `query2` or `query` a list, as Gerrit has two of these."""
        only(request, _ASKED)
        query = request.query
        actor, names = self._asker.actor(request), await self._groups.names()
        found = await self._groups.visible(actor, owned="owned" in query)
        for name in ("member", "p", "project", "query-group"):
            if name in query:
                why = "write user=ACCOUNT" if name == "member" else "groups cannot be listed by it here"
                raise Invalid(reason=reason("review.bad-field", field=name, why=why))
        if user := query.get("user", query.get("u")):
            account = await self._shaper.account_in_body(request, user)
            found = tuple(one for one in found if one.name in account.groups)
        part, exact = query.get("m", query.get("match", "")).lower(), query.getall("g", query.getall("q", []))
        begins = query.get("suggest", query.get("s", "")).lower()
        found = tuple(one for one in found if part in one.name.lower() and one.name.lower().startswith(begins))
        if exact:
            found = tuple(one for one in found if one.name in exact or one.uuid in exact)
        if regex := query.get("r", query.get("regex", "")):
            fits = fitting("r", regex)
            found = tuple(one for one in found if fits(one.name))
        if owner := query.get("owned-by", query.get("ownedBy")):
            uuid = (await self._groups.find(actor, owner)).uuid
            found = tuple(one for one in found if one.owner == uuid)
        if "visible-to-all" in query:
            found = tuple(one for one in found if one.visible)
        asked = query.get("query", query.get("query2"))
        shown = chosen(found, asked) if asked is not None else list(found)
        start, limit = start_and_limit(request, MOST)
        options = {word for text in query.getall("o", []) for word in text.split(",")}
        infos = [(one.name, await self._info(request, one, names, options)) for one in shown[start : start + limit]]
        if infos and start + limit < len(shown):
            infos[-1][1]["_more_groups"] = True
        if asked is not None:
            return json_answer(request, [info for _, info in infos])
        return json_answer(request, {name: {k: v for k, v in info.items() if k != "name"} for name, info in infos})

    async def _one(self, request: web.Request) -> web.StreamResponse:
        return json_answer(request, await self._info(request, await self._named(request)))

    async def _detail(self, request: web.Request) -> web.StreamResponse:
        group = await self._named(request)
        return json_answer(request, await self._info(request, group, options={"MEMBERS", "INCLUDES"}))

    async def _create(self, request: web.Request) -> web.StreamResponse:
        name, body = request.match_info["group"], await body_of(request)
        said = text_of(body.get("name"), "name")
        if said and said != name:
            raise Conflict(reason=reason("review.group-two-names", path=name[:80], body=said[:80]))
        must_be_new(request, await self._shaper.room.identity.find_group(name) is not None)
        members = await self._members(request, body)
        made = await self._groups.create(
            self._asker.actor(request),
            name,
            description=text_of(body.get("description"), "description"),
            owner=await self._owner_in(request, body),
            visible=flag(body.get("visible_to_all"), "visible_to_all") is True,
            members=members,
        )
        return json_answer(request, await self._info(request, made, options={"MEMBERS", "INCLUDES"}), 201)

    async def _members(self, request: web.Request, body: Object) -> list[int] | None:
        if "members" not in body:
            return None
        return [(await self._shaper.account_in_body(request, one)).id for one in texts(body["members"], "members")]

    async def _owner_in(self, request: web.Request, body: Object) -> str:
        asked = text_of(body.get("owner_id"), "owner_id") or text_of(body.get("owner"), "owner")
        return (await self._in_body(request, asked)).uuid if asked else ""

    async def _in_body(self, request: web.Request, name: str) -> Group:
        return await self._groups.find_in_body(self._asker.actor(request), name)

    async def _delete(self, request: web.Request) -> web.StreamResponse:
        await self._groups.delete(self._asker.actor(request), request.match_info["group"])
        return web.Response(status=204)

    async def _name(self, request: web.Request) -> web.StreamResponse:
        return json_answer(request, (await self._named(request)).name)

    async def _rename(self, request: web.Request) -> web.StreamResponse:
        name = (await text_or(request, "name")).strip()
        renamed = await self._groups.change(self._asker.actor(request), request.match_info["group"], name=name)
        return json_answer(request, renamed.name)

    async def _description(self, request: web.Request) -> web.StreamResponse:
        return json_answer(request, (await self._named(request)).description)

    async def _describe(self, request: web.Request) -> web.StreamResponse:
        text = await text_or(request, "description") if request.method == "PUT" else ""
        asked = request.match_info["group"]
        changed = await self._groups.change(self._asker.actor(request), asked, description=text)
        return json_answer(request, changed.description) if text else web.Response(status=204)

    async def _options(self, request: web.Request) -> web.StreamResponse:
        return json_answer(request, _options(await self._named(request)))

    async def _set_options(self, request: web.Request) -> web.StreamResponse:
        visible = flag((await body_of(request)).get("visible_to_all"), "visible_to_all") is True
        asked = request.match_info["group"]
        return json_answer(
            request, _options(await self._groups.change(self._asker.actor(request), asked, visible=visible))
        )

    async def _owner(self, request: web.Request) -> web.StreamResponse:
        owner = await self._in_body(request, (await self._named(request)).owner)
        return json_answer(request, await self._info(request, owner))

    async def _set_owner(self, request: web.Request) -> web.StreamResponse:
        await self._groups.owned(self._asker.actor(request), request.match_info["group"])
        owner = await self._in_body(request, await text_or(request, "owner"))
        await self._groups.change(self._asker.actor(request), request.match_info["group"], owner=owner.uuid)
        return json_answer(request, await self._info(request, owner))

    async def _history(self, request: web.Request) -> web.StreamResponse:
        """Gerrit's GroupAuditEventInfos, the latest first."""
        found = await self._groups.history(self._asker.actor(request), request.match_info["group"])
        identity, names = self._shaper.room.identity, await self._groups.names()
        ids = {one.account for one in found if one.account is not None}
        ids |= {int(one.member) for one in found if one.kind.endswith("USER")}
        people = await identity.by_ids(ids)
        told: list[Json] = []
        for one in found:
            event: dict[str, Json] = {"type": one.kind, "date": timestamp(one.at)}
            if one.account in people:
                event["user"] = account_info(people[one.account])
            if one.kind.endswith("USER"):
                event["member"] = account_info(people[int(one.member)])
            else:
                event["member"] = {"id": one.member, "name": names.get(one.member, one.member)}
            told.append(event)
        return json_answer(request, told)

    async def _index(self, request: web.Request) -> web.StreamResponse:
        """Nothing is kept in an index here."""
        await self._groups.owned(self._asker.actor(request), request.match_info["group"])
        return web.Response(status=204)

    async def _named(self, request: web.Request) -> Group:
        return await self._groups.find(self._asker.actor(request), request.match_info["group"])

    async def _info(
        self, request: web.Request, group: Group, names: dict[str, str] | None = None, options: Iterable[str] = ()
    ) -> dict[str, Json]:
        names = names or await self._groups.names()
        info, actor = group_info(group, names), self._asker.actor(request)
        if "MEMBERS" in options:
            info["members"] = [account_info(one) for one in await self._groups.members(actor, group.uuid)]
        if "INCLUDES" in options:
            info["includes"] = [group_info(one, names) for one in await self._groups.subgroups(actor, group.uuid)]
        return info


def _options(group: Group) -> dict[str, Json]:
    return {"visible_to_all": True} if group.visible else {}
