# SPDX-License-Identifier: Apache-2.0
"""Gerrit's REST calls on contributor agreements of an account, and the page on which somebody accepts one.

Thin. Only oneself accepts, and only what names a group to join by that; the other ones administrators put on file, by
making somebody a member of the group.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from aiohttp import web

from ...assignment import Json
from ...errors import Invalid, NotPermitted, Unprocessable
from ...identity import Account, Group
from ...reasons import reason
from ...site import Site
from ..answers import body_of, everywhere, json_answer
from ..config.model import ALL_PROJECTS
from ..drafts import text_of
from ..groups.shapes import group_info
from ..people.whose import Asked
from ..shaper import Shaper
from .configured import agreements, on_file
from .model import Agreement
from .store import uuids_of


class RestAgreements:
    """`/accounts/N/agreements` and `/settings/agreements`."""

    def __init__(self, shaper: Shaper, site: Site) -> None:
        self._asked = Asked(shaper)
        self._room = shaper.room
        self._site = site

    def routes(self) -> Iterable[web.RouteDef]:
        """What is served."""
        one = "/accounts/{account}/agreements"
        table = (("GET", one, self._list), ("PUT", one, self._enter))
        return [
            *(route for method, path, handler in table for route in everywhere(method, path, handler)),
            web.get("/settings/agreements", self._page),
            web.post("/settings/agreements", self._accept),
        ]

    def _known(self) -> tuple[Agreement, ...]:
        return agreements(self._room.configs.configs(ALL_PROJECTS)[0])

    async def of_site(self) -> dict[str, Json]:
        """What ServerInfo tells of them; nothing where there are none."""
        known = self._known()
        if not known:
            return {}
        return {"use_contributor_agreements": True, "contributor_agreements": await self._told(known)}

    async def _list(self, request: web.Request) -> web.StreamResponse:
        account = await self._asked.own(request)
        groups = await self._groups_of(account)
        return json_answer(request, await self._told([one for one in self._known() if one.accepted & groups]))

    async def _groups_of(self, account: Account) -> frozenset[str]:
        return uuids_of(account, await self._room.identity.list_groups())

    async def _told(self, several: Iterable[Agreement]) -> list[Json]:
        groups = {one.uuid: one for one in await self._room.identity.list_groups()}
        names = {uuid: one.name for uuid, one in groups.items()}
        return [agreement_info(one, groups.get(one.verifies), names) for one in several]

    async def _enter(self, request: web.Request) -> web.StreamResponse:
        account = await self._asked.seen(request)
        if self._asked.signed_in(request).id != account.id:
            raise NotPermitted(reason=reason("review.agreement-others"))
        name = text_of((await body_of(request)).get("name"), "name")
        await self._join(account, name)
        return json_answer(request, name)

    async def _join(self, account: Account, name: str) -> None:
        found = next((one for one in self._known() if one.name == name), None)
        if found is None:
            raise Unprocessable(reason=reason("review.agreement-unknown"))
        if not found.verifies:
            raise Invalid(reason=reason("review.agreement-by-others"))
        await self._room.identity.change_members(found.verifies, add=[account.id], by=account.id)

    async def _page(self, request: web.Request) -> web.StreamResponse:
        account = self._site.require(request)
        groups = await self._groups_of(account)
        shown = [(one, on_file([one], groups) and bool(one.accepted)) for one in self._known()]
        return self._site.render(request, "review/agreements.html", agreements=shown)

    async def _accept(self, request: web.Request) -> web.StreamResponse:
        account = self._site.require(request)
        name = str((await request.post()).get("name", ""))
        await self._join(account, name)
        return self._site.redirect(request, "/settings/agreements", reason("review.agreement-accepted", name=name))


def agreement_info(agreement: Agreement, verifies: Group | None, names: Mapping[str, str]) -> dict[str, Json]:
    """Gerrit's ContributorAgreementInfo; `names` of groups by UUID."""
    info: dict[str, Json] = {"name": agreement.name, "description": agreement.description, "url": agreement.url}
    if verifies is not None:
        info["auto_verify_group"] = group_info(verifies, names)
    return info
