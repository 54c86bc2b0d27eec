# SPDX-License-Identifier: Apache-2.0
"""The schedule of meetings plugged in: its files at the tip of a project, its pages, calendars, REST and reminders.

Nothing is decided here but which network a channel is on.
"""

from __future__ import annotations

from dataclasses import dataclass

from aiohttp import web

from ..clock import Clock
from ..db import Database
from ..meetbot.ports import States
from ..meetbot.schedule.agenda.pages import AgendaPages
from ..meetbot.schedule.driver import Reminding, Ways
from ..meetbot.schedule.pages import SchedulePages
from ..meetbot.schedule.rest import ScheduleRest
from ..meetbot.schedule.tip import Tip
from ..repo import Repositories
from ..settings_sisters import network_of
from ..site import Site
from .irc import Irc, Sister
from .mailing import Origin


@dataclass(frozen=True, slots=True)
class Planned:
    """What is planned, who shows it, and who reminds of it."""

    db: Database
    clock: Clock
    tip: Tip
    reminding: Reminding
    states: States

    def routes(self, site: Site) -> list[web.RouteDef]:
        """Pages, calendars and REST; they come before those of meetings by name."""
        shown = (site, self.db, self.clock, self.tip)
        rest = ScheduleRest(self.db, self.clock, self.tip)
        return [*SchedulePages(*shown).routes(), *AgendaPages(*shown, self.states).routes(), *rest.routes()]


def planning(irc: Irc, origin: Origin, repositories: Repositories) -> Planned:
    """The schedule that the settings name; the bot speaks of it."""
    settings, meetings = origin.settings, origin.settings.meetings
    tip = Tip(repositories, meetings.schedule_project, meetings.schedule_branch, meetings.schedule_directory)
    networks = settings.irc if meetings.enabled else ()
    ways = Ways(settings.url, meetings.reminder_minutes, meetings.announce_missed)
    reminding = Reminding(
        origin.db, origin.journal, origin.clock, tip, ways,
        lambda channel: network_of(channel, "", networks), irc.bot.say,
    )  # fmt: skip
    irc.sisters.append(Sister("schedule of meetings", reminding.run, None))
    return Planned(origin.db, origin.clock, tip, reminding, irc.states)
