# SPDX-License-Identifier: Apache-2.0
"""What goes out of a site, plugged in from the settings: mail, copies, webhooks, trackers; and what it reads of them.

Only wiring; without settings nothing leaves the site.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from .. import settings as settings_text
from ..front import Front, Sign
from ..review.bugs.service import Fixes
from ..review.deliveries.posting import Poster
from ..review.deliveries.store import Counts
from ..review.replication.model import Remote, Standing
from ..review.replication.service import Replication
from ..review.trackers.model import Rule, Tracker
from ..review.trackers.rules import ANY_ID, SHIPPED
from ..review.trackers.service import Trackers
from ..review.webhooks.service import Webhooks
from ..settings import Settings
from .mailing import Mailing, Origin
from .webhooks import sign_of_webhooks, webhooks_of


@dataclass(frozen=True, slots=True)
class Outward:
    """The parts that tell the world."""

    mailing: Mailing
    replication: Replication
    webhooks: Webhooks
    trackers: Trackers
    fixes: Fixes

    @classmethod
    def of(cls, origin: Origin) -> Outward:
        """Made from the settings; nothing runs yet."""
        settings, journal, clock, room = origin.settings, origin.journal, origin.clock, origin.room
        known = room.judge.linking.trackers
        return cls(
            Mailing.of(origin),
            Replication(remotes_of(settings), journal, room.repositories, clock, room.reading),
            webhooks_of(settings, origin.db, journal, clock, room),
            Trackers(origin.db, journal, clock, known, settings.url, Poster()),
            Fixes(origin.db, journal, clock, room.judge.linking.rules),
        )

    def routes(self) -> list[web.RouteDef]:
        """Pages of mail."""
        return self.mailing.routes()

    def add_to(self, front: Front) -> None:
        """How it goes, on the health page."""
        self.mailing.add_to(front)
        front.add(sign=self._sign)
        front.add(sign=self._webhooks_sign)
        front.add(sign=self._told)

    def start(self, run: Callable[[str, Coroutine[Any, Any, object]], object]) -> None:
        """Tell from now on."""
        self.mailing.start(run)
        if self.replication.standings():
            run("replication", self.replication.run())
        run("webhooks", self.webhooks.run())
        run("trackers", self.trackers.run())
        run("fixes", self.fixes.run())

    async def _sign(self) -> Sign:
        return sign_of(self.replication.standings())

    async def _webhooks_sign(self) -> Sign:
        return sign_of_webhooks(await self.webhooks.standings())

    async def _told(self) -> Sign:
        return sign_of_trackers(await self.trackers.counts())


def remotes_of(settings: Settings) -> tuple[Remote, ...]:
    """The remotes of the settings, in their order."""

    def file(path: str) -> str:
        return settings_text.resolve(settings, path) if path else ""

    return tuple(
        Remote(
            name, replication.url, replication.projects, replication.changes, replication.mirror, replication.user,
            file(replication.password_file), file(replication.ssh_key), file(replication.known_hosts),
        )
        for name, replication in settings.replication.items()
    )  # fmt: skip


def sign_of(standings: Sequence[Standing]) -> Sign:
    """How the copies stand, in words."""
    if not standings:
        return Sign("replication", True, "no copies are kept elsewhere", vital=False)
    told: list[str] = []
    for one in standings:
        if one.waiting and one.since is not None:
            text = f"{one.remote}: {one.waiting} projects behind since {one.since:%Y-%m-%d %H:%M} UTC"
            told.append(f"{text}, the last push failed" if one.problem else text)
        else:
            last = f", last pushed {one.last:%Y-%m-%d %H:%M} UTC" if one.last is not None else ""
            told.append(f"{one.remote}: up to date{last}")
    said = [f"{one.remote} said: {one.problem}" for one in standings if one.problem]  # with addresses
    return Sign("replication", not said, "; ".join(told), vital=False, inside="; ".join(said))


def trackers_of(settings: Settings) -> tuple[Tracker, ...]:
    """The trackers of the settings, in their order."""
    found: list[Tracker] = []
    for name, tracker in settings.tracker.items():
        given = tracker.footers or tracker.match
        own = (Rule(tracker.match or ANY_ID, tracker.link, tracker.footers),) if given else ()
        file = settings_text.resolve(settings, tracker.token_file) if tracker.token_file else ""
        found.append(Tracker(name, (*own, *SHIPPED[tracker.rules]), tracker.hook, file, tracker.local))
    return tuple(found)


def sign_of_trackers(counts: Mapping[str, Counts]) -> Sign:
    """How telling trackers goes, in words."""
    if not counts:
        return Sign("trackers", True, "no tracker is told of merges", vital=False)
    told: list[str] = []
    for name, one in counts.items():
        text = f"{name}: nothing waits"
        if one.waiting and one.oldest is not None:
            text = f"{name}: {one.waiting} waiting since {one.oldest:%Y-%m-%d %H:%M} UTC"
        text += f", {one.given_up} given up" if one.given_up else ""
        told.append(f"{text} ({one.problem})" if one.problem else text)
    return Sign("trackers", not any(one.problem for one in counts.values()), "; ".join(told), vital=False)
