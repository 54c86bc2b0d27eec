# SPDX-License-Identifier: Apache-2.0
"""Mail plugged in: from the settings to the writer of letters, what sends them, and its pages.

Only wiring. A site without `mail.smtp` writes letters that can be read at /mail/ and sends none.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from aiohttp import web

from .. import settings as settings_text
from ..clock import Clock
from ..db import Database
from ..front import Front
from ..journal import Journal
from ..keys import SiteKey
from ..review.mail import pages
from ..review.mail.passes import Passes
from ..review.mail.rendering import Notice
from ..review.mail.sending import Sending
from ..review.mail.service import Mail, Sender
from ..review.mail.smtp import Server, SmtpCarrier
from ..review.room import ReviewRoom
from ..settings import Settings
from ..site import Site


@dataclass(frozen=True, slots=True)
class Origin:
    """What everything that goes out of a site is made from."""

    settings: Settings
    db: Database
    journal: Journal
    clock: Clock
    key: SiteKey
    room: ReviewRoom
    site: Site


@dataclass(frozen=True, slots=True)
class Mailing:
    """The parts that write, send and show mail."""

    mail: Mail
    sending: Sending | None
    pages: pages.MailPages
    sender: tuple[str, str]

    @classmethod
    def of(cls, origin: Origin) -> Mailing:
        """Made from the settings; nothing runs yet."""
        settings, db, clock, room = origin.settings, origin.db, origin.clock, origin.room
        passes = Passes(origin.key, settings.url)
        server = server_of(settings)
        sending = Sending(db, clock, SmtpCarrier(server)) if server is not None else None
        sender = Sender(settings.url, settings.site.name, address(settings), settings.mail.language)
        mail = Mail(db, origin.journal, room.repositories, clock, room.reading, passes, sender, sending)
        return cls(
            mail, sending, pages.MailPages(origin.site, db, room.reading, room.people, passes),
            (settings.site.name, address(settings)),
        )  # fmt: skip

    def routes(self) -> list[web.RouteDef]:
        """Its pages."""
        return self.pages.routes()

    async def post(self, email: str, subject: str, text: str) -> None:
        """Mail one text to one address; for what is no change's news."""
        if self.sending is not None:
            await self.sending.post(Notice(self.sender, email, subject, text))

    def add_to(self, front: Front) -> None:
        """How sending goes, on the health page."""
        front.add(sign=lambda: pages.sign(self.sending))

    def start(self, run: Callable[[str, Coroutine[Any, Any, object]], object]) -> None:
        """Write and send from now on."""
        run("letters", self.mail.run())
        if self.sending is not None:
            run("outbox", self.sending.run())


def address(settings: Settings) -> str:
    """Where mail comes from."""
    return settings.mail.sender or f"gatebot@{urlsplit(settings.url).hostname or 'localhost'}"


def server_of(settings: Settings) -> Server | None:
    """The server that takes mail; None: none is sent."""
    mail = settings.mail
    if not mail.smtp:
        return None
    host, _, port = mail.smtp.rpartition(":")
    password_file = settings_text.resolve(settings, mail.password_file) if mail.password_file else ""
    return Server(host.strip("[]"), int(port), mail.tls, address(settings), mail.user, password_file)
