# SPDX-License-Identifier: Apache-2.0
"""Other Gerrits plugged in: from the settings of connections to sources that the gate asks, and what follows them.

Files of passwords and keys are read here, once; everything else is passed on.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from aiohttp import web

from .. import settings as settings_text
from ..access import Actor
from ..change import SPACE
from ..clock import Clock
from ..db import Database
from ..errors import NotFound, Unavailable
from ..front import Health, Sign
from ..pipeline.config.layout import Layout
from ..pipeline.config.model import Manager
from ..pipeline.gerrit import store
from ..pipeline.gerrit.client import Client
from ..pipeline.gerrit.driver import Follower
from ..pipeline.gerrit.landing import Lander
from ..pipeline.gerrit.mirror import Mirror
from ..pipeline.gerrit.model import Place
from ..pipeline.gerrit.service import GerritSource
from ..pipeline.gerrit.ssh import Door, Stream, Transport
from ..pipeline.layouts import Layouts
from ..pipeline.ports import Sight
from ..pipeline.queue.model import Queue, place
from ..pipeline.triggers import own_labels
from ..repo import Repositories
from ..settings import Connection, Settings


class Used:
    """How the tenants use the projects of one connection."""

    def __init__(self, name: str, layouts: Layouts) -> None:
        self._name = name
        self._layouts = layouts
        self.queues: Callable[[], Iterable[Queue]] = tuple

    def projects(self) -> Collection[str]:
        """The projects that tenant files name under the connection."""
        return frozenset(
            project.name
            for layout in self._present()
            for project in layout.tenant.projects
            if project.connection == self._name
        )

    def labels(self) -> Collection[str]:
        """The labels that pipelines which merge vote on."""
        pipelines = (pipeline for layout in self._present() for pipeline in layout.pipelines.values())
        return frozenset(label for one in pipelines if one.manager is Manager.DEPENDENT for label in own_labels(one))

    def reads(self, project: str, branch: str) -> bool:
        """Whether a queue that merges stands on this branch now."""
        at = place(project, branch)
        return any(queue.policy.lands and queue.items and at in queue.tips for queue in list(self.queues()))

    def merging(self) -> Mapping[int, str]:
        """The changes of items that were told to land and have no answer yet, with their projects."""
        items = (item for queue in list(self.queues()) if queue.policy.lands for item in queue.items.values())
        return {change.number: change.project for item in items if item.landing for change in item.changes}

    def refresh(self) -> None:
        """Read the configuration again."""
        self._layouts.refresh()

    def _present(self) -> list[Layout]:
        found = (self._layouts.current(tenant) for tenant in self._layouts.tenants())
        return [layout for layout in found if layout is not None]


@dataclass(frozen=True, slots=True)
class Connected:
    """One connection put together."""

    place: Place
    used: Used
    client: Client
    mirror: Mirror
    follower: Follower
    source: GerritSource
    visible_to: str

    def sign(self) -> Health:
        """Whether the mirror is up to date."""

        async def sign() -> Sign:
            trouble = self.follower.trouble
            return Sign(self.place.name, not trouble, trouble or self.place.url, vital=False)

        return sign


async def connect(
    settings: Settings, db: Database, repositories: Repositories, layouts: Layouts, clock: Clock
) -> tuple[Connected, ...]:
    """Everything that the settings name; nothing is asked of anybody yet."""
    found: list[Connected] = []
    for name, connection in settings.connections.items():
        space = await db.run_silent(store.space_of, name)
        where = Place(name, connection.url, space)
        found.append(await asyncio.to_thread(_connected, settings, connection, where, db, repositories, layouts, clock))
    return tuple(found)


def _connected(
    settings: Settings, connection: Connection, where: Place, db: Database, repositories: Repositories,
    layouts: Layouts, clock: Clock,
) -> Connected:  # fmt: skip
    def file(key: str, path: str) -> Path:
        found = Path(settings_text.resolve(settings, path))
        try:
            found.open().close()
        except OSError as error:
            raise Unavailable(f"connections.{where.name}.{key}: {found} cannot be read: {error.strerror}.") from None
        return found

    password = file("password_file", connection.password_file).read_text().strip()
    door = Door(
        connection.server or urlsplit(connection.url).hostname or "",
        connection.ssh_port,
        connection.user,
        file("ssh_key", connection.ssh_key),
        file("known_hosts", connection.known_hosts),
    )
    used = Used(where.name, layouts)
    client = Client(connection.url, connection.user, password, clock)
    transport = Transport(door, repositories)
    mirror = Mirror(where, client, transport, repositories, db, clock, used)
    pushes = connection.landing == "push"
    lander = Lander(mirror, client, transport, repositories, db, clock, pushes=pushes)
    source = GerritSource(where, used, client, lander, repositories, db, clock)
    follower = Follower(mirror, lambda: Stream(door), clock)
    return Connected(where, used, client, mirror, follower, source, connection.visible_to)


class Sights:
    """What readers may see of changes, wherever they are at home."""

    def __init__(self, own: Sight, connected: Sequence[Connected]) -> None:
        self._own = own
        self._connected = connected

    async def hidden(self, actor: Actor, changes: Collection[int]) -> frozenset[int]:
        """Those of some changes that the reader may not see."""
        found = await self._own.hidden(actor, [number for number in changes if number < SPACE])
        for one in self._connected:
            theirs = [number for number in changes if one.source.numbers(number)]
            if theirs:
                found |= await one.source.hidden(actor, theirs, one.visible_to)
        return found

    async def change_project(self, actor: Actor, change: int) -> str:
        """The project of a change that the reader may see; raises `NotFound`."""
        home = next((one for one in self._connected if one.source.numbers(change)), None)
        if home is None:
            return await self._own.change_project(actor, change)
        if await home.source.hidden(actor, (change,), home.visible_to):
            raise NotFound
        return await home.source.project_of(change)


def routes(connected: Sequence[Connected]) -> list[web.RouteDef]:
    """`/NUMBER` of a change that is at home elsewhere leads there."""

    async def away(request: web.Request) -> web.StreamResponse:
        number = int(request.match_info["number"])
        for one in connected:
            if one.source.numbers(number):
                raise web.HTTPFound(f"{one.place.url.rstrip('/')}/{number - one.place.space}")
        raise NotFound

    return [web.get(r"/{number:[1-9]\d{8}}", away)] if connected else []


def known_to_tenants(settings: Settings) -> Mapping[str, str]:
    """The names that a tenant's configuration may use for triggers and reporters: name to kind."""
    return {name: connection.driver for name, connection in settings.connections.items()}
