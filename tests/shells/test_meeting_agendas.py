# SPDX-License-Identifier: Apache-2.0
"""Agendas: everybody reads them, accounts write them, every version is kept, and nobody overwrites another."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from aiohttp import encode_basic_auth, web
from aiohttp.test_utils import TestClient, TestServer

from gatebot.clock import SystemClock
from gatebot.db import Database
from gatebot.identity import Identity
from gatebot.meetbot import store as lines
from gatebot.meetbot.model import Line, Setting
from gatebot.meetbot.schedule.agenda.pages import AgendaPages
from gatebot.meetbot.schedule.rest import ScheduleRest
from gatebot.meetbot.schedule.tip import Tip
from gatebot.meetbot.store import Heard
from gatebot.repo import Repositories
from gatebot.settings import load
from gatebot.site import Site
from tests.fakes.clock import FakeClock

NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
PAGE = "/meetings/nova/agenda"


@dataclass
class House:
    """A site on which a meeting named nova was held once."""

    client: TestClient[web.Request, web.Application]
    ann: str

    async def get(self, path: str = PAGE, status: int = 200) -> str:
        """A page as a stranger gets it."""
        answer = await self.client.get(path, headers={"Accept": "text/html"})
        assert answer.status == status
        return await answer.text()

    async def write(self, text: str, version: str, status: int = 303, restore: str = "") -> str:
        """Ann sends the form."""
        form = {"text": text, "version": version} | ({"restore": restore} if restore else {})
        answer = await self.client.post(
            PAGE, data=form, headers={"Accept": "text/html", "Authorization": self.ann}, allow_redirects=False
        )
        assert answer.status == status, await answer.text()
        return await answer.text()


@pytest.fixture
async def house(migrated_sqlite: Path, tmp_path: Path) -> AsyncIterator[House]:
    """The site, with no agenda yet."""
    shutil.copyfile(migrated_sqlite, tmp_path / "gatebot.db")
    db = Database.open(f"sqlite:///{tmp_path / 'gatebot.db'}", durable=False)
    identity = Identity(db, SystemClock())
    ann = await identity.create("ann", name="Ann", email="ann@example.org")
    token = await identity.create_token(ann.id, "test")
    site, clock = Site(load("", "gatebot.toml"), identity), FakeClock(NOON)
    tip = Tip(Repositories(tmp_path / "git"), "", "", "meetings")
    app = web.Application(middlewares=[*site.middlewares()])
    app.add_routes([*AgendaPages(site, db, clock, tip).routes(), *ScheduleRest(db, clock, tip).routes()])
    said = [Line(NOON, "ann", "#startmeeting Nova"), Line(NOON + timedelta(seconds=1), "ann", "#endmeeting")]
    await db.run(lines.take_in, [Heard("irc", "#c", line) for line in said], Setting())
    async with TestClient(TestServer(app)) as client:
        yield House(client, encode_basic_auth("ann", token))
    await db.close()


async def test_versions_are_kept_compared_and_restored(house: House) -> None:
    assert "There is no agenda yet." in await house.get()
    await house.write("Bugs\r\nReviews of change 42", "0")
    page = await house.get()
    assert '<p>Reviews of <a href="/42" rel="nofollow noopener">change 42</a></p>' in page
    await house.write("Bugs\nRelease", "1")
    changed = await house.get(f"{PAGE}?old=1&new=2")
    assert "  Bugs\n<del>- Reviews of change 42</del>\n<ins>+ Release</ins>\n" in changed
    assert "Reviews of" in await house.get(f"{PAGE}?version=1")
    await house.write("", "2", restore="1")
    told = await (await house.client.get("/api/meetings/nova/agenda")).json()
    assert [(one["version"], one["author"], one["text"]) for one in told] == [
        (3, "ann", "Bugs\nReviews of change 42"),
        (2, "ann", "Bugs\nRelease"),
        (1, "ann", "Bugs\nReviews of change 42"),
    ]


async def test_who_was_slower_keeps_the_text_and_overwrites_nobody(house: House) -> None:
    await house.write("First", "0")
    page = await house.write("Mine <b>", "0", status=409)
    assert "Somebody else changed the agenda meanwhile. It is shown as it is now; your text is below" in page
    assert "<p>First</p>" in page
    assert "Mine &lt;b&gt;</textarea>" in page
    assert '<input type="hidden" name="version" value="1">' in page
    await house.write("Mine", "1")
    assert "<p>Mine</p>" in await house.get()


async def test_a_text_that_stays_is_no_version(house: House) -> None:
    await house.write("Same", "0")
    await house.write("Same\n", "1")
    assert "Version 2" not in await house.get()


async def test_strangers_read_and_do_not_write(house: House) -> None:
    answer = await house.client.post(PAGE, data={"text": "x", "version": "0"})
    assert answer.status == 401
    assert "<textarea" not in await house.get()


async def test_hostile_texts_are_texts(house: House) -> None:
    await house.write("<script>alert(1)</script>\njavascript:alert(1) https://x.org/<b>", "0")
    page = await house.get()
    assert "<script>alert" not in page
    assert 'href="javascript' not in page
    assert '<a href="https://x.org/"' in page


@pytest.mark.parametrize(
    ("text", "version", "says"),
    [
        ("x" * 70_000, "0", "An agenda is text of at most 64 KiB and 2000 lines. Put what is longer elsewhere"),
        ("\n" * 3000 + "x", "0", "An agenda is text of at most 64 KiB and 2000 lines."),
        ("x", "", "There is no such version of the agenda of nova."),
        ("x", "-1", "There is no such version of the agenda of nova."),
        ("x", "9" * 30, "There is no such version of the agenda of nova."),
    ],
)
async def test_what_cannot_be_kept_is_refused(house: House, text: str, version: str, says: str) -> None:
    assert says in await house.write(text, version, status=400)


@pytest.mark.parametrize("query", ["?version=7", "?version=x", "?old=1&new=2", "?version=" + "9" * 40])
async def test_versions_that_there_are_not_are_not_found(house: House, query: str) -> None:
    assert "There is no such version of the agenda of nova." in await house.get(PAGE + query, 404)


@pytest.mark.parametrize("name", ["other", "Nova", "a%2fb", "%F0%9F%98%80"])
async def test_meetings_that_nobody_knows_have_no_agenda(house: House, name: str) -> None:
    assert "none is planned or was held" in await house.get(f"/meetings/{name}/agenda", 404)
    assert (await house.client.get(f"/api/meetings/{name}/agenda")).status == 404
