# SPDX-License-Identifier: Apache-2.0
"""The schedule of meetings plugged in: its files at the tip of a project, its pages, calendars and REST.

Nothing is decided here.
"""

from __future__ import annotations

from dataclasses import dataclass

from aiohttp import web

from ..clock import Clock
from ..db import Database
from ..meetbot.schedule.pages import SchedulePages
from ..meetbot.schedule.rest import ScheduleRest
from ..meetbot.schedule.tip import Tip
from ..repo import Repositories
from ..settings import Settings
from ..site import Site


@dataclass(frozen=True, slots=True)
class Planned:
    """What is planned, and who shows it."""

    db: Database
    clock: Clock
    tip: Tip

    @classmethod
    def of(cls, settings: Settings, db: Database, repositories: Repositories, clock: Clock) -> Planned:
        """The schedule that the settings name."""
        named = settings.meetings
        tip = Tip(repositories, named.schedule_project, named.schedule_branch, named.schedule_directory)
        return cls(db, clock, tip)

    def routes(self, site: Site) -> list[web.RouteDef]:
        """Pages, calendars and REST; they come before those of meetings by name."""
        return [*SchedulePages(site, self.db, self.clock, self.tip).routes(), *ScheduleRest(self.clock).routes()]
