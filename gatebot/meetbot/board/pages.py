# SPDX-License-Identifier: Apache-2.0
"""`/board/NAME`, live, and the same for programs in the form of ptgbot's `ptg.json`.

Everybody reads. Nothing is decided here.
"""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import quote

from aiohttp import web

from ...db import Database
from ...errors import NotFound
from ...reasons import reason
from ...site import Site
from .. import linkify
from . import deciding, store
from .model import Board, CheckIn, Event


class BoardPages:
    """Handlers."""

    def __init__(self, site: Site, db: Database, events: Sequence[Event]) -> None:
        self._site = site
        self._db = db
        self._events = {event.name: event for event in events}

    def routes(self) -> list[web.RouteDef]:
        """All routes."""
        return [
            web.get("/board", self._boards),
            web.get("/board/{name}", self._board),
            web.get("/api/boards", self._names_json),
            web.get("/api/boards/{name}", self._board_json),
        ]

    async def _boards(self, request: web.Request) -> web.StreamResponse:
        if len(self._events) == 1:
            raise web.HTTPFound(f"/board/{quote(next(iter(self._events)))}")
        return self._site.render(request, "meetbot/boards.html", events=list(self._events.values()))

    async def _board(self, request: web.Request) -> web.StreamResponse:
        event, board = await self._found(request)
        return self._site.render(
            request,
            "meetbot/board.html",
            live=f"board/{event.name}",
            event=event,
            board=board,
            pad=lambda track: pad(event, board, track),  # pyright: ignore[reportUnknownLambdaType, reportUnknownArgumentType]
            here=sorted((one for one in board.checkins.values() if one.until is None), key=_by_nick),
            gone=sorted((one for one in board.checkins.values() if one.until is not None), key=_by_nick),
            channel_log=f"/irclogs/{quote(event.channel.lower(), safe='')}/",
            pieces=linkify.pieces,
            bookable=bool(deciding.slots(event)),
        )

    async def _names_json(self, request: web.Request) -> web.StreamResponse:
        told = [{"name": one.name, "title": one.title, "channel": one.channel} for one in self._events.values()]
        return web.json_response(told)

    async def _board_json(self, request: web.Request) -> web.StreamResponse:
        return web.json_response(json_of(*await self._found(request)))

    async def _found(self, request: web.Request) -> tuple[Event, Board]:
        event = self._events.get(request.match_info["name"])
        if event is None:
            raise NotFound(reason=reason("meetbot.no-such-board", name=request.match_info["name"][:80]))
        return event, await self._db.read(store.board, event)


def pad(event: Event, board: Board, track: str) -> str:
    """Where a track writes together: as it says, or as the event has it; empty: nowhere."""
    return board.etherpads.get(track) or (f"{event.etherpad}{quote(track, safe='')}" if event.etherpad else "")


def _by_nick(one: CheckIn) -> str:
    return one.nick.casefold()


def json_of(event: Event, board: Board) -> dict[str, object]:
    """A board as ptgbot writes it; of subscriptions, which are private, nothing."""
    schedule = {room: {slot: board.bookings.get(f"{room}-{slot}", "") for slot in event.slots} for room in event.rooms}
    seen = {
        key: {"nick": one.nick, "location": one.location, "in": one.since.isoformat()}
        | {"out": one.until.isoformat() if one.until else None}
        for key, one in board.checkins.items()
    }
    return {
        "eventid": event.name, "title": event.title, "channel": event.channel, "tracks": list(board.tracks),
        "now": dict(board.now), "next": {track: list(texts) for track, texts in board.next.items()},
        "location": dict(board.locations), "urls": dict(board.urls), "colors": dict(board.colors),
        "etherpads": {track: url for track in board.tracks if (url := pad(event, board, track))},
        "schedule": schedule, "slots": list(event.slots), "voice": int(board.known_only),
        "motd": [{"level": level, "message": text} for level, text in board.motd], "last_check_in": seen,
    }  # fmt: skip
