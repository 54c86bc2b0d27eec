# SPDX-License-Identifier: Apache-2.0
"""The pages of changes, queues and builds on real rooms, as an aiohttp application; only executors are faked."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from pathlib import Path

from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from gatebot import settings
from gatebot.app.build_rows import BuildRows
from gatebot.app.topics import of
from gatebot.assignment import NodeWait
from gatebot.executor import pages as build_pages
from gatebot.executor import rest as log_rest
from gatebot.executor.files.service import BuildFiles
from gatebot.executor.logs import Logs
from gatebot.front import Front
from gatebot.identity import GATE
from gatebot.journal import Journal
from gatebot.keys import Keys, SiteKey
from gatebot.live import Live
from gatebot.mentions import Mentions
from gatebot.pipeline import pages as queue_pages
from gatebot.pipeline import rest as queue_rest
from gatebot.pipeline.accepting import pages as accepting_pages
from gatebot.pipeline.accepting import rest as accepting_rest
from gatebot.pipeline.accepting.service import Accepting
from gatebot.pipeline.holding import pages as holding_pages
from gatebot.pipeline.holding import rest as holding_rest
from gatebot.pipeline.holding.service import Holding
from gatebot.pipeline.operating import rest as operating_rest
from gatebot.pipeline.operating.service import Operating
from gatebot.pipeline.queue.model import Queue
from gatebot.pipeline.tenants import pages as tenant_pages
from gatebot.pipeline.tenants import rest as tenant_rest
from gatebot.pipeline.tenants.service import Overview
from gatebot.pipeline.trying import pages as trying_pages
from gatebot.pipeline.trying import rest as trying_rest
from gatebot.pipeline.trying.service import Trials
from gatebot.pipeline.vault import Vault
from gatebot.pipeline.waiting import Waiting
from gatebot.review import pages as change_pages
from gatebot.review.query import CONDITIONS
from gatebot.review.searching.pages import SearchPart
from gatebot.review.shown import Shown
from gatebot.review.third_party.service import ThirdPartyCis
from gatebot.site import Site
from tests.fakes.pipeline_house import PipelineHouse

URL = "http://localhost:8470"
PASSWORD = "a long password"


class WebHouse:
    """A pipeline house with its pages. `client` is a browser without scripts."""

    client: TestClient[web.Request, web.Application]

    def __init__(self, house: PipelineHouse, directory: Path) -> None:
        self.house = house
        self.site = Site(settings.load(f'[web]\nurl = "{URL}"\n', "gatebot.toml"), house.identity)
        self.front = Front(self.site, lambda: None)
        self.logs = Logs(directory / "logs", house.clock)
        room = house.room
        self.mentions = Mentions(house.db, Journal(house.db), URL)

        def queues() -> Iterable[Queue]:
            return house.driver.queues.values()

        self.waits: dict[str, NodeWait] = {}
        waiting = Waiting(queues, house.db, house.clock, lambda: self.waits)
        builds = self.builds = BuildRows(house.db, waiting)
        files = BuildFiles(self.logs, builds)
        cis = ThirdPartyCis(house.db, house.clock, room.rules, ())
        self.shown = Shown(house.db, room.reading, room.judge, house.repositories, builds, self.mentions, cis, URL)
        part = SearchPart(self.site, self.shown)
        self.front.add(search=("Changes", part.search), conditions=CONDITIONS)
        self.keys = Keys(house.db, house.clock, SiteKey.new())
        vault = house.merger.vault = Vault(self.keys)
        self.overview = Overview(house.layouts, vault, self.keys, queues)
        self.operating = Operating(house.layouts, room.for_gate, self.shown, queues, house.db, house.clock)
        self.trials = Trials(self.overview, room.for_gate, self.shown)
        self.holding = Holding(self.overview, house.db, house.clock)
        self.queues = queue_pages.Parts(
            queues, self._configured, house.db, house.clock, self.shown, self.operating, waiting
        )
        self.live = Live(Journal(house.db), of, build_pages.feed(self.logs, self._allowed))
        self.site.follow(self.live.last)
        self.app = web.Application(middlewares=list(self.site.middlewares()))
        self.app.add_routes(
            [
                *self.front.routes(),
                *self.live.routes(),
                *self.site.routes(),
                *change_pages.routes(self.site, room, self.shown),
                *queue_pages.routes(self.site, self.queues),
                *queue_rest.routes(self.site, self.queues),
                *operating_rest.routes(self.site, self.operating),
                *holding_rest.routes(self.site, self.holding),
                *holding_pages.routes(self.site, self.holding),
                *tenant_pages.routes(self.site, self.queues, self.overview),
                *accepting_rest.routes(self.site, Accepting(self.overview, house.db, house.clock)),
                *accepting_pages.routes(self.site, Accepting(self.overview, house.db, house.clock)),
                *tenant_rest.routes(self.site, self.queues, self.overview, ("small",)),
                *trying_rest.routes(self.site, self.trials),
                *trying_pages.routes(self.site, self.trials),
                *build_pages.routes(self.site, builds, self.logs, self._allowed, self._hidden, files),
                *log_rest.routes(self.logs, self._allowed, files.check),
            ]
        )
        self.live.attach(self.app)

    async def start(self) -> None:
        """Serve on some port."""
        self.client = TestClient(TestServer(self.app))
        await self.client.start_server()

    async def close(self) -> None:
        """Stop serving."""
        await self.client.close()

    async def page(self, path: str, *, status: int = 200, **headers: str) -> str:
        """A page as a browser gets it."""
        async with self.client.get(path, headers={"Accept": "text/html", **headers}) as answer:
            text = await answer.text()
            assert answer.status == status, text
            return text

    async def sign_in(self, username: str) -> None:
        """From now on the browser is somebody's."""
        account = await self.house.identity.by_username(username)
        assert account is not None
        assert username != GATE
        await self.house.identity.set_password(account.id, PASSWORD)
        form = {"username": username, "password": PASSWORD, "next": "/login"}
        async with self.client.post("/login", data=form) as answer:
            assert answer.status == 200, await answer.text()

    async def send(self, path: str, **fields: str) -> tuple[int, str]:
        """Post a form of a page, with the proof that it is ours; the status, and the page that is seen then."""
        async with self.client.get("/login") as answer:
            proof = next(line for line in (await answer.text()).split('name="_xsrf" value="')[1:]).split('"')[0]
        data = {name.replace("__", "-"): value for name, value in fields.items()} | {"_xsrf": proof}
        async with self.client.post(path, data=data, headers={"Accept": "text/html"}) as answer:
            return answer.status, await answer.text()

    def _configured(self) -> list[tuple[str, queue_pages.PipelineConfig]]:
        layout = self.house.layouts.current("main")
        assert layout is not None
        return [("main", pipeline) for pipeline in layout.pipelines.values()]

    async def _hidden(self, request: web.Request, changes: Collection[int]) -> frozenset[int]:
        return await self.shown.hidden(self.site.actor(request), changes)

    async def _allowed(self, request: web.Request, build: str) -> None:
        del request, build
