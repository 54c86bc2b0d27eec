# SPDX-License-Identifier: Apache-2.0
"""Status and boards plugged in: from the settings to channels and pages; who people are on IRC.

Nothing is decided here but whose account somebody is, and what that may.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from urllib.parse import quote

from ..access import SITE, Actor, Verb, may
from ..db import Database
from ..identity import Account
from ..meetbot.board.model import Event, Speaker
from ..meetbot.board.pages import BoardPages
from ..meetbot.board.service import Boards
from ..meetbot.irc.client import Client
from ..meetbot.model import Line, Priority, Reply
from ..meetbot.names import folded
from ..meetbot.sisters.proofs import proved
from ..meetbot.status.model import Person, Place
from ..meetbot.status.pages import StatusPages
from ..meetbot.status.service import Statusbot, Ways
from ..review.room import ReviewRoom
from ..settings import Settings
from ..settings_sisters import network_of
from .answers import whose
from .connections import Sights
from .gate import GateRoom
from .irc import Irc
from .mailing import Origin
from .sisters import with_sisters


@dataclass(frozen=True, slots=True)
class People:
    """Accounts and networks, as the bots need them; `trusting` are the networks where a nick is a proof."""

    db: Database
    room: ReviewRoom
    clients: Mapping[str, Client]
    trusting: frozenset[str]

    async def account(self, network: str, line: Line) -> Account | None:
        """Whose account says a line; None: nobody knows, or it is closed."""
        name = proved(line, trusts_nicks=network in self.trusting)
        return await whose(self.db, self.room.identity, network, name)

    async def person(self, network: str, line: Line) -> Person | None:
        """The same, with what it may."""
        found = await self.account(network, line)
        return Person(found.username, self.may(found.actor, Verb.TELL_STATUS)) if found is not None else None

    async def speaker(self, network: str, line: Line) -> Speaker:
        """Who says a line to a board."""
        name = proved(line, trusts_nicks=network in self.trusting)
        found = await self.account(network, line)
        if found is None:
            return Speaker(network, line.nick, name)
        return Speaker(network, line.nick, name, found.username, self.may(found.actor, Verb.MANAGE_BOARDS))

    def may(self, actor: Actor, verb: Verb) -> bool:
        """Whether somebody has a capability."""
        return may(actor, verb, SITE, self.room.rules)

    def send(self, network: str, target: str, reply: Reply, priority: Priority) -> None:
        """Queue a line or a topic."""
        if (client := self.clients.get(network)) is not None:
            client.send(target, reply, priority)

    def topic(self, network: str, channel: str) -> str | None:
        """The topic of a channel; None where the bot is not in it."""
        client = self.clients.get(network)
        return client.topic(channel) if client is not None else None


def with_bots(irc: Irc, origin: Origin, sight: Sights, gate: GateRoom) -> Irc:
    """The bot, once it does everything that it does beside meetings."""
    irc = with_sisters(irc, origin, sight, gate)
    settings, db = origin.settings, origin.db
    trusting = frozenset(network.name for network in settings.irc if network.trust_nicks)
    people = People(db, origin.room, {client.network.name: client for client in irc.clients}, trusting)
    ways = Ways(settings.url, places_of(settings), timedelta(hours=settings.meetings.notice_hours))
    status = Statusbot(db, origin.journal, origin.clock, people, ways)
    irc.add("status", status.heard, status.run, status.close)
    for client in irc.clients:
        client.judge = status.judge
    origin.site.banners = status.banners
    irc.shown.extend(
        StatusPages(
            origin.site, db, origin.clock, status, lambda actor: people.may(actor, Verb.TELL_STATUS)
        ).routes()
    )  # fmt: skip
    events = boards_of(settings)
    boards = Boards(db, origin.journal, origin.clock, events, people, settings.url)
    irc.boards.update({folded(event.channel): f"/board/{quote(event.name)}" for event in events})
    irc.add("boards", boards.heard, boards.run, whispered=boards.whispered)
    irc.shown.extend(BoardPages(origin.site, db, events).routes())
    return irc


def boards_of(settings: Settings) -> tuple[Event, ...]:
    """The boards; none where meetings, and so IRC, are switched off."""
    if not settings.meetings.enabled:
        return ()
    return tuple(
        Event(
            name, network_of(board.channel, board.network, settings.irc) or "", board.channel, board.title,
            _named(board.tracks), board.rooms, board.slots, board.etherpad,
        )
        for name, board in settings.board.items()
    )  # fmt: skip


def _named(tracks: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(track.lower().removeprefix("#") for track in tracks)


def places_of(settings: Settings) -> tuple[Place, ...]:
    """The channels that hear of the status; none where meetings, and so IRC, are switched off."""
    if not settings.meetings.enabled:
        return ()
    return tuple(
        Place(network_of(status.channel, status.network, settings.irc) or "", status.channel, status.topic)
        for status in settings.status.values()
    )
