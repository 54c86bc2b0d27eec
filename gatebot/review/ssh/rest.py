# SPDX-License-Identifier: Apache-2.0
"""What belongs to SSH in Gerrit's REST: the keys of accounts, and where SSH is reached.

Thin, as the other REST modules of the room. One's own keys are one's own business; those of others are the
administrators'.
"""

from __future__ import annotations

from collections.abc import Iterable

from aiohttp import web

from ...errors import NotFound
from ...identity import SshKey
from ...reasons import reason
from ..answers import everywhere, json_answer, text_or
from ..people.whose import Asked
from ..shaper import Shaper


class RestSsh:
    """`/accounts/{account}/sshkeys` and `/ssh_info`; `address` is HOST:PORT, empty where there is no SSH."""

    def __init__(self, shaper: Shaper, address: str) -> None:
        self._asked = Asked(shaper)
        self._identity = shaper.room.identity
        self._address = address

    def routes(self) -> Iterable[web.RouteDef]:
        """What is served."""
        keys = "/accounts/{account}/sshkeys"
        table = (
            ("GET", keys, self._list),
            ("POST", keys, self._add),
            ("GET", f"{keys}/{{seq}}", self._get),
            ("DELETE", f"{keys}/{{seq}}", self._delete),
            ("POST", f"{keys}/{{seq}}/delete", self._delete),
        )
        return [
            *(route for method, path, handler in table for route in everywhere(method, path, handler)),
            web.get("/ssh_info", self._info),
        ]

    async def _list(self, request: web.Request) -> web.StreamResponse:
        account = await self._asked.own(request)
        return json_answer(request, [_info(key) for key in await self._identity.ssh_keys(account.id)])

    async def _add(self, request: web.Request) -> web.StreamResponse:
        """The key as plain text, or as a JSON string's field `ssh_key`."""
        account = await self._asked.own(request)
        added = await self._identity.add_ssh_key(account.id, await text_or(request, "ssh_key"))
        return json_answer(request, _info(added), 201)

    async def _get(self, request: web.Request) -> web.StreamResponse:
        account, seq = await self._asked.own(request), _number(request)
        for key in await self._identity.ssh_keys(account.id):
            if key.seq == seq:
                return json_answer(request, _info(key))
        raise NotFound(reason=reason("hall.ssh-key-unknown", number=seq))

    async def _delete(self, request: web.Request) -> web.StreamResponse:
        account = await self._asked.own(request)
        await self._identity.delete_ssh_key(account.id, _number(request))
        return web.Response(status=204)

    async def _info(self, request: web.Request) -> web.StreamResponse:
        """What `repo` and other old clients ask: `host port`."""
        del request
        host, _, port = self._address.rpartition(":")
        return web.Response(text=f"{host} {port}" if host else "NOT_AVAILABLE", content_type="text/plain")


def _number(request: web.Request) -> int:
    given = request.match_info["seq"]
    if not (given.isascii() and given.isdecimal() and len(given) < 10):
        raise NotFound(reason=reason("hall.ssh-key-unknown", number=given))
    return int(given)


def _info(key: SshKey) -> dict[str, object]:
    """Gerrit's SshKeyInfo."""
    info = {"seq": key.seq, "ssh_public_key": key.text, "encoded_key": key.encoded, "algorithm": key.algorithm}
    return {**info, **({"comment": key.comment} if key.comment else {}), "valid": True}
