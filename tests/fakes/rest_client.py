# SPDX-License-Identifier: Apache-2.0
"""A client of Gerrit's REST calls, with no more of a web site around them than they need."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from yarl import URL

from gatebot.confirming import Confirming
from gatebot.identity import Identity
from gatebot.keys import SiteKey
from gatebot.review.people.rest_emails import RestEmails
from gatebot.review.push_facts import Site
from gatebot.review.rest import routes
from gatebot.review.room import ReviewRoom, furnish
from gatebot.review.shaper import Shaper
from tests.fakes.asker import FakeAsker, errors_as_text
from tests.fakes.review_house import SITE, ReviewHouse

PREFIX = ")]}'\n"


@dataclass(frozen=True)
class Raw:
    """An answer as it came."""

    status: int
    headers: dict[str, str]
    body: bytes


class RestClient:
    """A client of the site; `who` signs the requests."""

    def __init__(self, http: TestClient, room: ReviewRoom) -> None:
        self._http = http
        self.room = room

    async def raw(self, who: str, method: str, path: str, body: bytes | None = None, **headers: str) -> Raw:
        """One request as it is."""
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        given |= {"X-Test-User": who} if who else {}
        address = self._http.make_url("/").join(URL(path, encoded=True))
        async with self._http.session.request(method, address, data=body, headers=given) as answer:
            return Raw(answer.status, dict(answer.headers), await answer.read())

    async def __call__(self, who: str, method: str, path: str, body: object = None, status: int = 200) -> Any:
        """The answer's value; its text when it is no JSON."""
        data = None if body is None else json.dumps(body).encode()
        answer = await self.raw(who, method, path, data, Content_Type="application/json")
        text = answer.body.decode()
        assert answer.status == status, text
        if not answer.headers.get("Content-Type", "").startswith("application/json"):
            return text.strip()
        assert text.startswith(PREFIX)
        return json.loads(text.removeprefix(PREFIX))

    async def get(self, path: str, who: str = "ann", status: int = 200) -> Any:
        """A GET, by ann."""
        return await self(who, "GET", path, status=status)


@asynccontextmanager
async def served(house: ReviewHouse, site: str | Site = SITE, **asked: Any) -> AsyncIterator[RestClient]:
    """The calls of a house, served; `asked` goes to `furnish`."""
    identity = Identity(house.db, house.clock)
    room = furnish(house.db, house.repositories, identity, house.clock, house.gates, site, **asked)
    app = web.Application(middlewares=[errors_as_text])
    asker: Any = FakeAsker(house)
    app.add_routes(routes(room, asker))
    confirming = Confirming(identity, SiteKey.new(), house.clock, "gatebot", "http://gate.example.org", None)
    app.add_routes(RestEmails(Shaper(room, asker), confirming).routes())
    async with TestClient(TestServer(app)) as http:
        yield RestClient(http, room)
