# SPDX-License-Identifier: Apache-2.0
"""The page of the schedule, and its calendars.

`/meetings/schedule` has what comes next and all meetings; `/meetings/schedule/KEY.ics` is the calendar of one meeting,
`/meetings/schedule/project/NAME.ics` of a project, `/meetings/schedule.ics` of all.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from itertools import islice
from urllib.parse import urlsplit

from aiohttp import web

from ... import words
from ...clock import Clock
from ...db import Database, Session
from ...errors import NotFound
from ...reasons import reason
from ...site import Site
from .. import archive, names
from ..archive import MeetingRow
from ..attendance.store import outcomes
from . import store
from .checking import slot_text, told
from .ical import Origin, calendar
from .model import Occurrence, Planned
from .occurrences import of_all
from .tied import agenda_path, meeting_name, of_project
from .tip import Known, Tip

_AHEAD = timedelta(weeks=4)
_MOST = 200


@dataclass(frozen=True, slots=True)
class Listed:
    """A meeting as the page lists it: `name` ties it to its minutes, `last` is when it was held last.

    `outcomes` are how often it was held as planned, and how often it did not happen.
    """

    meeting: Planned
    name: str
    upcoming: Occurrence | None
    last: MeetingRow | None
    outcomes: tuple[int, int] = (0, 0)


class SchedulePages:
    """Handlers for `/meetings/schedule` and what is below it."""

    def __init__(self, site: Site, db: Database, clock: Clock, tip: Tip) -> None:
        self._site = site
        self._db = db
        self._clock = clock
        self._tip = tip

    def routes(self) -> list[web.RouteDef]:
        """All routes; they come before those of meetings by name."""
        return [
            web.get("/meetings/schedule", self._page),
            web.get("/meetings/schedule.ics", self._all),
            web.get("/meetings/schedule/{key}.ics", self._one),
            web.get("/meetings/schedule/project/{name}.ics", self._project),
        ]

    async def _page(self, request: web.Request) -> web.StreamResponse:
        known = await asyncio.to_thread(self._tip.now)
        now = self._clock.now()
        meetings = known.schedule.meetings
        language = self._site.language(request)
        dates = list(islice(of_all(meetings, now, now + _AHEAD), _MOST))
        listed = await self._db.read(_listed, meetings, dates)
        return self._site.render(
            request,
            "meetbot/schedule.html",
            live=f"project/{self._tip.project}" if self._tip.project else "",
            project=self._tip.project,
            directory=self._tip.directory,
            now=now,
            dates=dates,
            listed=listed,
            by_key={one.meeting.key: one for one in listed},
            flaws=[told(flaw, lambda why: words.say(why, language)) for flaw in known.schedule.flaws],
            slot_text=slot_text,
            slug=names.slug,
            agenda_path=agenda_path,
            missed=await self._db.read(store.missed),
            minutes_path=names.minutes_path,
        )

    async def _all(self, request: web.Request) -> web.StreamResponse:
        known = await asyncio.to_thread(self._tip.now)
        return self._calendar(self._site.settings.site.name, known.schedule.meetings, known)

    async def _one(self, request: web.Request) -> web.StreamResponse:
        known = await asyncio.to_thread(self._tip.now)
        found = known.schedule.named(request.match_info["key"])
        if found is None:
            raise NotFound(reason=reason("meetbot.schedule-no-calendar"))
        return self._calendar(found.project, [found], known)

    async def _project(self, request: web.Request) -> web.StreamResponse:
        known = await asyncio.to_thread(self._tip.now)
        wanted = request.match_info["name"]
        found = of_project(known.schedule.meetings, wanted)
        if not found:
            raise NotFound(reason=reason("meetbot.schedule-no-calendar"))
        title = next(one.project for one in found if names.slug(one.project) == wanted)
        return self._calendar(title, found, known)

    def _calendar(self, title: str, meetings: Sequence[Planned], known: Known) -> web.Response:
        url = self._site.settings.url
        text = calendar(title, meetings, Origin(urlsplit(url).hostname or "localhost", url, known.revised))
        answer = web.Response(text=text, content_type="text/calendar", charset="utf-8")
        answer.headers["Cache-Control"] = "max-age=300"
        return answer


def _listed(session: Session, meetings: Sequence[Planned], dates: Sequence[Occurrence]) -> list[Listed]:
    found: list[Listed] = []
    counted = outcomes(session)
    for meeting in sorted(meetings, key=lambda one: one.project.lower()):
        name = meeting_name(meeting)
        upcoming = next((one for one in dates if one.meeting is meeting and one.skipped is None), None)
        held = archive.meetings(session, name, 1)
        found.append(Listed(meeting, name, upcoming, held[0] if held else None, counted.get(name, (0, 0))))
    return found
