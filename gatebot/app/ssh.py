# SPDX-License-Identifier: Apache-2.0
"""SSH plugged into the review room: its commands, its keys, its address.

Only wiring: what is served where, from the settings of the site. Decides nothing.
"""

from __future__ import annotations

import socket

from aiohttp import web

from ..clock import Clock
from ..db import Database
from ..journal import Journal
from ..review.git_process import GitProcesses
from ..review.push_facts import Site
from ..review.room import ReviewRoom
from ..review.shaper import Shaper
from ..review.ssh import commands
from ..review.ssh.events_log import EventsLog
from ..review.ssh.git import GitOverSsh
from ..review.ssh.rest import RestSsh
from ..review.ssh.server import SshServer
from ..review.ssh.sessions import Sessions
from ..review.ssh.telling import Telling
from ..settings import Settings
from ..site import Site as WebSite
from .footing import take_address
from .places import Places


class SshDoor:
    """git and Gerrit's commands over SSH, where the settings want them; and their parts of REST."""

    def __init__(
        self, settings: Settings, places: Places, db: Database, journal: Journal, room: ReviewRoom,
        processes: GitProcesses, site: WebSite, clock: Clock,
    ) -> None:  # fmt: skip
        self._settings = settings
        telling = Telling(db, room)
        table = commands.table(db, journal, room, telling, room.branching)
        sessions = Sessions(GitOverSsh(processes, room.rules), table, settings.ssh_address, room.tasks)
        self._server = SshServer(room.identity, sessions, places.ssh)
        self._rest = RestSsh(Shaper(room, site), settings.ssh_address)
        self._events = EventsLog(db, journal, room, telling, site)

    def routes(self) -> list[web.RouteDef]:
        """Keys of accounts, and the log of events."""
        return [*self._rest.routes(), *self._events.routes()]

    async def listen(self, where: socket.socket | None = None) -> None:
        """Answer from now on, on a socket that was bound before the server gave its rights up, or on a new one."""
        if where is None and self._settings.ssh.listen:
            where = take_address(self._settings.ssh.listen, "ssh.listen")
        if where is not None:
            await self._server.listen(where)

    async def close(self) -> None:
        """Let go of everybody."""
        await self._server.close()


def here(settings: Settings) -> Site:
    """Where people reach the site: over HTTP, and over SSH where it is open."""
    host, _, port = settings.ssh_address.rpartition(":")
    return Site(settings.url.rstrip("/"), (host, int(port)) if host else None)
