# SPDX-License-Identifier: Apache-2.0
"""Trackers are told of merges over real HTTP, found by `tr:`, and linked on the pages."""

from __future__ import annotations

import html
import json
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from gatebot import events as facts
from gatebot import journal
from gatebot.journal import Journal
from gatebot.review import search, store
from gatebot.review.config import syntax
from gatebot.review.deliveries.posting import Poster
from gatebot.review.model import Change
from gatebot.review.query import parse
from gatebot.review.trackers.linking import Linking, linked
from gatebot.review.trackers.model import Rule, Tracker
from gatebot.review.trackers.rules import ANY_ID
from gatebot.review.trackers.service import Trackers
from tests.fakes.pages import WebHouse
from tests.fakes.pipeline_house import PipelineHouse
from tests.fakes.review_house import BOB, ReviewHouse

SITE = "https://review.example.org"
RULE = Rule(ANY_ID, "https://bugs.example.org/{id}", ("Closes-Bug",))


Told = tuple[dict[str, str], dict[str, object]]


@dataclass
class BugServer:
    """A tracker's server: what it was told, and what it answers next."""

    told: list[Told] = field(default_factory=list[Told])
    answers: list[int] = field(default_factory=list[int])
    url: str = ""

    async def take(self, request: web.Request) -> web.Response:
        self.told.append((dict(request.headers), json.loads(await request.read())))
        status = self.answers.pop(0) if self.answers else 204
        return web.Response(status=status, headers={"Location": "/elsewhere"} if status == 302 else {})

    @property
    def ids(self) -> list[object]:
        return [body["id"] for _, body in self.told]


@pytest.fixture
async def bugs() -> AsyncIterator[BugServer]:
    bugs = BugServer()
    app = web.Application()
    app.router.add_post("/hook", bugs.take)
    server = TestServer(app)
    await server.start_server()
    bugs.url = str(server.make_url("/hook"))
    yield bugs
    await server.close()


@pytest.fixture
def rooms(room_url: str, tmp_path: Path) -> Iterator[ReviewHouse]:
    rooms = ReviewHouse(room_url, tmp_path / "git")
    rooms.project("demo/api")
    yield rooms
    rooms.close()


def push(rooms: ReviewHouse, subject: str, body: str) -> Change:
    return rooms.push("demo/api", {subject: "x\n"}, subject, rooms.tip("demo/api"), body)


def merge(rooms: ReviewHouse, change: Change) -> None:
    fact = facts.ChangeMerged(change.number, change.current, change.project, change.branch, "d" * 40, BOB)
    rooms.write(journal.append, fact, rooms.clock.now())


def telling(rooms: ReviewHouse, bugs: BugServer, *, hook: bool = True, token_file: str = "") -> Trackers:
    """The part as a server that starts has it."""
    tracker = Tracker("bugs", (RULE,), bugs.url if hook else "", token_file, local=True)
    return Trackers(rooms.db, Journal(rooms.db), rooms.clock, [tracker], SITE, Poster(5))


async def deliver(one: Trackers, rooms: ReviewHouse) -> int:
    place = await one.begin()
    entries = await Journal(rooms.db).read(place, kinds=(facts.ChangeMerged,))
    if entries:
        await one.note(entries)
    return await one.send()


async def test_a_merge_is_told_once_to_the_tracker_that_its_message_names(
    rooms: ReviewHouse, bugs: BugServer, tmp_path: Path
) -> None:
    (tmp_path / "token").write_text("sesame\n")
    old = push(rooms, "Old", "Closes-Bug: 1\n")
    merge(rooms, old)
    one = telling(rooms, bugs, token_file=str(tmp_path / "token"))
    assert await deliver(one, rooms) == 0  # what merged before there was a hook is not told
    change, silent = push(rooms, "Add a", "Closes-Bug: #12, 13\n"), push(rooms, "Add b", "")
    merge(rooms, change)
    merge(rooms, silent)
    assert await deliver(one, rooms) == 2
    assert await deliver(one, rooms) == 0
    headers, body = bugs.told[0]
    assert headers["Authorization"] == "Bearer sesame"
    assert headers["X-Gatebot-Delivery"] == body["delivery"]
    assert bugs.ids == ["12", "13"]
    assert (body["subject"], body["change"], body["commit"]) == ("Add a", change.number, "d" * 40)
    assert body["url"] == f"{SITE}/{change.path}"


async def test_a_private_change_is_told_to_nobody(rooms: ReviewHouse, bugs: BugServer) -> None:
    one = telling(rooms, bugs)
    await one.begin()
    change = push(rooms, "Add a", "Closes-Bug: 12\n")
    hide = partial(store.update_change, private=True)
    rooms.write(hide, change.number, rooms.clock.now())
    merge(rooms, change)
    assert await deliver(one, rooms) == 0
    assert bugs.told == []


async def test_what_a_tracker_did_not_take_is_told_again_also_by_the_next_server(
    rooms: ReviewHouse, bugs: BugServer
) -> None:
    await telling(rooms, bugs).begin()
    bugs.answers += [500, 302]
    merge(rooms, push(rooms, "Add a", "Closes-Bug: 12\n"))
    first = telling(rooms, bugs)
    assert await deliver(first, rooms) == 1
    counts = (await first.counts())["bugs"]
    assert (counts.waiting, counts.problem) == (1, "it answers 500")
    assert await deliver(first, rooms) == 0  # not before its time
    rooms.clock.advance(60)
    second = telling(rooms, bugs)
    assert await deliver(second, rooms) == 1
    assert (await second.counts())["bugs"].problem == "it answers 302, and redirects are not followed"
    rooms.clock.advance(120)
    assert await deliver(second, rooms) == 1
    assert bugs.ids == ["12"] * 3
    assert len({body["delivery"] for _, body in bugs.told}) == 1
    counts = (await second.counts())["bugs"]
    assert (counts.waiting, counts.given_up, counts.problem) == (0, 0, "")


async def test_a_tracker_that_is_away_is_given_up_after_days_and_told_of(rooms: ReviewHouse, bugs: BugServer) -> None:
    bugs.url = "http://127.0.0.1:1/hook"
    one = telling(rooms, bugs)
    await one.begin()
    merge(rooms, push(rooms, "Add a", "Closes-Bug: 12\n"))
    tries = 0
    while await deliver(one, rooms):
        tries += 1
        rooms.clock.advance(4 * 3600)
    counts = (await one.counts())["bugs"]
    assert (tries, counts.waiting, counts.given_up) == (30, 0, 1)
    assert counts.problem == "no connection: Connection refused"


@pytest.mark.parametrize(
    ("token", "said"),
    [
        (None, "its token_file cannot be read: No such file or directory"),
        ("a\nb: c", "what is in its token_file is no token"),
    ],
)
async def test_a_token_that_cannot_be_used_is_told_of(
    rooms: ReviewHouse, bugs: BugServer, tmp_path: Path, token: str | None, said: str
) -> None:
    if token is not None:
        (tmp_path / "token").write_text(token)
    one = telling(rooms, bugs, token_file=str(tmp_path / "token"))
    await one.begin()
    merge(rooms, push(rooms, "Add a", "Closes-Bug: 12\n"))
    assert await deliver(one, rooms) == 1
    assert (await one.counts())["bugs"].problem == said
    assert bugs.told == []


async def test_a_hook_on_this_machine_must_be_asked_for(rooms: ReviewHouse, bugs: BugServer) -> None:
    tracker = Tracker("bugs", (RULE,), bugs.url)
    one = Trackers(rooms.db, Journal(rooms.db), rooms.clock, [tracker], SITE, Poster(5))
    await one.begin()
    merge(rooms, push(rooms, "Add a", "Closes-Bug: 12\n"))
    assert await deliver(one, rooms) == 1
    assert (await one.counts())[
        "bugs"
    ].problem == "its address leads to this machine or its link, which needs local = true"
    assert bugs.told == []


async def test_a_time_without_hooks_stays_untold(rooms: ReviewHouse, bugs: BugServer) -> None:
    await telling(rooms, bugs).begin()
    assert await telling(rooms, bugs, hook=False).begin() == 0
    merge(rooms, push(rooms, "Add a", "Closes-Bug: 12\n"))
    assert await deliver(telling(rooms, bugs), rooms) == 0
    merge(rooms, push(rooms, "Add b", "Closes-Bug: 13\n"))
    assert await deliver(telling(rooms, bugs), rooms) == 1
    assert bugs.ids == ["13"]


@pytest.mark.parametrize(
    ("query", "numbers"),
    [("tr:12", [2, 1]), ("bug:#12", [2, 1]), ("tr:1", []), ("tr:win-4", [2]), ("tr:77", [3]), ("tr:99", [4])],
)
def test_a_query_finds_what_the_rules_link(rooms: ReviewHouse, query: str, numbers: list[int]) -> None:
    push(rooms, "Add a", "Closes-Bug: #12\n")
    push(rooms, "Add b", "Closes-Bug: 12, WIN-4\n")
    push(rooms, "Add c", "See ticket 77 of ours.\n\n")
    push(rooms, "Add d", "Task: 99\n")
    rules = (RULE, Rule(r"ticket (\d+)", "https://t.org/{id}"))
    asking = search.Asking(None, False, rooms.clock.now(), trackers=rules)
    found = rooms.read(search.search, parse(query), asking)
    assert [change.number for change in found.changes] == numbers


EVIL = '"><script>alert(1)</script>'


async def test_a_hostile_message_becomes_links_and_nothing_else(web: WebHouse, house: PipelineHouse) -> None:
    config = syntax.parse('[commentlink "t"]\nmatch = "ticket (\\\\S+)"\nlink = "$1"\n', "project.config")[0]

    class Configs:
        generation = (0, 0)

        def files(self, project: str) -> tuple[object, ...]:
            return (config,) if project == "api" else ()

    everywhere = Rule(r"see (\S+)", "https://t.example.org/$1")
    object.__setattr__(house.room.judge, "linking", Linking((Tracker("t", (RULE, everywhere)),), Configs()))  # type: ignore[arg-type]
    body = f"Closes-Bug: 12\nsee {EVIL}\nticket javascript:alert(1)\nticket https://ok.example.org/\n\n"
    change = house.push("api", {"a.txt": "one\n"}, f"Add {EVIL}", body=body)
    await house.say(change, f"Closes-Bug: 13 {EVIL}")
    await house.settle()
    page = await web.page(f"/c/api/+/{change.number}")
    assert EVIL not in page
    assert 'href="javascript' not in page
    assert '<a href="https://bugs.example.org/12" rel="nofollow noopener">12</a>' in page
    assert '<a href="https://bugs.example.org/13" rel="nofollow noopener">13</a>' in page
    assert '<a href="https://ok.example.org/" rel="nofollow noopener">ticket https://ok.example.org/</a>' in page
    assert "ticket javascript:alert(1)\n" in page
    assert linked(f"see {EVIL}", [everywhere]) in page
    assert html.escape(EVIL) in page
