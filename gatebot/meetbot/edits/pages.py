# SPDX-License-Identifier: Apache-2.0
"""The page on which minutes are changed after the end: by who led the meeting, or by an administrator.

What was there before stays in the record and is shown in the minutes. Nothing is decided here but who may come in.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from aiohttp import web

from ...access import Actor
from ...clock import Clock
from ...db import Database
from ...errors import Conflict, NotFound, NotPermitted
from ...reasons import reason
from ...site import Site
from .. import archive
from ..archive import MeetingRow
from ..model import Setting
from . import store

_LONGEST = 1000


class EditPages:
    """Handlers of `/meeting/ID/edit`; `write` writes the files of a meeting anew."""

    def __init__(
        self, site: Site, db: Database, clock: Clock, ways: Setting, is_admin: Callable[[Actor], bool],
        write: Callable[[int], Awaitable[None]],
    ) -> None:  # fmt: skip
        self._site = site
        self._db = db
        self._clock = clock
        self._ways = ways
        self._is_admin = is_admin
        self._write = write

    def routes(self) -> list[web.RouteDef]:
        """All routes."""
        return [
            web.get(r"/meeting/{id:\d{1,9}}/edit", self._form),
            web.post(r"/meeting/{id:\d{1,9}}/edit", self._change),
        ]

    async def _editable(self, request: web.Request) -> tuple[MeetingRow, str]:
        """The meeting, and the name of who may change its minutes."""
        account = self._site.require(request)
        row = await self._db.read(archive.meeting, int(request.match_info["id"]))
        if row is None:
            raise NotFound(reason=reason("meetbot.no-such-meeting"))
        led = await self._db.read(store.led_by, row.id, account.id, account.username)
        if not led and not self._is_admin(account.actor):
            raise NotPermitted(reason=reason("meetbot.not-a-chair"))
        if row.ended is None:
            raise Conflict(reason=reason("meetbot.still-running"))
        return row, account.username

    async def _form(self, request: web.Request) -> web.StreamResponse:
        row, _ = await self._editable(request)
        minutes = await self._db.read(archive.minutes, row, self._ways)
        items = list(zip(minutes.places, minutes.items, strict=True))
        return self._site.render(
            request, "meetbot/edit.html", row=row, minutes=minutes, items=items, addable=store.ADDABLE
        )

    async def _change(self, request: web.Request) -> web.StreamResponse:
        row, who = await self._editable(request)
        form = await request.post()
        text = " ".join(str(form.get("text", "")).split())[:_LONGEST]
        place, kind, now = str(form.get("place", "")), str(form.get("kind", "")), self._clock.now()
        if place:
            number = int(place) if place.isascii() and place.isdigit() and len(place) < 10 else 0
            known = await self._db.run(store.edit, row.id, number, text, who, now)
        else:
            known = await self._db.run(store.add, row.id, kind, text, who, now)
        if not known:
            raise NotFound(reason=reason("meetbot.no-such-item"))
        await self._write(row.id)
        return self._site.redirect(request, f"/meeting/{row.id}/edit")
