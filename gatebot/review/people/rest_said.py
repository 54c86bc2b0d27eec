# SPDX-License-Identifier: Apache-2.0
"""Gerrit's REST calls on what an account says of itself, its status and display name, and on the groups it is in.

Everybody reads the first two with each AccountInfo; only oneself and administrators change them. Of groups each asker
is told those that he sees.
"""

from __future__ import annotations

from collections.abc import Iterable

from aiohttp import web

from ...access import groups_of
from ..answers import Handler, json_answer, text_or
from ..drafts import bad
from ..groups.service import GroupService
from ..groups.shapes import group_info
from ..shaper import Calls, Shaper
from .whose import Asked

LONGEST = 255


class RestSaid(Calls):
    """`/accounts/{account}/status`, `displayname`, `groups` and `index`."""

    def __init__(self, shaper: Shaper, groups: GroupService) -> None:
        super().__init__(shaper)
        self._asked = Asked(shaper)
        self._groups = groups

    def table(self) -> Iterable[tuple[str, str, Handler]]:
        """Method, path, handler."""
        one = "/accounts/{account}"
        return (
            ("GET", f"{one}/status", self._status),
            *((method, f"{one}/status", self._set_status) for method in ("PUT", "DELETE")),
            ("GET", f"{one}/displayname", self._display_name),
            *((method, f"{one}/displayname", self._set_display_name) for method in ("PUT", "DELETE")),
            ("GET", f"{one}/groups", self._in_groups),
            ("POST", f"{one}/index", self._index),
        )

    async def _status(self, request: web.Request) -> web.StreamResponse:
        return json_answer(request, (await self._asked.seen(request)).status)

    async def _set_status(self, request: web.Request) -> web.StreamResponse:
        account, text = await self._asked.own(request), await _said(request, "status")
        return _answer(request, (await self._room.identity.set_said(account.id, status=text)).status)

    async def _display_name(self, request: web.Request) -> web.StreamResponse:
        return json_answer(request, (await self._asked.seen(request)).display_name)

    async def _set_display_name(self, request: web.Request) -> web.StreamResponse:
        account, text = await self._asked.own(request), await _said(request, "display_name")
        return _answer(request, (await self._room.identity.set_said(account.id, display_name=text)).display_name)

    async def _in_groups(self, request: web.Request) -> web.StreamResponse:
        """Those that the account is in, also through other groups; oneself is told those of everybody, too. By name."""
        account = await self._asked.seen(request)
        seen, names = await self._groups.visible(self._asker.actor(request)), await self._groups.names()
        within = groups_of(account.actor) if self._asked.is_own(request, account) else account.groups
        return json_answer(request, [group_info(one, names) for one in seen if one.name in within])

    async def _index(self, request: web.Request) -> web.StreamResponse:
        """Accounts are found as they are; no index is kept of them."""
        await self._asked.own(request)
        return web.Response(status=204)


async def _said(request: web.Request, field: str) -> str:
    """One line of text; none at all takes away what was said."""
    if request.method == "DELETE":
        return ""
    text = " ".join((await text_or(request, field)).split())
    if len(text) > LONGEST:
        raise bad(field, f"it may have {LONGEST} characters at most")
    return text


def _answer(request: web.Request, text: str) -> web.Response:
    return json_answer(request, text) if text else web.Response(status=204)
