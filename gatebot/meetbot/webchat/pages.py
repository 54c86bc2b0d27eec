# SPDX-License-Identifier: Apache-2.0
"""The form below a channel's log, and the same for programs: what is said there is said in the channel.

The bot says it for the person, with the nick before it; the log has it under that nick, as if it came over IRC, so that
commands of a meeting work. Who may is a setting of each network.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from urllib.parse import quote

import msgspec
from aiohttp import hdrs, web

from ...clock import Clock
from ...errors import Invalid, NotFound, TooManyAttempts, Unauthenticated, http_status
from ...reasons import reason
from ...site import Site
from .. import names
from ..irc.model import Health
from ..model import Priority, Reply
from ..ports import Speaker
from . import words

COOKIE = "guest"
_JSON = "application/json"


class Said(msgspec.Struct, forbid_unknown_fields=True):
    """The body of a request by REST."""

    text: str
    nick: str = ""


@dataclass(frozen=True, slots=True)
class Place:
    """A channel that can be spoken in from here."""

    network: str
    channel: str
    guests: bool


@dataclass(frozen=True, slots=True)
class WebChat:
    """Handlers. `speakers` are the networks by name, `health` tells where the bot is, `allows` who may on a network."""

    site: Site
    clock: Clock
    speakers: Callable[[str], Speaker | None]
    health: Callable[[], Sequence[Health]]
    allows: Callable[[str], str]
    brake: words.Brake = field(default_factory=words.Brake)

    def routes(self) -> list[web.RouteDef]:
        """All routes."""
        return [
            web.post("/irclogs/{channel}/say", self._form),
            web.post("/api/irclogs/{channel}/say", self._rest),
        ]

    def place(self, channel: str) -> Place | None:
        """The channel, if the bot is there now and people may speak in it from the web."""
        for network in self.health():
            for one in network.channels:
                allowed = self.allows(network.name)
                if one.joined and names.folded(one.name) == channel and allowed != "nobody":
                    return Place(network.name, one.name, allowed == "everybody")
        return None

    async def _form(self, request: web.Request) -> web.StreamResponse:
        """The page's script gets JSON and stays; without one the page comes anew, or the form with why not."""
        given = await request.post()
        nick, text = str(given.get("nick", "")), str(given.get("text", ""))
        place, speaker = self._open(request)
        channel = names.folded(request.match_info["channel"])
        scripted = _JSON in request.headers.get(hdrs.ACCEPT, "")
        try:
            speaks = self._say(request, place, speaker, text, nick)
        except (Invalid, TooManyAttempts) as error:
            if scripted or "text/html" not in request.headers.get(hdrs.ACCEPT, ""):
                raise
            told = {"channel": channel, "speaks": place, "guest": nick, "text": text}
            problem = self.site.sentence(request, error)
            return self.site.render(request, "meetbot/say.html", status=http_status(error), problem=problem, **told)
        if scripted:
            answer = web.json_response({"nick": speaks, "text": words.said(text)}, status=202)
        else:
            answer = self.site.redirect(request, f"/irclogs/{quote(channel, safe='')}/latest.log.html#say")
        if nick:
            answer.set_cookie(COOKIE, quote(nick), max_age=30 * 86400, httponly=True, samesite="Lax")
        return answer

    async def _rest(self, request: web.Request) -> web.StreamResponse:
        place, speaker = self._open(request)
        try:
            said = msgspec.json.decode(await request.read(), type=Said)
        except msgspec.MsgspecError:
            raise Invalid(reason=reason("meetbot.bad-said")) from None
        return web.json_response({"nick": self._say(request, place, speaker, said.text, said.nick)}, status=202)

    def _open(self, request: web.Request) -> tuple[Place, Speaker]:
        """The channel, for those who may speak there; others are refused before anything else is looked at."""
        channel = names.folded(request.match_info["channel"])
        place = self.place(channel)
        if self.site.account(request) is None and not (place and place.guests):
            raise Unauthenticated(reason=reason("meetbot.sign-in-to-speak"))
        speaker = self.speakers(place.network) if place is not None else None
        if place is None or speaker is None:
            raise NotFound(reason=reason("meetbot.not-spoken-in", channel=channel))
        return place, speaker

    def _say(self, request: web.Request, place: Place, speaker: Speaker, text: str, name: str) -> str:
        account = self.site.account(request)
        nick = words.of_account(account.username) if account else words.of_guest(name.strip())
        if nick is None:
            raise Invalid(reason=reason("meetbot.bad-guest"))
        line = words.said(text)
        if not line or len(line) > words.LONGEST:
            raise Invalid(reason=reason("meetbot.bad-said-text", most=words.LONGEST))
        person = f"account {account.id}" if account else f"guest {request.remote}"
        wait = self.brake.wait(person, f"{place.network} {place.channel}", self.clock.now())
        if wait:
            raise TooManyAttempts(reason=reason("meetbot.too-fast", seconds=math.ceil(wait)))
        speaker.send(place.channel, Reply(line, speaker=nick), Priority.ANSWER)
        return nick
