# SPDX-License-Identifier: Apache-2.0
"""The pages of the IRC logs: channels, their days, a day with its lines, live while it is today.

Addresses as at meetings.opendev.org: `/irclogs/%23name/%23name.YYYY-MM-DD.log[.html]`. A channel without its `#`
in the address is led to the right one. What a page shows is read from the archive; nothing is decided here. The
health page's sentence on the bot is here too: one that does not hear looks like a channel where nobody speaks.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, date, datetime, tzinfo
from typing import Protocol
from urllib.parse import quote, unquote, urlencode
from zoneinfo import ZoneInfo

from aiohttp import web

from ...asking import Actor
from ...db import Database
from ...errors import NotFound
from ...front import Sign
from ...reasons import reason
from ...site import Site
from .. import archive, channels, dayview, linkify, names
from ..model import Line
from ..ports import States
from .model import ChannelHealth, Health

ZONES = (
    "UTC", "Asia/Seoul", "Asia/Tokyo", "Asia/Shanghai", "Asia/Kolkata", "Australia/Sydney", "Europe/Berlin",
    "Europe/London", "America/New_York", "America/Chicago", "America/Los_Angeles", "America/Sao_Paulo",
)  # fmt: skip
_LINES = re.compile(r"(\d{1,15})(?:-(\d{1,15}))?", re.ASCII)
_FILE = re.compile(r"(?P<channel>.+)\.(?P<day>\d{4}-\d{2}-\d{2})\.log(?P<html>\.html)?")


class Spoken(Protocol):
    """A channel that people may speak in from its page."""

    @property
    def guests(self) -> bool:
        """Without an account, too?"""
        ...


class LogPages:
    """Handlers below `/irclogs/`."""

    def __init__(
        self,
        site: Site,
        db: Database,
        may_remove: Callable[[Actor], bool] = lambda _: False,
        spoken_in: Callable[[str], Spoken | None] = lambda _: None,
        states: States | None = None,
        board_of: Callable[[str], str] = lambda _: "",
    ) -> None:
        """`may_remove` tells to whom the form that removes lines is shown, `spoken_in` where people may speak,
        `board_of` where the board of a channel is (empty: it has none)."""
        self._site = site
        self._db = db
        self._may_remove = may_remove
        self._spoken_in = spoken_in
        self._states = states or linkify.Unknown()
        self._counts = channels.Counts()
        self._board_of = board_of

    def routes(self) -> list[web.RouteDef]:
        """All routes."""
        return [
            web.get("/irclogs", self._to_channels),
            web.get("/irclogs/", self._channels),
            web.get("/irclogs/{channel}", self._to_channel),
            web.get("/irclogs/{channel}/", self._channel),
            web.get("/irclogs/{channel}/{file}", self._file),
        ]

    async def _to_channels(self, request: web.Request) -> web.StreamResponse:
        raise web.HTTPFound("/irclogs/")

    async def _to_channel(self, request: web.Request) -> web.StreamResponse:
        raise web.HTTPFound(f"/irclogs/{quote(request.match_info['channel'], safe='')}/")

    async def _channels(self, request: web.Request) -> web.StreamResponse:
        found = await self._db.read(channels.channels, self._counts)
        return self._site.render(request, "meetbot/channels.html", channels=found)

    async def _channel(self, request: web.Request) -> web.StreamResponse:
        channel = await self._known(request)
        zone, name = _zone(request), str(_zone(request))
        if asked := request.query.get("day"):
            raise web.HTTPFound(_day_path(channel, _day(asked), name if "tz" in request.query else "UTC"))
        years = await self._db.read(channels.years, channel, zone)
        year = int(request.query["year"]) if request.query.get("year", "") in map(str, years) else years[0]
        days = await self._db.read(archive.days, channel, zone, year)
        months: dict[str, list[tuple[date, int]]] = {}
        for day, count in days:
            months.setdefault(f"{day:%Y-%m}", []).append((day, count))
        return self._site.render(
            request, "meetbot/channel.html", channel=channel, months=months, zone=name, board=self._board_of(channel),
            year=year, years=years,
            day_path=lambda of, day: _day_path(of, day, name),  # pyright: ignore[reportUnknownLambdaType, reportUnknownArgumentType]
        )  # fmt: skip

    async def _known(self, request: web.Request) -> str:
        """The channel of an address; an address without the `#` is led on."""
        channel = names.folded(request.match_info["channel"])
        last = await self._db.read(archive.last_day, channel)
        if last is None and not channel.startswith("#"):
            rest = quote(request.match_info.get("file", ""))
            raise web.HTTPFound(f"/irclogs/{quote('#' + channel, safe='')}/{rest}")
        if last is None:
            raise NotFound(reason=reason("meetbot.nothing-heard", channel=channel))
        return channel

    async def _file(self, request: web.Request) -> web.StreamResponse:
        channel = await self._known(request)
        file = request.match_info["file"]
        if file == "latest.log.html":
            last = await self._db.read(archive.last_day, channel, _zone(request))
            assert last is not None
            zone = f"?{request.query_string}" if request.query_string else ""
            raise web.HTTPFound(names.day_path(channel, last) + zone)
        found = _FILE.fullmatch(file)
        if found is None or names.folded(found["channel"]) != channel:
            raise NotFound(reason=reason("meetbot.no-such-log", channel=channel))
        day, zone, marked = _day(found["day"]), _zone(request), _marked(request)
        await self._lead_to_line(request, channel, zone)
        lines = await self._db.read(archive.lines_of_day, channel, day, zone if found["html"] else UTC)
        if not found["html"]:
            if not lines:
                raise NotFound(reason=reason("meetbot.nobody-spoke", channel=channel, day=str(day)))
            return web.Response(text=dayview.plain(lines), content_type="text/plain", charset="utf-8")
        before, after = await self._db.read(archive.neighbours, channel, day, zone)
        actor, name = self._site.actor(request), str(zone)
        known = await linkify.known(self._states, actor, self._site.settings.url, (line.text for line in lines))
        return self._site.render(
            request,
            "meetbot/day.html",
            live=f"channel/{channel}{known.topics}",
            channel=channel,
            board=self._board_of(channel),
            day=day,
            before=before,
            after=after,
            blocks=dayview.blocks(lines, zone, marked, known, self._site.gettext(request)),
            marked=marked,
            at=marked[0] if marked else lines[0].id if lines else None,
            may_remove=bool(marked) and self._may_remove(actor),
            back=request.path_qs,
            speaks=self._spoken_in(channel) if day >= datetime.now(zone).date() else None,
            guest=unquote(request.cookies.get("guest", ""))[:20],
            zone=name,
            zones=ZONES if name in ZONES else (*ZONES, name),
            day_path=lambda of, day: _day_path(of, day, name),  # pyright: ignore[reportUnknownLambdaType, reportUnknownArgumentType]
            plain=[(one, names.day_path(channel, one).removesuffix(".html")) for one in _utc_days(lines)],
        )

    async def _lead_to_line(self, request: web.Request, channel: str, zone: tzinfo) -> None:
        """Who asks for another zone goes on looking at the line that he looked at, on whatever day it is there."""
        asked = request.query.get("at", "")
        number = int(asked) if asked.isascii() and asked.isdecimal() and len(asked) < 16 else 0
        moment = await self._db.read(archive.moment, channel, number) if number else None
        if moment is not None:
            kept = {key: value for key, value in request.query.items() if key != "at"}
            day = names.day_path(channel, moment.astimezone(zone).date())
            raise web.HTTPFound(f"{day}?{urlencode(kept)}#l{number}")


def _day_path(channel: str, day: date, zone: str) -> str:
    """A day as somebody who reads in a zone has it."""
    return names.day_path(channel, day) + (f"?tz={quote(zone)}" if zone != "UTC" else "")


def _utc_days(lines: Iterable[Line]) -> list[date]:
    """The days of UTC that lines are of: plain text is by these."""
    return sorted({line.at.astimezone(UTC).date() for line in lines})


def _zone(request: web.Request) -> tzinfo:
    """The zone of the reader's days and clocks; UTC where none is asked for."""
    asked = request.query.get("tz", "UTC")
    if asked == "UTC":
        return UTC
    try:
        return ZoneInfo(asked)
    except (ValueError, OSError, KeyError):
        raise NotFound(reason=reason("meetbot.no-such-zone", zone=asked[:80])) from None


def _marked(request: web.Request) -> range:
    """The lines that an address names: `?lines=5` or `?lines=5-9`, the numbers of their anchors."""
    found = _LINES.fullmatch(request.query.get("lines", ""))
    first, last = (int(found[1]), int(found[2] or found[1])) if found else (0, -1)
    return range(min(first, last), max(first, last) + 1) if found else range(0)


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise NotFound(reason=reason("meetbot.no-such-day", day=text)) from None


def health(networks: Callable[[], Sequence[Health]], stuck: Callable[[], int] = lambda: 0) -> Sign:
    """How the bot is connected: what it heard last where, or what is wrong and what to do; `stuck` lines wait."""
    now = networks()
    told = [_network(network) for network in now]
    of = [(network.name, [channel.name for channel in network.channels]) for network in now]
    told += [(True, text) for text in one_log_of_two(of)]
    if count := stuck():
        told.insert(0, (False, f"{count} LINES CANNOT BE STORED and wait in memory: see why in the log of the server"))
    text = "; ".join(text for _, text in told) or "no IRC network is set"
    return Sign("meetbot", all(well for well, _ in told), text, vital=False)


def one_log_of_two(networks: Iterable[tuple[str, Sequence[str]]]) -> list[str]:
    """What is to be known of channels that have one name on several networks: networks and their channels."""
    found: dict[str, list[str]] = {}
    for network, joined in networks:
        for channel in dict.fromkeys(map(names.folded, joined)):
            found.setdefault(channel, []).append(network)
    return [
        f"{channel} is on {' and '.join(on)} and has one log for {'both' if len(on) == 2 else 'all of them'}, in which "
        "nobody tells whose line is whose: unless they are bridged, leave it out of channels in all [[irc]] but one"
        for channel, on in found.items()
        if len(on) > 1
    ]


def _network(network: Health) -> tuple[bool, str]:
    if network.connected is None:
        return False, f"{network.name}: not connected ({network.problem or 'connecting'}); it is tried again and again"
    well = all(channel.joined and not channel.silent for channel in network.channels)
    channels = ", ".join(map(_channel, network.channels)) or "no channel"
    dropped = f"; {network.dropped} lines of news were too many for the network" if network.dropped else ""
    return well, f"{network.name}: {network.nick} in {channels}{dropped}"


def _channel(channel: ChannelHealth) -> str:
    last = f"last line {_when(channel.last_line)}"
    if not channel.joined:
        return f"{channel.name} (not in it: {channel.refused or 'joining'}; {last})"
    return f"{channel.name} ({'SILENT FOR TOO LONG: is it still in use? ' if channel.silent else ''}{last})"


def _when(at: datetime | None) -> str:
    return f"{at:%Y-%m-%d %H:%M:%S} UTC" if at else "none yet"
