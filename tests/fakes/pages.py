# SPDX-License-Identifier: Apache-2.0
"""The pages of the review room on a real room, with neighbours made of plain values, as an aiohttp application."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from aiohttp import web

from gatebot import journal, settings
from gatebot.front import Front
from gatebot.identity import Identity
from gatebot.live import Feed, Live
from gatebot.mentions import Mentions
from gatebot.review import pages
from gatebot.review.landing import Lander
from gatebot.review.ports import BuildLine
from gatebot.review.reading import Reading
from gatebot.review.service import Review
from gatebot.review.shown import Shown
from gatebot.review.states import States
from gatebot.review.submitting import Submission
from gatebot.site import Site
from tests.fakes.review_house import ReviewHouse


@dataclass
class FakeBuilds:
    """Implements `review.ports.Builds` from a table."""

    found: dict[int, tuple[BuildLine, ...]] = field(default_factory=dict)

    async def of_change(self, number: int) -> Sequence[BuildLine]:
        return self.found.get(number, ())


class WebHouse:
    """A review house with its pages. Made outside of a running loop; `app()` inside."""

    def __init__(self, url: str, root: Path, site_url: str = "http://localhost:8470") -> None:
        house = self.house = ReviewHouse(url, root)
        self.builds = FakeBuilds()
        self.url = site_url
        self.settings = settings.load(f'[web]\nurl = "{site_url}"\n', "gatebot.toml")
        self.identity = Identity(house.db, house.clock)
        self.journal = journal.Journal(house.db)
        self.site = Site(self.settings, self.identity)
        self.reading = Reading(house.db, house.judge, house.clock)
        self.review = Review(house.db, house.judge, house.clock)
        self.lander = Lander(house.db, house.repositories, house.judge, house.clock)
        self.mentions = Mentions(house.db, self.journal, site_url)
        self.front = Front(self.site, lambda: None)

    def app(self, feed: Feed | None = None) -> web.Application:
        """The application, with live updates."""
        house = self.house
        shown = Shown(
            house.db, self.reading, house.judge, house.repositories, self.builds, self.mentions, self.url
        )  # fmt: skip
        submission = Submission(house.db, house.repositories, house.judge, self.lander, house.clock)
        parts = pages.Parts(
            self.reading, self.review, States(house.db, house.clock), submission, shown, house.judge
        )  # fmt: skip
        live = Live(self.journal, lambda entry: (entry.event.subject, "changes"), feed)
        self.site.follow(live.last)
        app = web.Application(middlewares=self.site.middlewares())
        app.add_routes([*self.site.routes(), *self.front.routes(), *live.routes(), *pages.routes(self.site, parts)])
        live.attach(app)
        return app

    async def password(self, username: str, password: str) -> None:
        """Let somebody sign in."""
        account = await self.identity.by_username(username)
        assert account is not None
        await self.identity.set_password(account.id, password)
