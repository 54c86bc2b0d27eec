# SPDX-License-Identifier: Apache-2.0
"""The page of a meeting's agenda: `/meetings/NAME/agenda`, for everybody to read and for accounts to write.

`?version=N` shows an older one, `?old=N&new=M` compares two. Restoring an old version makes a new one of it.
"""

from __future__ import annotations

import asyncio

from aiohttp import web

from ....clock import Clock
from ....db import Database, Session
from ....errors import Invalid, NotFound
from ....reasons import reason
from ....site import Site
from ... import archive, linkify, names
from ...ports import States
from .. import store
from ..model import Planned
from ..store import Agenda
from ..tied import agenda_path, meeting_name
from ..tip import Tip
from .comparing import Compared, compared

_MOST = 64 * 1024
_MOST_LINES = 2000


class AgendaPages:
    """Handlers for `/meetings/NAME/agenda`."""

    def __init__(self, site: Site, db: Database, clock: Clock, tip: Tip, states: States | None = None) -> None:
        self._site = site
        self._db = db
        self._clock = clock
        self._tip = tip
        self._states = states or linkify.Unknown()

    def routes(self) -> list[web.RouteDef]:
        """All routes."""
        return [web.get("/meetings/{name}/agenda", self._page), web.post("/meetings/{name}/agenda", self._write)]

    async def _page(self, request: web.Request) -> web.StreamResponse:
        name, planned, versions = await self._found(request)
        asked = {key: _number(request, key) for key in ("version", "old", "new")}
        by_number = {one.version: one for one in versions}
        if any(number is not None and number not in by_number for number in asked.values()):
            raise NotFound(reason=reason("meetbot.agenda-no-version", name=name))
        shown = by_number[asked["version"]] if asked["version"] is not None else versions[0] if versions else None
        lines = None
        if asked["old"] is not None and asked["new"] is not None:
            lines = list(compared(by_number[asked["old"]].text, by_number[asked["new"]].text))
        return await self._render(request, name, planned, versions, shown, lines=lines, asked=asked)

    async def _render(
        self, request: web.Request, name: str, planned: Planned | None, versions: list[Agenda], shown: Agenda | None,
        *, typed: str | None = None, status: int = 200, lines: list[Compared] | None = None,
        asked: dict[str, int | None] | None = None,
    ) -> web.Response:  # fmt: skip
        text = typed if typed is not None else versions[0].text if versions else ""
        actor, points = self._site.actor(request), shown.text.split("\n") if shown else ()
        known = await linkify.known(self._states, actor, self._site.settings.url, points)
        return self._site.render(
            request, "meetbot/agenda.html", status=status, name=name, planned=planned, versions=versions, shown=shown,
            text=text, conflict=typed is not None, pieces=known.pieces, path=agenda_path(name),
            lines=lines, asked=asked or {},
        )  # fmt: skip

    async def _write(self, request: web.Request) -> web.StreamResponse:
        account = self._site.require(request)
        name, planned, versions = await self._found(request)
        form = await request.post()
        text = str(form.get("text", "")).replace("\r\n", "\n").replace("\r", "\n")
        based = str(form.get("version", ""))
        if not (based.isascii() and based.isdecimal() and len(based) < 9):
            raise Invalid(reason=reason("meetbot.agenda-no-version", name=name))
        restored = str(form.get("restore", ""))
        if restored:
            text = next((one.text for one in versions if str(one.version) == restored), "")
        if len(text.encode("utf-8", "replace")) > _MOST or text.count("\n") >= _MOST_LINES or "\0" in text:
            raise Invalid(reason=reason("meetbot.agenda-too-long", kib=_MOST // 1024, lines=_MOST_LINES))
        text = text.strip()
        if versions and versions[0].text == text and str(versions[0].version) == based:
            return self._site.redirect(request, agenda_path(name))
        new = Agenda(name, int(based), self._clock.now(), account.username, text)
        written = await self._db.run_silent(store.write_agenda, new)
        if written is None:
            newest = await self._db.read(store.agendas, name)
            return await self._render(
                request, name, planned, newest, newest[0] if newest else None, typed=text, status=409
            )
        return self._site.redirect(request, agenda_path(name), reason("meetbot.agenda-kept", version=written))

    async def _found(self, request: web.Request) -> tuple[str, Planned | None, list[Agenda]]:
        """The meeting: one that is planned, or that was held, or that has an agenda; others have no page."""
        name = request.match_info["name"]
        known = await asyncio.to_thread(self._tip.now)
        planned = next((one for one in known.schedule.meetings if meeting_name(one) == name), None)
        versions, held = await self._db.read(_known, name)
        if names.slug(name) != name or (planned is None and not held and not versions):
            raise NotFound(reason=reason("meetbot.agenda-no-meeting", name=name))
        return name, planned, versions


def _known(session: Session, name: str) -> tuple[list[Agenda], bool]:
    return store.agendas(session, name), bool(archive.meetings(session, name, 1))


def _number(request: web.Request, key: str) -> int | None:
    """The number of a version in the address; one that is none is of no version."""
    given = request.query.get(key)
    if given is None:
        return None
    return int(given) if given.isascii() and given.isdecimal() and len(given) < 9 else -1
