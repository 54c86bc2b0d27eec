# SPDX-License-Identifier: Apache-2.0
"""The meetbot room plugged in: networks from the settings, pages, search, health.

Passwords are read from the files that the settings name, and from nowhere else.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable, Coroutine, Iterable
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any, TypeAlias

from aiohttp import web

from .. import settings as settings_text
from ..access import SITE, Actor, Rulebook, Verb, may
from ..clock import Clock
from ..db import Database, Session
from ..errors import SettingsError
from ..front import Front, Sign
from ..journal import Journal
from ..meetbot import archive, pages, rest
from ..meetbot.edits.pages import EditPages
from ..meetbot.irc.client import Client, Marks
from ..meetbot.irc.model import Health, Network
from ..meetbot.irc.pages import LogPages, health, one_log_of_two
from ..meetbot.linkify import Unknown
from ..meetbot.memory.pages import MemoryPages
from ..meetbot.memory.service import Closer
from ..meetbot.model import Line, Setting
from ..meetbot.names import folded
from ..meetbot.ports import States
from ..meetbot.removing.pages import RemovalPages
from ..meetbot.search.pages import SearchPart
from ..meetbot.search.query import CONDITIONS
from ..meetbot.service import Meetbot
from ..meetbot.store import Heard
from ..meetbot.webchat.pages import WebChat
from ..reasons import N_
from ..review import store as changes
from ..settings import Irc as IrcSettings
from ..settings import Settings
from ..site import Site
from .places import Places

log = logging.getLogger(__name__)

_PATIENCE = 20.0
"""Seconds that the end of the site waits for what is still to be stored."""

_LAST_WORDS = 5.0
"""Seconds that it waits for what a meeting says; of its last words what does not go out is said after the start."""

Run: TypeAlias = Callable[[str, Coroutine[Any, Any, object]], asyncio.Task[object]]


Work: TypeAlias = Callable[[], Coroutine[Any, Any, None]]
Whispered: TypeAlias = Callable[[str, Line], bool]
"""Takes what somebody says to the bot alone on a network, or leaves it to others."""


def ways_of(settings: Settings) -> Setting:
    """Where minutes are, and what the bot says of itself."""
    return Setting(prefix=f"{settings.url}/meetings/", about=settings.url, confirms=settings.meetings.confirm_votes)


@dataclass(frozen=True, slots=True)
class Sister:
    """What else the bot does."""

    name: str
    run: Work
    close: Work | None


@dataclass(frozen=True, slots=True)
class Irc:
    """The bot and its connections."""

    db: Database
    root: Path
    ways: Setting
    bot: Meetbot
    clients: tuple[Client, ...]
    ears: list[Callable[[Heard], None]]
    whispers: list[Whispered]
    closer: Closer
    clock: Clock
    rules: Rulebook
    states: States = field(default_factory=Unknown)
    sisters: list[Sister] = field(default_factory=list["Sister"])
    boards: dict[str, str] = field(default_factory=dict[str, str])
    shown: list[web.RouteDef] = field(default_factory=list[web.RouteDef])
    tasks: list[asyncio.Task[object]] = field(default_factory=list[asyncio.Task[object]])

    @classmethod
    def of(
        cls, settings: Settings, places: Places, db: Database, clock: Clock, journal: Journal, rules: Rulebook
    ) -> Irc:
        """The bot of a site, on the networks of its settings."""
        ways = ways_of(settings)
        bot = Meetbot(db, places.meetings, ways, clock)
        networks = [_network(settings, irc) for irc in settings.irc] if settings.meetings.enabled else []
        for told in one_log_of_two((network.name, network.channels) for network in networks):
            log.warning("%s", told)
        ears: list[Callable[[Heard], None]] = [bot.hear]

        def hear(heard: Heard) -> None:
            tell(ears, heard)

        whispers: list[Whispered] = []

        def whisper(network: str, line: Line) -> None:
            try:
                any(taken(network, line) for taken in reversed(whispers))
            except Exception:
                log.exception("something said alone on %s was passed over", network)

        clients = tuple(Client(network, hear, clock, _marks(db, network.name), whisper) for network in networks)
        for network, client in zip(networks, clients, strict=True):
            bot.plug(network.name, client)
        closer = Closer(db, journal, _message_of, settings.url)
        return cls(db, places.meetings, ways, bot, clients, ears, whispers, closer, clock, rules)

    def add(
        self, name: str, heard: Callable[[Heard], None], run: Work, close: Work | None = None,
        whispered: Whispered | None = None,
    ) -> None:  # fmt: skip
        """Let something else hear what the bot hears, and run and end with it.

        What people say to the bot alone is offered to the one that was added last, then to those before it.
        """
        self.sisters.append(Sister(name, run, close))
        self.ears.append(heard)
        if whispered is not None:
            self.whispers.append(whispered)

    def start(self, run: Run) -> None:
        """Let the bot and its connections run for ever."""
        run("meetings", self.bot.run())
        for sister in self.sisters:
            run(sister.name, sister.run())
        run("actions of meetings", self.closer.run())
        self.tasks.extend(run(f"irc {number}", client.run()) for number, client in enumerate(self.clients, 1))

    async def close(self) -> None:
        """Say what a meeting has to say, hear no more, store what was heard; the bot itself is ended by its owner."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_LAST_WORDS):
                await self.bot.settled()
                await asyncio.gather(*(client.spoken() for client in self.clients))
        for task in self.tasks:
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)
        closing = [(one.name, one.close) for one in self.sisters if one.close is not None]
        for name, work in (("meetings", self.bot.settled), *closing):
            try:
                async with asyncio.timeout(_PATIENCE):
                    await work()
            except Exception:
                # A database that is away must not keep the rest of the site from its end.
                log.exception("%s ended before all was stored", name)

    def health(self) -> list[Health]:
        """How each network is."""
        return [client.health() for client in self.clients]

    def routes(self, site: Site) -> list[web.RouteDef]:
        """Pages and REST of meetings and logs."""
        allowed = {irc.name: irc.web_chat for irc in site.settings.irc}
        chat = WebChat(site, self.clock, self.bot.speaker, self.health, lambda name: allowed.get(name, "nobody"))
        meetings = pages.MeetingPages(
            site, self.db, self.root, self.ways, self._is_admin, self.states, self._board_of
        )  # fmt: skip
        return [
            *chat.routes(),
            *meetings.routes(),
            *LogPages(site, self.db, self._is_admin, chat.place, self.states, self._board_of).routes(),
            *RemovalPages(site, self.db, self.clock, self._is_admin, self.bot.write_minutes).routes(),
            *self.shown,
            *rest.MeetingRest(site, self.db, self.ways, self.states).routes(),
            *MemoryPages(site, self.db, self.clock, self.states).routes(),
            *EditPages(site, self.db, self.clock, self.ways, self._is_admin, self.bot.write_minutes).routes(),
        ]

    def _board_of(self, channel: str) -> str:
        """The page of the board that is led in a channel; empty: there is none."""
        return self.boards.get(folded(channel), "")

    def _is_admin(self, actor: Actor) -> bool:
        return may(actor, Verb.ADMINISTRATE_SERVER, SITE, self.rules)

    def add_to(self, front: Front, site: Site) -> None:
        """The box of meetings, search in lines, and how the networks are."""
        shown = pages.MeetingPages(site, self.db, self.root, self.ways, states=self.states)

        async def sign() -> Sign:
            return health(self.health, self.bot.stuck)

        front.add(
            panel=shown.panel,
            search=(N_("Meetings and IRC logs"), SearchPart(site, self.db, self.states).search),
            conditions=CONDITIONS,
            sign=sign,
        )


def tell(ears: Iterable[Callable[[Heard], None]], heard: Heard) -> None:
    """Let all hear a line: what one of them cannot take must cost neither the others nor the connection."""
    for ear in ears:
        try:
            ear(heard)
        except Exception:
            log.exception("a line of %s was passed over: %r", heard.network, heard.line)


def _message_of(session: Session, change: int, patch_set: int) -> str | None:
    """What the commit message of a merged change says, unless the change is private."""
    found = changes.find_change(session, change)
    if found is None or found.private:
        return None
    return changes.get_patch_set(session, change, patch_set).message


def _marks(db: Database, network: str) -> Callable[[], Awaitable[Marks]]:
    """When the channels of a network were heard last, as the archive knows it."""
    return lambda: db.read(archive.marks, network)


def _network(settings: Settings, irc: IrcSettings) -> Network:
    return Network(
        host=irc.host,
        port=irc.port,
        tls=irc.tls,
        name=irc.name,
        nick=irc.nick,
        channels=irc.channels,
        password=_secret(settings, irc.password_file),
        account=irc.account,
        secret=_secret(settings, irc.sasl_password_file),
        external=irc.sasl == "external",
        certificate=_path(settings, irc.certificate_file),
        authority=_path(settings, irc.ca_file),
        fingerprint=irc.fingerprint,
        burst=irc.burst,
        rate=1 / irc.seconds_between_lines if irc.seconds_between_lines else 1000.0,
        quiet=timedelta(hours=irc.quiet_hours) if irc.quiet_hours else None,
        chanserv=irc.topics == "chanserv",
    )


def _path(settings: Settings, file: str) -> str:
    return str(settings_text.resolve(settings, file)) if file else ""


def _secret(settings: Settings, file: str) -> str:
    if not file:
        return ""
    try:
        return Path(settings_text.resolve(settings, file)).read_text().strip()
    except OSError as error:
        raise SettingsError(f"{settings.where}: irc: {file} cannot be read ({error.strerror}).") from None
