# SPDX-License-Identifier: Apache-2.0
"""Executors on other machines plugged into a site: the fleet over all executors, its doors, and NATS.

Without `[dispatch] nats` there are the doors, which say so, and nothing else: the executor of this process gets its
builds as it always does.
"""

from __future__ import annotations

import asyncio
import secrets
import ssl
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, cast
from urllib.parse import urlsplit

from aiohttp import web

from .. import settings as settings_text
from ..access import Rulebook
from ..assignment import FrozenJob, NodeWait
from ..clock import Clock
from ..db import Database
from ..errors import Unavailable
from ..executor.fleet import pages, rest
from ..executor.fleet.choosing import Wish, nobody
from ..executor.fleet.doors import MACHINES, Parts
from ..executor.fleet.doors import routes as machine_routes
from ..executor.fleet.fleet import Fleet, here
from ..executor.fleet.git_door import GitDoor
from ..executor.fleet.model import Abilities, Session, Written
from ..executor.fleet.nats_access import USER, Signer, answer_for_ever, configuration
from ..executor.fleet.nats_child import NatsChild
from ..executor.fleet.nats_post import NatsPost
from ..executor.fleet.parting import Parting
from ..executor.fleet.passes import Passes
from ..executor.fleet.received import Received
from ..executor.fleet.roster import member
from ..executor.fleet.service import Enrolment
from ..executor.fleet.visits import Visits
from ..executor.fleet.visits import routes as visit_routes
from ..executor.labels import site_labels
from ..executor.logs import Logs
from ..executor.nodes import pages as nodes_pages
from ..executor.nodes import rest as nodes_rest
from ..executor.nodes.ports import Uses
from ..executor.nodes.service import Nodes
from ..executor.providers.model import Capacity
from ..executor.providing import kinds
from ..executor.service import Executor
from ..executor.supply import lacking_of
from ..front import Sign
from ..git_door import CommitDoor
from ..keys.site_key import SiteKey
from ..pipeline.layouts import Layouts
from ..pipeline.results import Results
from ..reasons import Reason
from ..repo import Repositories
from ..settings import Settings
from ..site import Site
from .node_labels import NodeLabels, current, written
from .places import Places

EMBEDDED = "embedded"
Run = Callable[[str, Coroutine[Any, Any, object]], object]


@dataclass(slots=True)
class Executors:
    """`child` is a NATS server of our own; `post` None: executors on other machines are turned off."""

    fleet: Fleet
    parts: Parts
    git: GitDoor
    local: Executor | None
    signer: Signer | None
    post: NatsPost | None
    child: NatsChild | None

    @classmethod
    def of(
        cls, settings: Settings, places: Places, db: Database, clock: Clock, key: SiteKey, results: Results,
        local: Executor | None, logs: Logs, repositories: Repositories,
        layouts: Layouts, rules: Rulebook,
    ) -> Executors:  # fmt: skip
        """All of it, not started."""
        labels = NodeLabels(site_labels(settings.labels, kinds(settings.providers)), current(layouts))
        received = Received(logs)

        post, child, signer = _nats(settings, places)
        fleet = Fleet(
            db, clock, Fences(results), results.holds, results, lambda: labels, lambda build: logs.size(build) or 0,
            received.begin, received.stopped, received.end, local,
            lambda: local.supply.offers if local is not None else {},
            lambda: lacking_of(local.supply) if local is not None else {}, post,
        )  # fmt: skip
        passes = Passes(key, clock)
        enrolment = Enrolment(db, clock, fleet, passes, on=post is not None, rules=rules)
        parts = Parts(
            enrolment, fleet, received, results, _session(settings), written(settings.labels, current(layouts))
        )
        git = GitDoor(enrolment, CommitDoor(repositories, asyncio.Semaphore(settings.limits.git_processes)))
        return cls(fleet, parts, git, local, signer, post, child)

    @property
    def on(self) -> bool:
        """Whether there may be executors on other machines."""
        return self.post is not None

    def free_slots(self) -> int:
        """How many builds would be taken now, by all of them."""
        if self.on:
            return self.fleet.free_slots()
        return self.local.free_slots() if self.local is not None else 0

    async def sign(self) -> Sign:
        """How many of those on other machines live; a site goes on without any."""
        enrolment = self.parts.enrolment
        known, now = await enrolment.every(), enrolment.clock.now()
        alive = sum(rest.lives(one, now) for one in known)
        return Sign("executors", alive == len(known), f"{alive} of {len(known)} on other machines live", vital=False)

    def routes(self, site: Site, allowed: rest.Allowed, uses: Uses) -> list[web.RouteDef]:
        """For people and for machines; these prove themselves in their own ways."""
        site.machines = (MACHINES,)
        enrolment = self.parts.enrolment
        visits = Visits(self.fleet)
        nodes = Nodes(enrolment, uses, self.local.held if self.local is not None else None, visits)
        return [
            *rest.routes(site, enrolment, allowed),
            *pages.routes(site, enrolment, allowed, self._here),
            *nodes_rest.routes(site, nodes, allowed),
            *nodes_pages.routes(site, nodes, allowed),
            *machine_routes(self.parts),
            *visit_routes(enrolment, visits),
            *self.git.routes(),
        ]

    def hopeless(self, job: FrozenJob) -> bool:
        """Whether no executor, however busy or silent now, could ever run a job, were it reviewed or not."""
        fleet, now = self.fleet, self.fleet.clock.now()
        silent = (member(name, 0, abilities) for name, abilities, _ in fleet.roster.silent(now))
        members = (*here(fleet), *fleet.roster.members(now), *silent)
        return bool(nobody(members, fleet.labels(), Wish.of_job(job)))

    def waits(self) -> Mapping[str, NodeWait]:
        """What builds wait for that have no nodes: those of this process' executor, and those of all others."""
        fleet, now = self.fleet, self.fleet.clock.now()
        own = dict(self.local.supply.waits()) if self.local is not None else dict[str, NodeWait]()
        if not self.on:
            return own
        return {**fleet.roster.waits((*here(fleet), *fleet.roster.members(now)), fleet.labels(), now), **own}

    async def start(self, run: Run) -> None:
        """Connect, let executors in, and know again what they have; before the queues are read."""
        if self.post is None or self.signer is None:
            return
        if self.child is not None:
            await self.child.start()
            run("nats", self.child.run())
        await self.post.connect()
        await answer_for_ever(self.post.client, self.signer, self.parts.enrolment.passes.of_nats)
        await self.fleet.start()
        await self.post.listen(self.fleet.heard)
        run("executors", self.fleet.run())

    async def part(self) -> None:
        """Tell executors on other machines that nobody answers for a while, so that their builds go on."""
        if self.post is not None:
            living = self.fleet.roster.members(self.fleet.clock.now())
            self.fleet.parting = Parting(one.name for one in living)
            await self.fleet.parting.say(self.post)

    async def close(self) -> None:
        """Hang up."""
        if self.post is not None:
            await self.post.close()
        if self.child is not None:
            await self.child.close()

    def _here(self) -> list[pages.Here]:
        if self.local is None:
            return []
        running, slots = len(self.local.running), self.local.slots
        used = min(running, slots - self.local.free_slots())
        labels = cast("dict[str, Written]", dict(self.parts.labels()))
        return [pages.Here(used, slots, abilities_of(self.local, labels), running - used)]


class Fences:
    """The scheduler's results, as the fleet asks them."""

    def __init__(self, results: Results) -> None:
        self._results = results

    async def alive(self, builds: Mapping[str, int]) -> tuple[str, ...]:
        """Those that are not run under these fences any more; the others are heard of."""
        return await self._results.alive(builds) if builds else ()

    def remember(self, heard: Mapping[str, datetime]) -> None:
        """When builds were last heard of by a server before this one."""
        self._results.heard.update(heard)


def abilities_of(executor: Executor, labels: Mapping[str, Written]) -> Abilities:
    """What the executor of a process tells a site on another machine; `labels` are those of its own settings."""
    offers = executor.supply.offers
    capacities = {name: one.capacity for name, one in offers.items() if isinstance(one.capacity, Capacity)}
    unusable = {name: one.capacity for name, one in offers.items() if isinstance(one.capacity, Reason)}
    trusted = tuple(name for name, one in offers.items() if one.trusted)
    trying = {name: one.trying for name, one in offers.items() if one.trying is not None}
    return Abilities(capacities, trusted, labels, unusable, trying, lacking_of(executor.supply))


def nats_configuration(places: Places, password: str) -> str:
    """What a NATS server of the site's own needs to know of this site."""
    return configuration(_signer(places).public, password)


def _signer(places: Places) -> Signer:
    return Signer.of(places.data / "nats.key")


def _nats(settings: Settings, places: Places) -> tuple[NatsPost | None, NatsChild | None, Signer | None]:
    if not settings.dispatch.nats:
        return None, None, None
    signer = _signer(places)
    if settings.dispatch.nats != EMBEDDED:
        file = Path(settings_text.resolve(settings, settings.dispatch.password_file))
        try:
            password = file.read_text().strip()
        except OSError as problem:
            raise Unavailable(f"dispatch.password_file: {file} cannot be read ({problem.strerror}).") from None
        return NatsPost(settings.dispatch.nats, USER, password), None, signer
    web_settings, tls, context = settings.web, None, None
    if web_settings.tls_certificate:
        certificate = settings_text.resolve(settings, web_settings.tls_certificate)
        tls = certificate, settings_text.resolve(settings, web_settings.tls_key)
        context = ssl.create_default_context(cafile=certificate)
        context.check_hostname = False  # it is our own child, on this machine
    password = secrets.token_urlsafe(24)
    child = NatsChild(settings.dispatch.listen, places.work / "nats", signer.public, password, tls)
    host, _, port = settings.dispatch.listen.rpartition(":")
    near = {"0.0.0.0": "127.0.0.1", "[::]": "[::1]"}.get(host, host)  # noqa: S104
    return NatsPost(f"{'tls' if tls else 'nats'}://{near}:{port}", USER, password, context), child, signer


def _session(settings: Settings) -> Session:
    host = urlsplit(settings.url).netloc
    address = settings.dispatch.url or (settings.dispatch.nats if settings.dispatch.nats != EMBEDDED else "")
    if not address:
        scheme = "tls" if settings.web.tls_certificate else "nats"
        address = f"{scheme}://{host.rpartition(':')[0] or host}:{settings.dispatch.listen.rpartition(':')[2]}"
    return Session("", address, "", host, settings.logs.max_log, settings.logs.max_artifacts)
