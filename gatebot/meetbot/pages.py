# SPDX-License-Identifier: Apache-2.0
"""The pages of meetings, and what the meetbot adds to the home page.

`/meetings/` lists, `/meetings/NAME/YEAR/FILE` serves minutes in OpenDev's layout: the file if there is one, else
rendered from the record, also while a meeting runs. `/meeting/ID` is the same meeting as a page of this site.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TypeVar

from aiohttp import web

from ..access import Actor
from ..db import Database, Session
from ..errors import NotFound
from ..front import Entry, Panel
from ..reasons import reason
from ..site import Site
from . import archive, names
from .archive import MeetingRow
from .attendance import store as attendance
from .edits import store as edits
from .linkify import Known, Unknown, known
from .minutes.fold import Minutes
from .minutes.render import FORMATS, LIVE_FORMATS
from .model import Setting
from .ports import States
from .removing import marks

K = TypeVar("K", int, str)

_TYPES = {"html": "text/html", "json": "application/json", "md": "text/markdown"}

# Minutes carry their own style and nothing that runs.
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
_PAGE = (
    '<p class="details"><a href="/meeting/%d">The page of this meeting</a>. '
    "Who led it can change these minutes there.</p>"
)


class MeetingPages:
    """Handlers below `/meetings/` and `/meeting/`. Who `is_admin` may change any minutes after their end."""

    def __init__(
        self, site: Site, db: Database, root: Path, ways: Setting, is_admin: Callable[[Actor], bool] = lambda _: False,
        states: States | None = None, board_of: Callable[[str], str] = lambda _: "",
    ) -> None:  # fmt: skip
        self._site = site
        self._db = db
        self._root = root
        self._ways = ways
        self._is_admin = is_admin
        self._states = states or Unknown()
        self._board_of = board_of

    def routes(self) -> list[web.RouteDef]:
        """All routes."""
        return [
            web.get("/meetings", self._to_index),
            web.get("/meetings/", self._index),
            web.get("/meetings/{name}/", self._named),
            web.get("/meetings/{name}/{year}/", self._named),
            web.get("/meetings/{name}/{year}/{file}", self._file),
            web.get(r"/meeting/{id:\d{1,9}}", self._meeting),
        ]

    async def _to_index(self, request: web.Request) -> web.StreamResponse:
        raise web.HTTPFound("/meetings/")

    async def _index(self, request: web.Request) -> web.StreamResponse:
        rows = await self._db.read(archive.meetings, None, 200)
        counts = await self._db.read(archive.meeting_names)
        return self._site.render(
            request,
            "meetbot/meetings.html",
            live="meetings",
            rows=rows,
            counts=counts,
            attended=None,
            name="",
            minutes_path=names.minutes_path,
        )

    async def _named(self, request: web.Request) -> web.StreamResponse:
        name, year = request.match_info["name"], request.match_info.get("year", "")
        rows = [
            row
            for row in await self._db.read(archive.meetings, name, 2000)
            if not year or row.location.split("/")[1] == year
        ]
        attended = await self._db.read(attendance.attendance, name)
        if not rows and (year or not attended.missed):
            raise NotFound(reason=reason("meetbot.no-meeting-of-name", name=name))
        return self._site.render(
            request,
            "meetbot/meetings.html",
            live="meetings",
            rows=rows,
            counts=[],
            attended=attended,
            name=name,
            minutes_path=names.minutes_path,
        )

    async def _meeting(self, request: web.Request) -> web.StreamResponse:
        row, minutes = await self._db.read(_found, int(request.match_info["id"]), archive.meeting, self._ways)
        self._guard(request, minutes)
        account, known = self._site.account(request), await self._known(request, (one.text for one in minutes.items))
        led = account is not None and await self._db.read(edits.led_by, row.id, account.id, account.username)
        editable = account is not None and (led or self._is_admin(account.actor))
        return self._site.render(
            request,
            "meetbot/meeting.html",
            editable=editable,
            why=reason("meetbot.not-a-chair") if account is not None and not editable else None,
            live=f"meeting/{row.id},channel/{row.channel}{known.topics}",
            row=row,
            board=self._board_of(row.channel),
            minutes=minutes,
            people=_people(minutes),
            silent=await self._db.read(attendance.silent, row.id, [nick for nick, _ in minutes.people]),
            pieces=known.pieces,
            minutes_path=names.minutes_path(row.location),
            line_path=lambda at, line: names.line_path(row.channel, at, line),  # pyright: ignore[reportUnknownLambdaType, reportUnknownArgumentType]
        )

    async def _known(self, request: web.Request, texts: Iterable[str]) -> Known:
        """What the reader may know of what some texts name."""
        return await known(self._states, self._site.actor(request), self._site.settings.url, texts)

    def _guard(self, request: web.Request, minutes: Minutes) -> None:
        """Restricted minutes are for those who have an account here."""
        if minutes.restricted:
            self._site.require(request)

    async def _file(self, request: web.Request) -> web.StreamResponse:
        parts = [request.match_info[part] for part in ("name", "year", "file")]
        if any(part.startswith(".") or "/" in part or "\\" in part or "\0" in part for part in parts):
            raise NotFound(reason=reason("meetbot.no-such-minutes"))
        ending = next((ending for ending in sorted(FORMATS, key=len, reverse=True) if parts[2].endswith(ending)), None)
        if ending is None and await self._db.read(archive.meeting_at, "/".join(parts)) is not None:
            raise web.HTTPFound(f"{request.rel_url.raw_path}.html")
        if ending is None:
            raise NotFound(reason=reason("meetbot.no-such-minutes"))
        text = await self._from_record(request, "/".join(parts).removesuffix(ending), ending)
        if text is None:
            text = await asyncio.to_thread(_read, self._root.joinpath(*parts))
        if text is None:
            raise NotFound(reason=reason("meetbot.no-such-minutes"))
        kind = _TYPES.get(ending.rsplit(".", 1)[-1], "text/plain")
        answer = web.Response(text=text, content_type=kind, charset="utf-8")
        answer.headers["Content-Security-Policy"] = _POLICY
        return answer

    async def _from_record(self, request: web.Request, location: str, ending: str) -> str | None:
        """A file as the record gives it; None for meetings that only exist as files."""
        try:
            row, minutes = await self._db.read(_found, location, archive.meeting_at, self._ways)
        except NotFound:
            return None
        self._guard(request, minutes)
        if ending not in LIVE_FORMATS:
            return FORMATS[ending](minutes, self._ways)
        told = await self._known(request, [line.text for line in minutes.log])
        text = LIVE_FORMATS[ending](minutes, self._ways, told.html)
        return text.replace("</h1>\n", f"</h1>\n{_PAGE % row.id}\n", 1) if ending == ".html" else text

    # -- what the common pages show ------------------------------------------------------------

    async def panel(self, request: web.Request) -> Panel:
        """The newest meetings, for the home page."""
        gettext = self._site.gettext(request)
        rows = await self._db.read(archive.meetings, None, 5)
        running = ("run", gettext("running"))
        entries = tuple(
            Entry(
                marks.told(row.title or row.name, gettext),
                f"/meeting/{row.id}",
                row.channel,
                row.started,
                None if row.ended else running,
            )
            for row in rows
        )
        empty = gettext("No meeting was held yet: say #startmeeting NAME in a channel where the bot is.")
        return Panel(gettext("Meetings"), "/meetings/", entries, empty)


def _found(
    session: Session, key: K, find: Callable[[Session, K], MeetingRow | None], ways: Setting
) -> tuple[MeetingRow, Minutes]:
    """A meeting and its minutes."""
    row = find(session, key)
    if row is None:
        raise NotFound(reason=reason("meetbot.no-such-meeting"))
    return row, archive.minutes(session, row, ways)


def _people(minutes: Minutes) -> list[tuple[str, int]]:
    """Who came: the bot is no person, though minutes in MeetBot's form count its lines."""
    bots = {line.nick for line in minutes.log if line.own}
    return [(nick, count) for nick, count in minutes.people if nick not in bots]


def _read(path: Path) -> str | None:
    return path.read_text("utf-8", errors="replace") if path.is_file() else None
