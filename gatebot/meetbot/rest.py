# SPDX-License-Identifier: Apache-2.0
"""Meetings and IRC logs for programs: JSON below `/api/meetings` and `/api/irclogs`.

Everything that the pages show, nothing that they do not. Times are ISO in UTC; addresses are on this site.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from aiohttp import web

from ..db import Database
from ..errors import Invalid, NotFound
from ..reasons import reason
from ..site import Site
from ..targets import path_of
from . import archive, channels, names
from .archive import MeetingRow
from .attendance import store as attendance
from .linkify import Known, Unknown, known
from .memory.store import restricted
from .minutes.fold import Minutes
from .model import Entry, Line, Setting
from .ports import States
from .search import minutes as written
from .search.pages import begins_below, is_newest
from .search.store import find, with_channel

_MOST = 1000


class MeetingRest:
    """Handlers below `/api/`."""

    def __init__(self, site: Site, db: Database, ways: Setting, states: States | None = None) -> None:
        self._site = site
        self._db = db
        self._ways = ways
        self._states = states or Unknown()
        self._counts = channels.Counts()

    def routes(self) -> list[web.RouteDef]:
        """All routes."""
        return [
            web.get("/api/meetings", self._meetings),
            web.get("/api/meetings/search", self._written),
            web.get(r"/api/meetings/{id:\d{1,9}}", self._meeting),
            web.get("/api/meetings/{name}/attendance", self._attendance),
            web.get("/api/irclogs", self._channels),
            web.get("/api/irclogs/search", self._search),
            web.get("/api/irclogs/{channel}", self._days),
            web.get("/api/irclogs/{channel}/{day}", self._day),
        ]

    async def _meetings(self, request: web.Request) -> web.StreamResponse:
        rows = await self._db.read(archive.meetings, request.query.get("name"), _limit(request, 100))
        return web.json_response([_row(row) for row in rows])

    async def _meeting(self, request: web.Request) -> web.StreamResponse:
        row = await self._db.read(archive.meeting, int(request.match_info["id"]))
        if row is None:
            raise NotFound(reason=reason("meetbot.no-such-meeting"))
        minutes = await self._db.read(archive.minutes, row, self._ways)
        if minutes.restricted:
            self._site.require(request)
        silent = await self._db.read(attendance.silent, row.id, [nick for nick, _ in minutes.people])
        return web.json_response(_row(row) | _minutes(minutes) | {"silent": silent})

    async def _attendance(self, request: web.Request) -> web.StreamResponse:
        """Who came on the newest dates; a date that did not happen has no meeting."""
        name = request.match_info["name"]
        found = await self._db.read(attendance.attendance, name)
        if not found.dates:
            raise NotFound(reason=reason("meetbot.no-meeting-of-name", name=name))
        dates = [{"at": date.at.isoformat(), "meeting": date.meeting} for date in found.dates]
        return web.json_response(
            {"dates": dates, "people": {one.nick: one.lines for one in found.people}, "idle": found.idle}
        )

    async def _channels(self, _request: web.Request) -> web.StreamResponse:
        found = await self._db.read(channels.channels, self._counts)
        return web.json_response(
            [
                {"channel": c.name, "first": c.first.isoformat(), "last": c.last.isoformat(), "lines": c.lines}
                for c in found
            ]
        )

    async def _days(self, request: web.Request) -> web.StreamResponse:
        channel = names.folded(request.match_info["channel"])
        days = await self._db.read(archive.days, channel)
        if not days:
            raise NotFound(reason=reason("meetbot.nothing-heard", channel=channel))
        return web.json_response(
            [{"day": day.isoformat(), "lines": count, "path": names.day_path(channel, day)} for day, count in days]
        )

    async def _day(self, request: web.Request) -> web.StreamResponse:
        channel = names.folded(request.match_info["channel"])
        try:
            day = date.fromisoformat(request.match_info["day"])
        except ValueError:
            raise Invalid(reason=reason("meetbot.no-such-day", day=request.match_info["day"])) from None
        lines = await self._db.read(archive.lines_of_day, channel, day)
        known = await self._known(request, lines)
        return web.json_response([_line(channel, line, known) for line in lines])

    async def _known(self, request: web.Request, lines: Iterable[Line]) -> Known:
        """What the asker may know of what some lines name."""
        return await known(
            self._states, self._site.actor(request), self._site.settings.url, (line.text for line in lines)
        )

    async def _written(self, request: web.Request) -> web.StreamResponse:
        """What was written into minutes after their end."""
        query = request.query.get("q", "").strip()
        if not query:
            raise Invalid(reason=reason("meetbot.nothing-asked-of-minutes"))
        hidden = frozenset[int]() if self._site.account(request) else await self._db.read(restricted)
        found = await self._db.read(written.find, query, min(_limit(request, 20), 100), hidden)
        return web.json_response([
            {"meeting": one.meeting, "title": one.title, "channel": one.channel, "at": one.at.isoformat(),
             "who": one.who, "text": one.text, "path": f"/meeting/{one.meeting}"}
            for one in found
        ])  # fmt: skip

    async def _search(self, request: web.Request) -> web.StreamResponse:
        query = request.query.get("q", "").strip()
        if not query:
            raise Invalid(reason=reason("meetbot.nothing-asked"))
        asked = with_channel(query, request.query.get("channel"))
        limit, newest = min(_limit(request, 20), 100), is_newest(request)
        found = await self._db.read(find, asked, limit, begins_below(request), newest=newest)
        known = await self._known(request, (line for one in found.conversations for line in one.lines))
        told = [
            (one, [_line(one.channel, line, known) for line in one.lines]) for one in found.conversations
        ]  # fmt: skip
        answer = web.json_response(
            [{"channel": one.channel, "hits": sorted(one.hits), "lines": lines} for one, lines in told]
        )
        if found.older is not None:
            answer.headers["Link"] = f'<{request.rel_url.update_query(older=str(found.older))}>; rel="next"'
        return answer


def _limit(request: web.Request, usual: int) -> int:
    asked = request.query.get("limit", str(usual))
    if not (asked.isdecimal() and len(asked) < 10) or not 1 <= int(asked) <= _MOST:
        raise Invalid(reason=reason("meetbot.bad-limit", most=_MOST))
    return int(asked)


def _row(row: MeetingRow) -> dict[str, object]:
    return {
        "id": row.id,
        "network": row.network,
        "channel": row.channel,
        "name": row.name,
        "title": row.title,
        "started": row.started.isoformat(),
        "ended": row.ended.isoformat() if row.ended else None,
        "minutes": names.minutes_path(row.location) + ".html",
    }


def _minutes(minutes: Minutes) -> dict[str, object]:
    return {
        "owner": minutes.owner,
        "items": [_item(minutes, item) for item in minutes.items],
        "actions": {nick: [item.text for item in items] for nick, items in minutes.by_person},
        "unassigned": [item.text for item in minutes.unassigned],
        "people": dict(minutes.people),
    }


def _item(minutes: Minutes, item: Entry) -> dict[str, object]:
    path = names.line_path(minutes.channel, item.at, item.line)
    return {"kind": item.kind.value, "text": item.text, "nick": item.nick, "at": item.at.isoformat(), "path": path}


def _line(channel: str, line: Line, known: Known) -> dict[str, object]:
    """A line, with the present states of what it names."""
    named = [
        {"target": target, "path": path_of(target), "state": state.word or "waiting", "title": state.title}
        for target, state in known.named(line.text, line.at)
    ]
    told: dict[str, object] = {
        "id": line.id,
        "at": line.at.isoformat(),
        "kind": line.kind.value,
        "nick": line.nick,
        "text": line.text,
        "path": names.line_path(channel, line.at, line.id),
    }
    return told | ({"named": named} if named else {})
