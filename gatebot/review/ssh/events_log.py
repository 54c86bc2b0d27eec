# SPDX-License-Identifier: Apache-2.0
"""What Gerrit's plugin `events-log` serves: the events between two moments, one JSON object a line.

Jenkins asks it for what it missed. The journal is the log; nothing is kept besides.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime

from aiohttp import web

from ... import journal as log
from ...access import SITE, Verb, may
from ...db import Database
from ...errors import Invalid, NotPermitted, Unauthenticated
from ...journal import Journal
from ...reasons import reason
from ..answers import Asker, everywhere, whole_number
from ..room import ReviewRoom
from . import happenings
from .querying import line
from .telling import Telling

_AT_A_TIME = 200


class EventsLog:
    """`/plugins/events-log/events/?t1=&t2=&since-id=`."""

    def __init__(self, db: Database, journal: Journal, room: ReviewRoom, telling: Telling, asker: Asker) -> None:
        self._db = db
        self._journal = journal
        self._room = room
        self._telling = telling
        self._asker = asker

    def routes(self) -> Iterable[web.RouteDef]:
        """What is served."""
        yield from everywhere("GET", "/plugins/events-log", self._present)
        yield from everywhere("GET", "/plugins/events-log/events", self._events)

    async def _present(self, request: web.Request) -> web.StreamResponse:
        """Clients ask whether there is such a thing, and look at the status only."""
        self._require(request)
        return web.Response(text="events-log: GET events/?t1=YYYY-MM-DD HH:MM:SS&t2=...\n", content_type="text/plain")

    async def _events(self, request: web.Request) -> web.StreamResponse:
        self._require(request)
        begin, end = _moment(request, "t1"), _moment(request, "t2")
        after = whole_number(request, "since-id", default=0)
        if begin is not None:
            after = max(after, await self._db.read(log.last_before, begin))
        response = web.StreamResponse()
        response.content_type, response.charset = "text/plain", "utf-8"
        await response.prepare(request)
        last = await self._journal.last()
        while after < last:
            entries = await self._journal.read(after, kinds=happenings.KINDS, limit=_AT_A_TIME)
            shown = [entry for entry in entries if entry.id <= last and (end is None or entry.at <= end)]
            async for _, told in self._telling.events(self._asker.actor(request), shown):
                await response.write(line(told).encode())
            if len(shown) < len(entries) or not entries:
                break
            after = entries[-1].id
        await response.write_eof()
        return response

    def _require(self, request: web.Request) -> None:
        actor = self._asker.actor(request)
        if may(actor, Verb.STREAM_EVENTS, SITE, self._room.rules):
            return
        if actor.account is None:
            raise Unauthenticated(reason=reason("review.sign-in"))
        what = {"username": actor.username, "capability": "stream events"}
        raise NotPermitted(reason=reason("review.no-capability", **what))


def _moment(request: web.Request, name: str) -> datetime | None:
    """A moment of the query, in UTC."""
    given = request.query.get(name, "").strip()
    if not given:
        return None
    try:
        read = datetime.fromisoformat(given)
    except ValueError:
        raise Invalid(reason=reason("review.bad-moment", name=name, value=given)) from None
    return read if read.tzinfo else read.replace(tzinfo=UTC)
