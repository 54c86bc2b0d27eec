# SPDX-License-Identifier: Apache-2.0
"""Every door of a site: its routes with their places filled in, and plain requests by anybody.

A route with a place that is not in the table fails the test that walks it, with what to do; so a new
route is walked by everybody from its first day.
"""

from __future__ import annotations

import base64
import http.client
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest
from aiohttp import web

from tests.fakes.site import RunningSite

_STREAM = "text/event-stream"


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back; of a stream only its beginning."""

    status: int
    headers: Mapping[str, str]
    text: str
    cookies: tuple[str, ...] = ()

    @property
    def is_page(self) -> bool:
        return self.headers.get("content-type", "").startswith("text/html")

    @property
    def json(self) -> Any:
        return json.loads(self.text.removeprefix(")]}'\n"))


@dataclass(frozen=True)
class Visitor:
    """Somebody at the doors; without a token a stranger. `accept` is text/html for a browser."""

    site: RunningSite
    name: str = ""
    token: str = ""
    headers: dict[str, str] = field(default_factory=dict)

    def ask(self, method: str, path: str, body: bytes | None = None, **headers: str) -> Answer:
        """One request, without following anything."""
        given = {"Accept": "text/html", **self.headers, **{k.replace("_", "-"): v for k, v in headers.items()}}
        if self.token:
            given["Authorization"] = "Basic " + base64.b64encode(f"{self.name}:{self.token}".encode()).decode()
        connection = http.client.HTTPConnection("127.0.0.1", self.site.port, timeout=60)
        try:
            connection.request(method, path, body, given)
            answer = connection.getresponse()
            kind = answer.headers.get("Content-Type", "")
            data = answer.read1(65536) if kind.startswith(_STREAM) else answer.read()
            told = {name.lower(): value for name, value in answer.headers.items()}
            cookies = tuple(answer.headers.get_all("Set-Cookie", []))
            return Answer(answer.status, told, data.decode("utf-8", "replace"), cookies)
        finally:
            connection.close()

    def get(self, path: str, **headers: str) -> Answer:
        return self.ask("GET", path, **headers)

    def send(self, method: str, path: str, body: object, **headers: str) -> Answer:
        """JSON."""
        return self.ask(method, path, json.dumps(body).encode(), Content_Type="application/json", **headers)


@dataclass(frozen=True, slots=True)
class Door:
    """One route: `path` with its places filled in, `route` as it was written."""

    method: str
    route: str
    path: str

    @property
    def writes(self) -> bool:
        return self.method not in ("GET", "HEAD", "OPTIONS")


def doors(application: web.Application, table: Mapping[str, str], special: Mapping[str, str]) -> Iterator[Door]:
    """Every route. `table` says what stands for each place, `special` whole paths of single routes."""
    for route in application.router.routes():
        assert route.resource is not None
        written = route.resource.canonical
        if route.method == "HEAD":
            continue
        path = special.get(written)
        if path is None:
            places = _places(written)
            unknown = sorted(place for place in places if place not in table)
            if unknown:
                pytest.fail(
                    f"The route {route.method} {written} has the place {', '.join(unknown)}, which nobody fills in. "
                    "Say what stands there in the tables of tests/stories/test_doors.py, so that every role walks it."
                )
            path = written
            for place in places:
                path = path.replace("{" + place + "}", table[place])
        yield Door(route.method, written, path)


def _places(written: str) -> list[str]:
    return [part.partition("}")[0] for part in written.split("{")[1:]]
