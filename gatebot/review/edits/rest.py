# SPDX-License-Identifier: Apache-2.0
"""Gerrit's REST calls of change edits.

Thin, as `rest_changes.py`.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterable

from aiohttp import web

from ...assignment import Json
from ...errors import Invalid, NotFound
from ...reasons import reason
from ..answers import body_of, everywhere, json_answer, text_or
from ..drafts import text_of
from ..files.rest import base64_answer
from ..permission import require_account
from ..shaper import Shaper
from .service import Edits


class RestEdits:
    """`/changes/{id}/edit` and what is below."""

    def __init__(self, shaper: Shaper, edits: Edits) -> None:
        self._shaper = shaper
        self._edits = edits

    def routes(self) -> Iterable[web.RouteDef]:
        """What is served."""
        one = "/changes/{id}"
        table = (
            ("GET", f"{one}/edit", self._get),
            ("POST", f"{one}/edit", self._begin),
            ("DELETE", f"{one}/edit", self._drop),
            ("GET", f"{one}/edit:message", self._message),
            ("PUT", f"{one}/edit:message", self._reword),
            ("POST", f"{one}/edit:publish", self._publish),
            ("POST", f"{one}/edit:rebase", self._rebase),
            ("GET", f"{one}/edit/{{file}}/meta", self._meta),
            ("GET", f"{one}/edit/{{file}}", self._content),
            ("PUT", f"{one}/edit/{{file}}", self._write),
            ("DELETE", f"{one}/edit/{{file}}", self._delete),
        )
        return [route for method, path, handler in table for route in everywhere(method, path, handler)]

    async def _get(self, request: web.Request) -> web.StreamResponse:
        """The asker's edit; nothing when there is none, which clients ask for before they fetch."""
        view = await self._shaper.view(request)
        actor = self._shaper.asker.actor(request)
        require_account(actor)
        edit = await self._edits.find(actor, view.change.number)
        if edit is None:
            return web.Response(status=204)
        base = self._shaper.patch_set(view, str(edit.base))
        commit = await self._shaper.commit(view.change.project, base.commit)
        message = await self._edits.message(actor, view.change)
        told: dict[str, Json] = {
            "commit": {**commit, "commit": edit.commit, "message": message, "subject": message.splitlines()[0]},
            "base_patch_set_number": edit.base,
            "base_revision": base.commit,
        }
        return json_answer(request, told)

    async def _begin(self, request: web.Request) -> web.StreamResponse:
        """Empty: begins an edit; `restore_path` puts a file back as it was, `old_path` and `new_path` rename one."""
        view, body = await self._shaper.view(request), await body_of(request)
        actor, change = self._shaper.asker.actor(request), view.change
        restore = text_of(body.get("restore_path"), "restore_path")
        old, new = text_of(body.get("old_path"), "old_path"), text_of(body.get("new_path"), "new_path")
        if restore:
            files, parents = self._shaper.room.files, view.current.parents
            before = await files.content(change.project, parents[0] if parents else view.current.commit, restore)
            await self._edits.write(actor, change, restore, before.data)
        elif old and new:
            data = await self._edits.content(actor, change, old)
            if data is None:
                raise NotFound(reason=reason("review.no-such-file", file=old, patch_set=change.current))
            await self._edits.write(actor, change, new, data)
            await self._edits.delete(actor, change, old)
        else:
            await self._edits.begin(actor, change)
        return web.Response(status=204)

    async def _drop(self, request: web.Request) -> web.StreamResponse:
        await self._edits.drop(self._shaper.asker.actor(request), await self._shaper.change(request))
        return web.Response(status=204)

    async def _message(self, request: web.Request) -> web.StreamResponse:
        text = await self._edits.message(self._shaper.asker.actor(request), await self._shaper.change(request))
        return base64_answer(text.encode(), "text/plain")

    async def _reword(self, request: web.Request) -> web.StreamResponse:
        change, text = await self._shaper.change(request), await text_or(request, "message")
        await self._edits.reword(self._shaper.asker.actor(request), change, text)
        return web.Response(status=204)

    async def _publish(self, request: web.Request) -> web.StreamResponse:
        await self._edits.publish(self._shaper.asker.actor(request), await self._shaper.change(request))
        return web.Response(status=204)

    async def _rebase(self, request: web.Request) -> web.StreamResponse:
        await self._edits.rebase(self._shaper.asker.actor(request), await self._shaper.change(request))
        return web.Response(status=204)

    async def _meta(self, request: web.Request) -> web.StreamResponse:
        """Links to other sites, of which there are none."""
        change, path = await self._shaper.change(request), request.match_info["file"]
        if await self._edits.content(self._shaper.asker.actor(request), change, path) is None:
            raise NotFound(reason=reason("review.no-such-file", file=path, patch_set=change.current))
        return json_answer(request, {})

    async def _content(self, request: web.Request) -> web.StreamResponse:
        change, path = await self._shaper.change(request), request.match_info["file"]
        data = await self._edits.content(self._shaper.asker.actor(request), change, path)
        return web.Response(status=204) if data is None else base64_answer(data, "text/plain")

    async def _write(self, request: web.Request) -> web.StreamResponse:
        """The body as it is; as JSON only with `binary_content`, a `data:` address in base64."""
        change, data = await self._shaper.change(request), await request.read()
        if request.content_type == "application/json" and b"binary_content" in data:
            data = _binary(text_of((await body_of(request)).get("binary_content"), "binary_content"))
        await self._edits.write(self._shaper.asker.actor(request), change, request.match_info["file"], data)
        return web.Response(status=204)

    async def _delete(self, request: web.Request) -> web.StreamResponse:
        change, path = await self._shaper.change(request), request.match_info["file"]
        await self._edits.delete(self._shaper.asker.actor(request), change, path)
        return web.Response(status=204)


def _binary(address: str) -> bytes:
    head, comma, data = address.partition(",")
    try:
        if not (head.startswith("data:") and head.endswith(";base64") and comma):
            raise ValueError
        return base64.b64decode(data, validate=True)
    except (ValueError, binascii.Error):
        why = "write it as data:TYPE;base64,CONTENT"
        raise Invalid(reason=reason("review.bad-field", field="binary_content", why=why)) from None
