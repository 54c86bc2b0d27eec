# SPDX-License-Identifier: Apache-2.0
"""The schedule for programs: what is planned, agendas, and files of meetings checked before they are the site's own.

`POST /api/meetings/check` is what the job meeting-conflicts asks: it needs no sign-in, changes nothing, and takes no
more than fits into one directory.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from datetime import date, timedelta
from itertools import islice
from typing import cast

from aiohttp import web

from ... import words
from ...clock import Clock
from ...db import Database
from ...errors import Invalid, NotFound
from ...reasons import reason
from . import store
from .checking import MONTHS, problems, told
from .conflicts import near
from .model import Occurrence
from .occurrences import of_all
from .reading import read
from .tied import meeting_name
from .tip import Tip

MOST_FILES = 500
_AHEAD = timedelta(weeks=4)
_MOST_DATES = 200
# Anybody may ask, and reading takes a second for each quarter of a megabyte.
_MOST_BYTES = 512 * 1024
_MOST_SLOTS = 1500
_MOST_PAIRS = 5000


class ScheduleRest:
    """Handlers below `/api/meetings/`."""

    def __init__(self, db: Database, clock: Clock, tip: Tip) -> None:
        self._db = db
        self._clock = clock
        self._tip = tip
        self._one_at_once = asyncio.Lock()

    def routes(self) -> list[web.RouteDef]:
        """All routes."""
        return [
            web.get("/api/meetings/schedule", self._schedule),
            web.get("/api/meetings/{name}/agenda", self._agenda),
            web.post("/api/meetings/check", self._check),
        ]

    async def _schedule(self, _request: web.Request) -> web.StreamResponse:
        schedule = (await asyncio.to_thread(self._tip.now)).schedule
        now = self._clock.now()
        missed = await self._db.read(store.missed)
        return web.json_response(
            {
                "dates": [_date(one) for one in islice(of_all(schedule.meetings, now, now + _AHEAD), _MOST_DATES)],
                "missed": [{"meeting": one.key, "start": one.starts.isoformat()} for one in missed],
                "flaws": [told(flaw, words.say) for flaw in schedule.flaws],
            }
        )

    async def _agenda(self, request: web.Request) -> web.StreamResponse:
        name = request.match_info["name"]
        versions = await self._db.read(store.agendas, name)
        if not versions:
            raise NotFound(reason=reason("meetbot.agenda-none", name=name))
        return web.json_response(
            [
                {"version": one.version, "at": one.at.isoformat(), "author": one.author, "text": one.text}
                for one in versions
            ]
        )

    async def _check(self, request: web.Request) -> web.StreamResponse:
        files, months = _asked(await _body(request))
        async with self._one_at_once:
            return web.json_response(await asyncio.to_thread(_checked, files, self._clock.now().date(), months))


def _date(one: Occurrence) -> dict[str, object]:
    return {
        "meeting": one.meeting.key,
        "project": one.meeting.project,
        "name": meeting_name(one.meeting),
        "start": one.start.isoformat(),
        "end": one.end.isoformat(),
        "place": one.slot.place,
        "chair": one.slot.chair,
        "agenda_url": one.meeting.agenda_url or None,
        "skipped": one.skipped,
    }


async def _body(request: web.Request) -> object:
    refused = Invalid(reason=reason("meetbot.schedule-bad-check", most=MOST_FILES))
    if request.content_length is not None and request.content_length > _MOST_BYTES:
        raise refused
    data = await request.content.read(_MOST_BYTES + 1)
    while len(data) <= _MOST_BYTES and (piece := await request.content.read(_MOST_BYTES)):
        data += piece
    if len(data) > _MOST_BYTES:
        raise refused
    try:
        return json.loads(data)
    except (ValueError, RecursionError):
        raise refused from None


def _asked(body: object) -> tuple[Mapping[str, bytes], int]:
    """The files and the months; a text of another encoding than UTF-8 comes with its bytes escaped."""
    refused = Invalid(reason=reason("meetbot.schedule-bad-check", most=MOST_FILES))
    if not isinstance(body, dict):
        raise refused
    given = cast(dict[str, object], body)
    files, months = given.get("files"), given.get("months", MONTHS)
    if not isinstance(files, dict) or len(cast(dict[str, object], files)) > MOST_FILES:
        raise refused
    if not isinstance(months, int) or isinstance(months, bool) or not 1 <= months <= 240:
        raise refused
    texts = cast(dict[str, object], files)
    if not all(isinstance(text, str) for text in texts.values()):
        raise refused
    try:
        return {path: str(text).encode("utf-8", "surrogateescape") for path, text in texts.items()}, months
    except UnicodeEncodeError:
        raise refused from None


def _checked(files: Mapping[str, bytes], since: date, months: int) -> dict[str, object]:
    schedule = read(files)
    slots = sum(len(meeting.slots) for meeting in schedule.meetings)
    if slots > _MOST_SLOTS or len(list(islice(near(schedule.meetings), _MOST_PAIRS + 1))) > _MOST_PAIRS:
        raise Invalid(reason=reason("meetbot.schedule-too-much"))
    found = [
        {"file": flaw.path, "line": flaw.line, "message": words.say(flaw.reason), "text": told(flaw, words.say)}
        for flaw in problems(schedule, since, months)
    ]
    return {"meetings": len(schedule.meetings), "problems": found}
