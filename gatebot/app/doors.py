# SPDX-License-Identifier: Apache-2.0
"""The doors of the review room: git over HTTP, Gerrit's REST, pages; and what it adds to the common pages.

Plugs the room into the web; decides nothing.
"""

from __future__ import annotations

import asyncio
from functools import partial

from aiohttp import web

from ..access import Actor
from ..clock import Clock
from ..db import Database
from ..front import Entry, Front, Panel
from ..mentions import Mentions
from ..repo import Repositories
from ..review import intents, pages, rest
from ..review.git_http import GitHttp, Limits
from ..review.ports import Builds
from ..review.push import Most, Receiver
from ..review.push_policy import Policy
from ..review.query import CONDITIONS
from ..review.room import ReviewRoom
from ..review.searching.pages import SearchPart
from ..review.shown import Shown
from ..review.third_party.service import ThirdPartyCis
from ..settings import Settings
from ..site import Site
from . import third_party
from .places import Places


class Doors:
    """How people and programs reach the review room."""

    def __init__(
        self, settings: Settings, places: Places, db: Database, repositories: Repositories, clock: Clock, site: Site,
        room: ReviewRoom, builds: Builds, mentions: Mentions,
    ) -> None:  # fmt: skip
        self._site = site
        self._room = room
        self._cis = ThirdPartyCis(db, clock, room.rules, third_party.known(settings))
        self.shown = Shown(db, room.reading, room.judge, repositories, builds, mentions, self._cis, settings.url)
        self._receiver = Receiver(
            db, repositories, clock, room.site, room.rules, Most(settings.git.max_refs, settings.git.max_changes),
            room.policies, room.judge.rules, room.configs,
        )  # fmt: skip
        limits = Limits(processes=settings.limits.git_processes, push_bytes=settings.git.max_pack)
        hooks = places.work / "hooks"
        self.git = GitHttp(
            site, repositories, self._receiver, room.submission, hooks, room.reading.hidden_in,
            partial(db.read, intents.next_changes), rules=room.rules, limits=limits,
        )  # fmt: skip

    async def settle(self) -> int:
        """Finish the pushes that a killed server began."""
        return await asyncio.to_thread(self._receiver.settle)

    def routes(self) -> list[web.RouteDef]:
        """REST and pages."""
        room = self._room
        return [
            *rest.routes(room, self._site),
            *pages.routes(self._site, room, self.shown),
            *third_party.routes(self._site, self._cis, room),
        ]

    def git_routes(self) -> list[web.RouteDef]:
        """The routes that take any path: after all others."""
        return self.git.routes()

    def add_to(self, front: Front) -> None:
        """The boxes of open and of merged changes, and the search in changes."""
        front.add(
            panel=self._open, search=("Changes", SearchPart(self._site, self.shown).search), conditions=CONDITIONS
        )
        front.add(panel=self._merged)

    async def _open(self, request: web.Request) -> Panel:
        gettext = self._site.gettext(request)
        found = await self._found(self._site.actor(request), "status:open", 8)
        empty = gettext("No open changes. Push one with: git push origin HEAD:refs/for/main")
        return Panel(gettext("Open changes"), "/q/status:open", tuple(found), empty)

    async def _merged(self, request: web.Request) -> Panel:
        gettext = self._site.gettext(request)
        found = await self._found(self._site.actor(request), "status:merged", 8)
        empty = gettext("Nothing was merged yet.")
        return Panel(gettext("Recently merged"), "/q/status:merged", tuple(found), empty)

    async def _found(self, actor: Actor, query: str, limit: int) -> list[Entry]:
        found, _ = await self._room.reading.search(actor, query, limit)
        return [
            Entry(f"{one.number} {one.subject}", f"/{one.path}", one.project, one.submitted or one.updated)
            for one in (view.change for view in found)
        ]


def policy(settings: Settings) -> Policy:
    """What the site asks of those who push, where a project does not say."""
    return Policy(strict_change_id=settings.git.change_id == "strict")
