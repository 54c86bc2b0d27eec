# SPDX-License-Identifier: Apache-2.0
"""A site with a tracker: what a change names is linked, found, and told when it merges; health says how that goes."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from gatebot.app.places import SETTINGS
from tests.fakes.doors import Visitor
from tests.fakes.irc import free_port
from tests.fakes.site import Builds, RunningSite, Template, eventually


class Bugs:
    """A tracker's server."""

    def __init__(self) -> None:
        self.told: list[dict[str, object]] = []
        bugs = self

        class Take(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                bugs.told.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
                self.send_response(204)
                self.end_headers()

            def log_message(self, format: str, *args: object) -> None:
                """Quietly."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Take)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/hook"


@pytest.fixture
def bugs() -> Iterator[Bugs]:
    bugs = Bugs()
    thread = threading.Thread(target=bugs.server.serve_forever)
    thread.start()
    yield bugs
    bugs.server.shutdown()
    bugs.server.server_close()
    thread.join()


@pytest.fixture
def site(template: Template, tmp_path: Path, builds: Builds, bugs: Bugs) -> Iterator[RunningSite]:
    directory = template.copy(tmp_path / "site", free_port())
    with (directory / SETTINGS).open("a") as file:
        file.write('\n[tracker.bugs]\nfooters = ["Closes-Bug"]\nlink = "https://bugs.example.org/{id}"\n')
        file.write(f'hook = "{bugs.url}"\nlocal = true\n')
    with RunningSite(directory, dict(template.tokens), tmp_path / "homes", builds) as running:
        yield running


def test_a_bug_is_linked_found_and_told_of_the_merge(site: RunningSite, builds: Builds, bugs: Bugs) -> None:
    ann, bob = site.person("ann"), site.person("bob")
    number = ann.propose("api", "Add a door\n\nCloses-Bug: #12", {"door": "open\n"})
    link = '<a href="https://bugs.example.org/12" rel="nofollow noopener">#12</a>'
    assert f"Closes-Bug: {link}" in Visitor(site).get(f"/c/api/+/{number}").text
    assert [one["_number"] for one in ann.rest.call("GET", "/changes/?q=tr:12")] == [number]
    assert bugs.told == []
    bob.rest.call("POST", f"/changes/{number}/revisions/current/review", {"labels": {"Code-Review": 2, "Workflow": 1}})
    builds.finish("gate", number)
    eventually(lambda: bugs.told)
    (told,) = bugs.told
    assert (told["tracker"], told["id"], told["footer"], told["change"]) == ("bugs", "12", "Closes-Bug", number)
    assert told["commit"] == site.branch("api")
    eventually(lambda: "bugs: nothing waits" in health(site))


def health(site: RunningSite) -> str:
    return str(Visitor(site).get("/health", Accept="application/json").json["parts"]["trackers"]["text"])
