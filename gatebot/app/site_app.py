# SPDX-License-Identifier: Apache-2.0
"""One whole site in one process: every room made, plugged into the others, started and ended in order.

The composition root: nothing is decided here. Order of a start: what a killed server began is
settled, the sandbox is tried, the gate reads its facts, everything that follows the journal runs;
then the web listens. A part that ends by itself ends the site, loudly.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, replace
from typing import Any

from aiohttp import web

from .. import words
from ..clock import Clock
from ..db import Database
from ..executor import assembly
from ..executor import pages as build_pages
from ..executor.files.keeping import Keeper
from ..executor.logs import Logs
from ..executor.service import Executor
from ..front import Front, Health, Sign
from ..identity import Identity
from ..journal import Journal
from ..keys import Keys, key_of_site
from ..live import Live
from ..mentions import Mentions
from ..pipeline.artifact_passes import ArtifactPasses
from ..pipeline.ports import Dispatch
from ..pipeline.results import Results
from ..pipeline.secret_data import SecretData
from ..pipeline.tokens.service import Issuer
from ..reasons import Reason
from ..repo import Repositories
from ..review import room as review_room
from ..review.config.book import Book
from ..review.config.founding import found_root
from ..review.room import ReviewRoom
from ..settings import Settings
from ..site import Site
from . import connections, doors, gate, joining, own_executor, topics
from .bots import with_bots
from .executors import Executors
from .irc import Irc
from .mailing import Origin
from .metrics import SiteMetrics
from .node_labels import NodeLabels, current
from .node_uses import NodeUses
from .outward import Outward, trackers_of
from .places import Places
from .planned import planning
from .ssh import SshDoor, here

log = logging.getLogger("gatebot")


@dataclass(slots=True)
class SiteApp:
    """The parts of a running site."""

    settings: Settings
    places: Places
    clock: Clock
    db: Database
    journal: Journal
    identity: Identity
    repositories: Repositories
    site: Site
    front: Front
    live: Live
    mentions: Mentions
    book: Book
    review: ReviewRoom
    doors: doors.Doors
    ssh: SshDoor
    outward: Outward
    gate: gate.GateRoom
    connected: tuple[connections.Connected, ...]
    irc: Irc
    executor: Executor | None
    others: Executors
    logs: Logs
    keeper: Keeper
    application: web.Application
    tasks: list[asyncio.Task[Any]]

    @classmethod
    async def open(
        cls, settings: Settings, places: Places, prepared: assembly.Prepared | None, clock: Clock,
        dispatch: Callable[[Results], Dispatch] | None = None,
    ) -> SiteApp:  # fmt: skip
        """Make all parts; nothing runs yet. `dispatch` makes what takes builds, where it is not the executor here."""
        db = Database.open(places.database_url)
        journal, identity = Journal(db), Identity(db, clock)
        repositories = Repositories(places.git)
        site, mentions = Site(settings, identity), Mentions(db, journal, settings.url)
        view = gate.GateView()
        key = await key_of_site(db, places.key)
        keys, secrets = Keys(db, clock, key), SecretData(key)
        whole, book = settings.gate.submit_whole_topic, Book(db, repositories)
        place = (db, repositories, identity, clock, view, here(settings))
        review = review_room.furnish(
            *place, book, book, whole_topic=whole, policy=doors.policy(settings),
            default_branch=settings.git.default_branch, trackers=trackers_of(settings),
        )  # fmt: skip
        results = Results(db, clock, secrets, Issuer(keys, settings.url, clock))
        layouts = gate.layouts_of(settings, db, repositories)
        if prepared is not None:
            prepared = replace(prepared, labels=NodeLabels(prepared.labels, current(layouts)))
        executor, logs = own_executor.executor_of(prepared, settings, places, repositories, results, clock)
        others = Executors.of(settings, places, db, clock, key, results, executor, logs, repositories, layouts, book)
        takes = dispatch(results) if dispatch is not None else others.fleet if others.on else executor
        connected = await connections.connect(settings, db, repositories, layouts, clock)
        room = gate.assemble(
            settings, db, repositories, layouts, review, connected, takes, results, clock, keys,
            ArtifactPasses(db, key, settings.url), lease=others.on, waits=others.waits, hopeless=others.hopeless,
        )  # fmt: skip
        files, keeper = own_executor.files_of(settings, logs, room.builds, results, clock)
        view.plug(room.driver, room.layouts)
        front = Front(site, executor.posture if executor else lambda: None)
        outside = doors.Doors(settings, places, db, repositories, clock, site, review, room.builds, mentions)
        ssh = SshDoor(settings, places, db, journal, review, outside.git.processes, site, clock)
        sight = connections.Sights(outside.shown, connected)
        allowed = room.allowed(site, sight)
        outward = Outward.of(origin := Origin(settings, db, journal, clock, key, review, site))
        irc = with_bots(Irc.of(settings, places, db, clock, journal, review.rules), origin, sight, room)
        live = Live(journal, topics.of, build_pages.feed(logs, allowed), room.followed(site, sight))
        site.follow(live.last)
        application = web.Application(middlewares=list(site.middlewares()), client_max_size=settings.limits.max_body)
        for routes in (
            connections.routes(connected), others.routes(site, allowed, NodeUses(db, identity)), outside.routes(),
            room.routes(site, sight, files, others.git.commits), live.routes(), ssh.routes(), outward.routes(),
            planning(irc, origin, repositories).routes(site), irc.routes(site), front.routes(), site.routes(),
            joining.routes(settings, db, clock, key, site, outward.mailing, review), outside.git_routes(),
        ):  # fmt: skip
            application.add_routes(routes)
        for part in (outside, outward):
            part.add_to(front)
        room.add_to(front, site, sight)
        irc.add_to(front, site)
        front.measure(SiteMetrics(room.driver, others.free_slots, live.last, irc.health))
        for sign in (*(one.sign() for one in connected), *_signs(keeper, executor, others)):
            front.add(sign=sign)
        return cls(
            settings, places, clock, db, journal, identity, repositories, site, front, live, mentions, book, review,
            outside, ssh, outward, room, connected, irc, executor, others, logs, keeper, application, [],
        )  # fmt: skip

    def web(self) -> web.Application:
        """What aiohttp serves."""
        return self.application

    async def start(self) -> None:
        """Settle what was begun, probe the sandbox, and let everything run."""
        removed = await asyncio.to_thread(self.repositories.settle_locks)
        await found_root(self.db, self.repositories, self.clock)
        self.identity.groups_changed.append(self.book.refresh)
        await self.book.refresh()
        settled = await self.review.settle() + await self.doors.settle()
        if removed or settled:
            log.info("settled after the last end: %d locks, %d intents", removed, settled)
        if self.executor is not None:
            await self.executor.start()
        await self.others.start(self._run)
        await self.gate.start()
        self._run("gate", self.gate.run())
        for one in self.connected:
            self._run(f"changes of {one.place.name}", one.follower.run())
        self._run("live pages", self.live.run())
        self._run("mentions", self.mentions.run())
        self._run("files of changes", self.review.indexing.run(self.journal))
        self._run("change edits", self.review.keeping.run())
        self.outward.start(self._run)
        self._run("files of builds", self.keeper.run())
        self.irc.start(self._run)

    async def work(self, stopping: asyncio.Event) -> bool:
        """Run until asked to stop; True when a part failed instead."""
        waiting = asyncio.create_task(stopping.wait())
        done, _ = await asyncio.wait({waiting, *self.tasks}, return_when=asyncio.FIRST_COMPLETED)
        waiting.cancel()
        failed = [task for task in done if task is not waiting]
        for task in failed:
            log.error("%s ended, so the site ends", task.get_name(), exc_info=task.exception())
        return bool(failed)

    def closing(self) -> None:
        """Let streams end, so that the web can."""
        self.live.close()

    async def close(self) -> None:
        """End everything; what was not finished goes on at the next start."""
        await self.ssh.close()
        await self.others.part()
        await self.irc.close()
        for task in self.tasks:
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)
        await self.gate.close()
        for one in self.connected:
            await one.client.close()
        if self.executor is not None:
            await self.executor.close()
        await self.others.close()
        await self.db.close()

    def _run(self, name: str, work: Coroutine[Any, Any, object]) -> asyncio.Task[object]:
        task: asyncio.Task[object] = asyncio.create_task(work, name=name)
        self.tasks.append(task)
        return task


def _signs(keeper: Keeper, executor: Executor | None, others: Executors) -> list[Health]:
    """What tells how builds run and what is kept of them."""
    found = [own_executor.sign_of(keeper), *([_jobs_sign(executor)] if executor is not None else ())]
    return [*found, *([others.sign] if others.on else ())]


def _jobs_sign(executor: Executor) -> Health:
    """How jobs run here; what every page says when they cannot, or run without a sandbox."""

    async def sign() -> Sign:
        posture = executor.posture()
        text = words.say(posture) if posture is not None else "in a sandbox"
        return Sign("jobs", not isinstance(executor.capacity, Reason), text, vital=False)

    return sign
