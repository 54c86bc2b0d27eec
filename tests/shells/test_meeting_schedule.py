# SPDX-License-Identifier: Apache-2.0
"""The schedule as pages, calendars and programs get it."""

from __future__ import annotations

import io
import json
import shutil
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from gatebot.clock import SystemClock
from gatebot.db import Database
from gatebot.identity import Identity
from gatebot.meetbot.schedule.rest import ScheduleRest
from gatebot.meetbot.schedule.tip import Tip
from gatebot.repo import Repositories
from gatebot.settings import load
from gatebot.site import Site
from tests.fakes.clock import FakeClock

NOW = datetime(2026, 11, 29, 12, 0, tzinfo=UTC)
NOVA = """\
project: Nova
chair: Ann
description: d
schedule: [{time: '1400', day: Thursday, irc: c, frequency: weekly}]
"""


@pytest.fixture
async def client(migrated_sqlite: Path, tmp_path: Path) -> AsyncIterator[TestClient[web.Request, web.Application]]:
    """A site with nothing but the check of files."""
    shutil.copyfile(migrated_sqlite, tmp_path / "gatebot.db")
    db = Database.open(f"sqlite:///{tmp_path / 'gatebot.db'}", durable=False)
    site = Site(load("", "gatebot.toml"), Identity(db, SystemClock()))
    app = web.Application(middlewares=[*site.middlewares()])
    tip = Tip(Repositories(tmp_path / "git"), "", "", "meetings")
    app.add_routes(ScheduleRest(db, FakeClock(NOW), tip).routes())
    async with TestClient(TestServer(app)) as opened:
        yield opened
    await db.close()


async def test_programs_may_have_files_checked(client: TestClient[web.Request, web.Application]) -> None:
    files = {"m/a.yaml": NOVA, "m/b.yaml": NOVA.replace("1400", "1430"), "m/c.yaml": "\udcff"}
    answer = await (await client.post("/api/meetings/check", json={"files": files})).json()
    assert answer["meetings"] == 2
    assert [(one["file"], one["line"], one["message"][:40]) for one in answer["problems"]] == [
        ("m/c.yaml", 1, "This line is not UTF-8. Save the file as"),
        ("m/b.yaml", 4, "“Nova” (14:30-15:30 UTC) is in the way o"),
    ]


@pytest.mark.parametrize(
    "body",
    [
        "", "[]", "[" * 100_000, '{"files": []}', '{"files": {"a": 1}}', '{"files": {}, "months": 0}',
        '{"files": {}, "months": true}', '{"files": {"a": "\\ud800"}}',
        json.dumps({"files": {str(n): "" for n in range(501)}}),
    ],
)  # fmt: skip
async def test_what_is_no_question_is_refused(client: TestClient[web.Request, web.Application], body: str) -> None:
    answer = await client.post("/api/meetings/check", data=body)
    assert answer.status == 400
    assert await answer.text() == (
        "Send JSON: a table `files` of paths and texts, at most 500 of them, and optionally `months` from 1 to 240.\n"
    )


async def test_more_than_fits_into_a_directory_is_refused(client: TestClient[web.Request, web.Application]) -> None:
    assert (await client.post("/api/meetings/check", data=io.BytesIO(b" " * (513 * 1024)))).status == 400


async def test_nobody_makes_the_site_compare_for_minutes(client: TestClient[web.Request, web.Application]) -> None:
    times = "".join(f"- {{time: '{hour:02}00', day: Monday, irc: busy, frequency: weekly}}\n" for hour in range(24))
    text = "project: p{n}\nchair: ann\ndescription: talk\nschedule:\n" + times
    files = {f"meetings/m{n}.yaml": text.replace("{n}", str(n)) for n in range(60)}
    answer = await client.post("/api/meetings/check", json={"files": files})
    assert (answer.status, await answer.text()) == (
        400,
        "These are more times at once than are compared for anybody."
        " Run where the files are: gatebot meeting check DIR\n",
    )
