# SPDX-License-Identifier: Apache-2.0
"""Remote executors without a whole site: the fleet with its doors, a real NATS server, and executors in this process.

Only the scheduler is exchanged for one that remembers: `HeardReports` for what is told, `KnownFences` for what counts.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Collection, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path

from aiohttp import web

from gatebot.access import Actor
from gatebot.app.executing import make, take_labels
from gatebot.app.executors import abilities_of
from gatebot.assignment import Assignment
from gatebot.clock import Clock, SystemClock
from gatebot.db import Database
from gatebot.executor import assembly
from gatebot.executor.fleet import doors
from gatebot.executor.fleet.fleet import Fleet
from gatebot.executor.fleet.git_door import GitDoor
from gatebot.executor.fleet.model import Beat, Session, Written
from gatebot.executor.fleet.nats_access import USER, Signer, answer_for_ever
from gatebot.executor.fleet.nats_child import NatsChild
from gatebot.executor.fleet.nats_post import NatsPost
from gatebot.executor.fleet.passes import Passes
from gatebot.executor.fleet.received import Received
from gatebot.executor.fleet.service import Enrolment
from gatebot.executor.labels import label_from
from gatebot.executor.logs import Logs
from gatebot.executor.model import MIB, Sandbox, Sizes
from gatebot.executor.remote.agent import Agent
from gatebot.executor.remote.line import Line
from gatebot.executor.remote.server import Server
from gatebot.executor.remote.uplink import Uplink
from gatebot.git_door import CommitDoor
from gatebot.identity import Identity
from gatebot.keys import boxes
from gatebot.keys.site_key import SiteKey
from gatebot.repo import Repositories
from gatebot.settings import Settings
from gatebot.settings_fields import Web
from gatebot.site import Site
from tests.fakes.executor import HeardReports, Stores
from tests.fakes.irc import free_port
from tests.fakes.workshop import LABELS

ADMIN = Actor(1, frozenset({"Administrators"}), "admin")


@dataclass
class KnownFences:
    """Which run of each build counts; a completed build has none."""

    reports: HeardReports
    current: dict[str, int] = field(default_factory=dict)
    remembered: dict[str, datetime] = field(default_factory=dict)

    async def alive(self, builds: Mapping[str, int]) -> tuple[str, ...]:
        return tuple(
            build
            for build, fence in builds.items()
            if self.current.get(build) != fence or build in self.reports.completions
        )

    def remember(self, heard: Mapping[str, datetime]) -> None:
        self.remembered |= heard


@dataclass
class KnownHolds:
    """Kept nodes, all of the executor `far`."""

    reports: HeardReports

    async def of(self, executor: str, kept: Collection[str]) -> tuple[Collection[str], Collection[str]]:
        ended = self.reports.thought.intersection(self.reports.completions)
        return frozenset(kept).difference(self.reports.thought - self.reports.over), ended

    async def let_go(self, builds: Collection[str]) -> None:
        await self.reports.let_go(builds)

    async def forsake(self, alive: Collection[str]) -> None:
        if "far" not in alive:
            await self.reports.let_go(self.reports.over)


@dataclass
class FarMachine:
    """One executor; `stop` cuts its connections and forgets it, as a power cut would."""

    agent: Agent
    uplink: Uplink
    line: Line
    server: Server
    logs: Logs
    task: asyncio.Task[None] | None = None

    def begin(self) -> None:
        self.task = asyncio.create_task(self.agent.run())

    async def stop(self) -> None:
        if self.task is not None:
            self.task.cancel()
            await asyncio.gather(self.task, return_exceptions=True)
        for build in tuple(self.uplink.runs):
            self.uplink.drop(build)
        await self.agent.executor.close()
        await self.server.close()


@dataclass
class FarWorkshop:
    """The server's side, and what its scheduler heard."""

    root: Path
    fleet: Fleet
    enrolment: Enrolment
    reports: HeardReports
    fences: KnownFences
    stores: Stores
    logs: Logs
    url: str
    clock: Clock

    async def give(self, assignment: Assignment) -> None:
        """What the scheduler does: from now on this fence counts."""
        self.fences.current[assignment.build] = assignment.fence
        await self.fleet.assign(assignment)

    async def machine(self, name: str, *, slots: int = 4, own: Mapping[str, Written] | None = None) -> FarMachine:
        """A machine that came, with labels of its `own`; `begin` lets it live."""
        token, key = await self.enrolment.enrol(ADMIN, name), boxes.make()
        server = Server(self.url)
        _, server.token = await server.admit(token, boxes.public(key), "1")
        uplink, line, labels = Uplink(server, self.clock), Line(), dict(LABELS)
        labels |= {label: label_from(label, keys) for label, keys in (own or {}).items()}
        site = self.root / name
        site.mkdir()
        prepared = assembly.prepare(site, sandbox=Sandbox.NONE, labels=labels)
        settings = Settings(executor=replace(Settings().executor, slots=slots))
        executor, uplink.logs = make(settings, prepared, await server.session(), uplink)
        await executor.start()

        def beat() -> Beat:
            room = executor.free_slots() + len(executor.running)
            return Beat("1", room, abilities_of(executor, own or {}), waits=executor.supply.waits())

        agent = Agent(
            server, line, executor, uplink, self.clock, key, beat, lambda told: take_labels(labels, settings, told)
        )
        return FarMachine(agent, uplink, line, server, uplink.logs)

    async def lives(self, *names: str) -> None:
        """Wait until executors were heard."""
        async with asyncio.timeout(20):
            while {one.name for one in self.fleet.roster.members(self.clock.now())} < set(names):
                await asyncio.sleep(0.01)


@asynccontextmanager
async def far_workshop(
    root: Path, database_url: str, clock: Clock | None = None, sizes: Sizes | None = None
) -> AsyncIterator[FarWorkshop]:
    """All of it, without a machine."""
    time = clock or SystemClock()
    db, port = Database.open(database_url, durable=False), free_port()
    url, nats = f"http://127.0.0.1:{port}", f"127.0.0.1:{free_port()}"
    reports, stores = HeardReports(), Stores(root / "stores")
    fences, logs = KnownFences(reports), Logs(root / "logs", time, sizes or Sizes(4 * MIB, 4 * MIB))
    received, passes, signer = Received(logs), Passes(SiteKey.new(), time), Signer.of(root / "nats.key")
    post, child = NatsPost(f"nats://{nats}", USER, "pass"), NatsChild(nats, root / "nats", signer.public, "pass", None)
    fleet = Fleet(
        db, time, fences, KnownHolds(reports), reports, lambda: LABELS, lambda build: logs.size(build) or 0,
        received.begin, received.stopped, received.end, post=post,
    )  # fmt: skip
    enrolment = Enrolment(db, time, fleet, passes)
    session = Session("", f"nats://{nats}", "", f"127.0.0.1:{port}", logs.sizes.log, logs.sizes.artifacts)
    parts = doors.Parts(enrolment, fleet, received, reports, session, lambda: {})
    git = GitDoor(enrolment, CommitDoor(Repositories(stores.root), asyncio.Semaphore(4)))
    site = Site(Settings(web=Web(url=url)), Identity(db, time))
    site.machines = (doors.MACHINES,)
    application = web.Application(middlewares=list(site.middlewares()))
    application.add_routes([*doors.routes(parts), *git.routes()])
    runner = web.AppRunner(application, shutdown_timeout=1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    await child.start()
    try:
        await post.connect()
        await answer_for_ever(post.client, signer, enrolment.of_nats)
        await post.listen(fleet.heard)
        looking = asyncio.create_task(fleet.run())
        yield FarWorkshop(root, fleet, enrolment, reports, fences, stores, logs, url, time)
        looking.cancel()
        await asyncio.gather(looking, return_exceptions=True)
    finally:
        await post.close()
        await child.close()
        await runner.cleanup()
        await db.close()
