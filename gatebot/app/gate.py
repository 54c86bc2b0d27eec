# SPDX-License-Identifier: Apache-2.0
"""The gate plugged in: tenants from settings and hosted projects, driver, executor, and their rows as others see them.

Adapters between rooms that do not know each other; each only translates values.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

from aiohttp import web

from .. import settings as settings_text
from .. import words
from ..access import Rulebook
from ..assignment import Assignment, FrozenJob, NodeWait
from ..clock import Clock
from ..db import Database
from ..errors import NotFound, SettingsError, Unavailable
from ..executor import pages as build_pages
from ..executor import rest as build_rest
from ..executor.files.service import BuildFiles
from ..executor.fleet.model import LEASE_SECONDS
from ..executor.logs import ARTIFACTS
from ..executor.model import DEFAULT_LABELS
from ..front import Front, Sign
from ..git_door import CommitDoor
from ..keys import Keys
from ..live import Sees
from ..pipeline import pages, rest
from ..pipeline.accepting import pages as accepting_pages
from ..pipeline.accepting import rest as accepting_rest
from ..pipeline.accepting.service import Accepting
from ..pipeline.artifact_passes import HEADER as PASS
from ..pipeline.artifact_passes import ArtifactPasses
from ..pipeline.config.loader import Loader
from ..pipeline.config.model import PipelineConfig
from ..pipeline.config.parse_tenants import parse_tenants
from ..pipeline.config.tenant import Tenant, simple
from ..pipeline.driver import Driver
from ..pipeline.effects import Ties
from ..pipeline.holding import pages as holding_pages
from ..pipeline.holding import rest as holding_rest
from ..pipeline.holding.service import Holding
from ..pipeline.layouts import Layouts, configures
from ..pipeline.merger import Merger
from ..pipeline.operating import rest as operating_rest
from ..pipeline.operating.service import Operating
from ..pipeline.ports import Dispatch, Sight
from ..pipeline.reproducing import rest as reproducing_rest
from ..pipeline.reproducing.service import Reproducing
from ..pipeline.reproducing.unqueued import Unqueued
from ..pipeline.results import Results
from ..pipeline.sources import Sources
from ..pipeline.tenants import catalogue
from ..pipeline.tenants import pages as tenant_pages
from ..pipeline.tenants import rest as tenant_rest
from ..pipeline.tenants.service import Overview
from ..pipeline.timer import Timer
from ..pipeline.tokens import rest as tokens_rest
from ..pipeline.trying import pages as trying_pages
from ..pipeline.trying import rest as trying_rest
from ..pipeline.trying.service import Trials
from ..pipeline.vault import Vault
from ..pipeline.waiting import Waiting
from ..reasons import Reason
from ..repo import Repositories
from ..review import hosting
from ..review.config.model import ALL_PROJECTS
from ..review.room import ReviewRoom
from ..settings import Settings
from ..site import Site
from .build_rows import BuildRows
from .connections import Connected, known_to_tenants

_OF_CHANGE = re.compile(r"change/(\d{1,9})")


class GateView:
    """What the review room asks of the gate; the gate is plugged in once both exist."""

    def __init__(self) -> None:
        self._driver: Driver | None = None
        self._layouts: Layouts | None = None

    def plug(self, driver: Driver, layouts: Layouts) -> None:
        """From now on there is a gate."""
        self._driver, self._layouts = driver, layouts

    def gated(self, project: str, branch: str) -> bool:
        """Whether a dependent pipeline merges the changes of this branch."""
        return self._driver is not None and self._driver.gated(project, branch)

    def jobs(self, project: str) -> list[tuple[str, tuple[str, ...]]]:
        """The pipelines of a project with its jobs; of several tenants the first that has the project."""
        layouts = self._layouts.of_project(project) if self._layouts is not None else ()
        return catalogue.jobs_of(layouts[0], project) if layouts else []

    def configures(self, project: str, branch: str, files: Collection[str]) -> bool:
        """Whether any of these files is read as configuration."""
        layouts = self._layouts.of_project(project) if self._layouts is not None else ()
        return any(configures(layout, project, files, branch) for layout in layouts)

    def position(self, change: int) -> Reason | None:
        """Where the change stands in the gate, for people."""
        return self._driver.position(change) if self._driver is not None else None


class Nobody:
    """The executors of a process that runs no jobs: none."""

    def free_slots(self) -> int:
        """None."""
        return 0

    async def assign(self, assignment: Assignment) -> None:
        """Never asked, because there is no slot."""
        raise Unavailable(f"No executor runs here for build {assignment.build}.")

    async def abort(self, build: str, fence: int, why: Reason | None = None) -> None:
        """Nothing runs."""

    async def resume(self, build: str, fence: int) -> None:
        """Nothing waits."""

    async def grant(self, build: str, fence: int, names: Sequence[str]) -> None:
        """Nothing waits."""


class Tenants:
    """Which tenants there are: of the Zuul tenant file, or one with every hosted project."""

    def __init__(self, settings: Settings, db: Database) -> None:
        self._settings = settings
        self._db = db

    def __call__(self) -> tuple[Tenant, ...]:
        """Asked at each refresh, from a worker thread."""
        gate = self._settings.gate
        projects = self._db.read_now(hosting.list_projects)
        submit_types = {project.name: project.submit_type.value for project in projects}
        labels = frozenset({**DEFAULT_LABELS, **self._settings.labels})
        if gate.tenants_file:
            found = self._from_file(Path(settings_text.resolve(self._settings, gate.tenants_file)))
        else:
            config = tuple(name for name in gate.config_projects if name in submit_types)
            tested = tuple(name for name in submit_types if name not in (*config, ALL_PROJECTS))
            found = (simple(gate.tenant, config, tested),)
        others = known_to_tenants(self._settings)
        known = {"submit_types": submit_types, "site_labels": labels, "others": frozenset(others)}
        return tuple(replace(one, connections={**one.connections, **others}, **known) for one in found)

    def _from_file(self, path: Path) -> tuple[Tenant, ...]:
        try:
            data = path.read_bytes()
        except OSError as error:
            raise SettingsError(f"gate.tenants_file: {path} cannot be read ({error.strerror}).") from None
        tenants, errors = parse_tenants(data, str(path))
        if errors:
            told = [f"{path}:{error.at.line}: {words.say(error.reason)}" for error in errors]
            raise SettingsError("\n".join(told))
        return tenants


@dataclass(frozen=True, slots=True)
class GateRoom:
    """The pipeline room put together."""

    driver: Driver
    layouts: Layouts
    timer: Timer
    builds: BuildRows
    db: Database
    clock: Clock
    ties: Ties
    keys: Keys
    labels: tuple[str, ...]
    repositories: Repositories
    waiting: Waiting
    rules: Rulebook

    async def start(self) -> None:
        """Find the queues again, and let timers fire."""
        await self.driver.start()
        self.timer.start()

    async def run(self) -> None:
        """Drive the queues for ever."""
        await self.driver.run()

    async def close(self) -> None:
        """Stop; everything goes on at the next start."""
        self.timer.close()
        await self.driver.close()

    def routes(self, site: Site, sight: Sight, files: BuildFiles, git: CommitDoor) -> list[web.RouteDef]:
        """Status, builds, logs: pages and REST."""
        shown = self._shown(sight)
        allowed = self.allowed(site, sight)
        trials = Trials(self._overview(), self.ties.review, sight)

        async def hidden(request: web.Request, changes: Collection[int]) -> frozenset[int]:
            return await sight.hidden(site.actor(request), changes)

        return [
            *pages.routes(site, shown),
            *rest.routes(site, shown),
            *operating_rest.routes(site, self._operating(sight)),
            *(tokens_rest.routes(self.ties.issuer) if self.ties.issuer is not None else ()),
            *holding_rest.routes(site, self._holding()),
            *holding_pages.routes(site, self._holding()),
            *tenant_pages.routes(site, shown, self._overview()),
            *accepting_rest.routes(site, Accepting(self._overview(), self.db, self.clock)),
            *accepting_pages.routes(site, Accepting(self._overview(), self.db, self.clock)),
            *tenant_rest.routes(site, shown, self._overview(), self.labels),
            *trying_rest.routes(site, trials),
            *trying_pages.routes(site, trials),
            *reproducing_rest.routes(site, self._reproducing(sight), git),
            *build_pages.routes(site, self.builds, files.logs, allowed, hidden, files, self.rules),
            *build_rest.routes(files.logs, allowed, files.check),
        ]

    def add_to(self, front: Front, site: Site, sight: Sight) -> None:
        """The box of what is in the gate, and how its driver is."""

        async def sign() -> Sign:
            waiting = sum(len(queue.items) for queue in self.driver.queues.values())
            queues = len(self.driver.queues)
            items = f"{waiting} item{'' if waiting == 1 else 's'}"
            return Sign("gate", True, f"{items} in {queues} queue{'' if queues == 1 else 's'}")

        front.add(panel=pages.panel(site, self._shown(sight)), sign=sign)

    def _overview(self) -> Overview:
        return Overview(
            self.layouts, self.ties.merger.vault, self.keys, lambda: self.driver.queues.values(), self.rules
        )

    def _holding(self) -> Holding:
        return Holding(self._overview(), self.db, self.clock)

    def _operating(self, sight: Sight) -> Operating:
        queues = lambda: self.driver.queues.values()  # noqa: E731
        return Operating(self.layouts, self.ties.review, sight, queues, self.db, self.clock, self.rules)

    def _reproducing(self, sight: Sight) -> Reproducing:
        ties = self.ties
        unqueued = Unqueued(
            ties.review, self.repositories,
            lambda: Merger(self.repositories, self.layouts, vault=ties.merger.vault),
            self.db, ties.secrets, f"{ties.url}/logs/{{build}}/",
        )  # fmt: skip
        host = urlsplit(ties.url).hostname or "localhost"
        return Reproducing(self._overview(), ties.review, sight, unqueued, self.repositories, host)

    def _shown(self, sight: Sight) -> pages.Parts:
        return pages.Parts(
            queues=lambda: self.driver.queues.values(),  # the driver has other queues after its start
            configured=self._configured,
            db=self.db,
            clock=self.clock,
            sight=sight,
            operating=self._operating(sight),
            waiting=self.waiting,
        )

    def allowed(self, site: Site, sight: Sight) -> build_rest.Allowed:
        """Whether somebody may see a build: whoever may see its change."""

        async def check(request: web.Request, build: str) -> None:
            if await self._handed(request, build):
                return
            row = await self.builds.build(build)
            if row is None or (row.change is not None and await sight.hidden(site.actor(request), (row.change,))):
                raise NotFound(f"There is no build {build}.")

        return check

    async def _handed(self, request: web.Request, build: str) -> bool:
        """Whether another build asks, by its pass, for an artifact that it was handed."""
        shown, passes = request.headers.get(PASS, ""), self.ties.passes
        asks = shown and request.path.startswith(f"/logs/{build}/{ARTIFACTS}/")
        return bool(asks) and passes is not None and await passes.opens(shown, build)

    def followed(self, site: Site, sight: Sight) -> Sees:
        """Which topics of open pages somebody may follow: all but changes and builds that are hidden from him, and
        what is of another account alone."""

        async def seen(request: web.Request, topics: frozenset[str]) -> frozenset[str]:
            named = {topic: int(found[1]) for topic in topics if (found := _OF_CHANGE.fullmatch(topic))}
            for topic in topics:
                if topic.startswith("build/") and (row := await self.builds.build(topic.removeprefix("build/"))):
                    named |= {topic: row.change} if row.change is not None else {}
            hidden = await sight.hidden(site.actor(request), named.values())
            account = site.account(request)
            own = f"irc-link/{account.id}" if account is not None else ""
            others = {topic for topic in topics if topic.startswith("irc-link/") and topic != own}
            return topics - others - {topic for topic, number in named.items() if number in hidden}

        return seen

    def watched(self, site: Site, sight: Sight) -> pages.Pages:
        """Everything that is in the queues, as far as somebody may see it."""
        return pages.Pages(site, self._shown(sight))

    def _configured(self) -> list[tuple[str, PipelineConfig]]:
        layouts = ((tenant, self.layouts.current(tenant)) for tenant in self.layouts.tenants())
        return [(tenant, one) for tenant, layout in layouts if layout for one in layout.pipelines.values()]


def layouts_of(settings: Settings, db: Database, repositories: Repositories) -> Layouts:
    """The configuration of all tenants; not read yet."""
    return Layouts(Loader(repositories), Tenants(settings, db))


def assemble(
    settings: Settings, db: Database, repositories: Repositories, layouts: Layouts, review: ReviewRoom,
    connected: Sequence[Connected], takes: Dispatch | None, results: Results, clock: Clock, keys: Keys,
    passes: ArtifactPasses, *, lease: bool = False, waits: Callable[[], Mapping[str, NodeWait]] = dict[str, NodeWait],
    hopeless: Callable[[FrozenJob], bool] = lambda _: False,
) -> GateRoom:  # fmt: skip
    """The room with everything it works with; `connected` are other places of changes, `takes` runs builds.

    `lease`: who runs builds may go silent, and his builds are given away then. `waits` tells what builds wait for.
    """
    sources = Sources(review.for_gate, review.identity, [one.source for one in connected])
    merger = Merger(repositories, layouts, vault=Vault(keys))
    ties = Ties(
        sources, takes or Nobody(), merger, layouts, db, clock, results.secrets, settings.url, results.issuer, passes,
        hopeless,
    )  # fmt: skip
    driver = Driver(ties, sources, results, lease=timedelta(seconds=LEASE_SECONDS) if lease else None)
    for one in connected:
        one.used.queues = lambda: driver.queues.values()  # the driver has other queues after its start
    labels = tuple(sorted({**DEFAULT_LABELS, **settings.labels}))
    waiting = Waiting(lambda: driver.queues.values(), db, clock, waits)
    return GateRoom(
        driver, layouts, Timer(db, layouts, clock), BuildRows(db, waiting), db, clock, ties, keys, labels, repositories,
        waiting, review.rules,
    )  # fmt: skip
