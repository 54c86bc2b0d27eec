# SPDX-License-Identifier: Apache-2.0
"""Gerrit's REST calls on custom keyed values.

Thin, as `rest_changes.py`: what may be written is decided in `service.py`.
"""

from __future__ import annotations

from collections.abc import Iterable

from aiohttp import web

from ..answers import Handler, body_of, json_answer
from ..drafts import object_of, text_of, texts
from ..permission import require_account
from ..shaper import Calls


class RestKeyedValues(Calls):
    """Below `/changes/{id}`."""

    def table(self) -> Iterable[tuple[str, str, Handler]]:
        """Method, path, handler."""
        one = "/changes/{id}/custom_keyed_values"
        return (("GET", one, self._list), ("POST", one, self._change))

    async def _list(self, request: web.Request) -> web.StreamResponse:
        change = await self._shaper.change(request)
        return json_answer(request, await self._room.keyed.of(change.number))

    async def _change(self, request: web.Request) -> web.StreamResponse:
        """`add` is a map, `remove` a list of keys; all values are answered."""
        actor = self._asker.actor(request)
        require_account(actor)
        change, body = await self._shaper.change(request), await body_of(request)
        add = {key: text_of(value, f"add.{key[:100]}") for key, value in object_of(body.get("add"), "add").items()}
        remove = texts(body.get("remove"), "remove")
        return json_answer(request, await self._room.keyed.change(actor, change.number, add, remove))
