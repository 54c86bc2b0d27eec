# SPDX-License-Identifier: Apache-2.0
"""Logs as files and over HTTP: by line, by range, live with resume; artifacts that strangers wrote."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from gatebot.errors import GatebotError, NotFound, http_status
from gatebot.executor.logs import Logs, LogWriter
from gatebot.executor.model import Sizes
from gatebot.executor.rest import routes
from gatebot.executor.scrub import Scrubber
from tests.fakes.clock import FakeClock

BUILD = "ab" * 16
STAMP = "2026-01-05 09:00:00.000000 | "


@pytest.fixture
def logs(tmp_path: Path) -> Logs:
    return Logs(tmp_path, FakeClock())


@pytest.fixture
def writer(logs: Logs) -> LogWriter:
    return logs.open(BUILD, Scrubber({"p": {"s": "hidden-value"}}))


def test_lines_are_whole_however_the_output_came(logs: Logs, writer: LogWriter) -> None:
    printed, beside = writer.stream(), writer.stream()
    for piece in (b"one\ntw", b"o hidden-", b"value\n10%\r50%\r100%\nlast"):
        printed(piece)
        beside(b"")
    writer.say("gatebot speaks")
    logs.close(BUILD)
    assert logs.lines(BUILD, 1, 9) == [STAMP + text for text in ("one", "two *****", "100%", "last", "gatebot speaks")]
    assert logs.lines(BUILD, 2, 1) == [f"{STAMP}two *****"]
    assert (logs.line_count(BUILD), logs.offset(BUILD, 2)) == (5, len(STAMP) + 4)


def test_a_log_goes_on_after_a_restart_and_an_endless_line_is_cut(logs: Logs, writer: LogWriter) -> None:
    writer.stream()(b"before\n")
    logs.close(BUILD)
    again = logs.open(BUILD, Scrubber({}))
    again.stream()(b"x" * 200_000)
    logs.close(BUILD)
    assert logs.lines(BUILD, 1, 1) == [f"{STAMP}before"]
    assert max(len(line) for line in logs.lines(BUILD, 1, 99)) <= 64 * 1024 + len(STAMP)


def test_a_secret_is_covered_also_where_an_endless_line_is_cut(logs: Logs, writer: LogWriter) -> None:
    printed = writer.stream()
    printed(b"x" * (64 * 1024 - 5) + b"hidden")
    printed(b"-value" + b"y" * 64 * 1024 + b"\n")
    logs.close(BUILD)
    text = "".join(line.partition(" | ")[2] for line in logs.lines(BUILD, 1, 99))
    assert "hidden" not in text
    assert "x*****y" in text


def test_two_commands_that_print_at_once_do_not_mix_their_lines(logs: Logs, writer: LogWriter) -> None:
    daemon, step = writer.stream(), writer.stream()
    daemon(b"listening on ")
    step(b"one\n")
    daemon(b"port 80\n")
    logs.close(BUILD)
    daemon(b"too late\n")
    assert logs.lines(BUILD, 1, 9) == [f"{STAMP}one", f"{STAMP}listening on port 80"]


async def test_a_follower_gets_what_is_there_and_what_comes_until_the_end(logs: Logs, writer: LogWriter) -> None:
    writer.stream()(b"first\n")
    followed = logs.follow(BUILD, 0)
    offset, piece = await anext(followed)
    assert piece == f"{STAMP}first\n".encode()
    waiting = asyncio.ensure_future(anext(followed))
    await asyncio.sleep(0)
    writer.stream()(b"second\n")
    assert await waiting == (2 * offset + 1, f"{STAMP}second\n".encode())
    logs.close(BUILD)
    assert [piece async for _, piece in logs.follow(BUILD, offset)] == [f"{STAMP}second\n".encode()]
    with pytest.raises(StopAsyncIteration):
        await anext(followed)


@pytest.fixture
async def client(logs: Logs) -> AsyncIterator[TestClient[web.Request, web.Application]]:
    @web.middleware
    async def errors(request: web.Request, handler: object) -> web.StreamResponse:
        try:
            return await handler(request)  # type: ignore[operator]
        except GatebotError as problem:
            return web.Response(status=http_status(problem), text=str(problem))

    async def allowed(_: web.Request, build: str) -> None:
        if build != BUILD:
            raise NotFound("There is no such build.")

    application = web.Application(middlewares=[errors])
    application.add_routes(routes(logs, allowed))
    async with TestClient(TestServer(application)) as made:
        yield made


async def test_a_part_of_a_log_is_served_by_range_and_by_line(
    logs: Logs, writer: LogWriter, client: TestClient[web.Request, web.Application]
) -> None:
    writer.stream()(b"one\ntwo\n")
    logs.close(BUILD)
    part = await client.get(f"/logs/{BUILD}/job-output.txt", headers={"Range": "bytes=-4"})
    assert (part.status, await part.text()) == (206, "two\n")
    assert part.headers["Content-Type"] == "text/plain; charset=utf-8"
    lines = await client.get(f"/api/build/{BUILD}/log/lines?first=2&count=5")
    assert await lines.json() == {"first": 2, "lines": [f"{STAMP}two"], "total": 2}


async def test_a_live_log_resumes_at_the_last_event_and_says_its_end(
    logs: Logs, writer: LogWriter, client: TestClient[web.Request, web.Application]
) -> None:
    writer.stream()(b"one\n")
    offset = logs.size(BUILD)
    headers = {"Accept": "text/event-stream", "Last-Event-ID": str(offset)}
    response = await client.get(f"/api/build/{BUILD}/log?offset=0", headers=headers)
    writer.stream()(b"two\n")
    logs.close(BUILD)
    told = (await response.text()).split("\n\n")
    assert json.loads(told[0].partition("data: ")[2]) == f"{STAMP}two\n"
    assert told[1].splitlines()[1] == "event: end"


async def test_what_a_stranger_left_cannot_act_in_the_readers_browser(
    logs: Logs, writer: LogWriter, client: TestClient[web.Request, web.Application]
) -> None:
    logs.close(BUILD)
    page = logs.directory(BUILD) / "artifacts/index.html"
    page.parent.mkdir()
    page.write_text("<script>alert(1)</script>")
    response = await client.get(f"/logs/{BUILD}/artifacts/index.html")
    assert response.status == 200
    assert response.headers["Content-Security-Policy"].startswith("sandbox;")
    assert response.headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize(
    "path",
    [
        f"/logs/{BUILD}/../../etc/passwd",
        f"/logs/{BUILD}/%2e%2e/%2e%2e/etc/passwd",
        f"/logs/{BUILD}/.job-output.index",
        f"/logs/{BUILD}/artifacts",
        f"/logs/{'cd' * 16}/job-output.txt",
        "/logs/nothing/job-output.txt",
    ],
)
async def test_nothing_but_the_builds_own_files_is_served(
    path: str, writer: LogWriter, logs: Logs, client: TestClient[web.Request, web.Application]
) -> None:
    logs.close(BUILD)
    assert (await client.get(path)).status == 404


def test_a_log_ends_at_its_limit_and_says_which(tmp_path: Path) -> None:
    logs = Logs(tmp_path, FakeClock(), Sizes(log=2 * 1024**2))
    written = logs.open(BUILD, Scrubber({}))
    for _ in range(300):
        written.stream()(b"x" * 10_000 + b"\n")
    logs.close(BUILD)
    assert logs.lines(BUILD, logs.line_count(BUILD), 1) == [
        f"{STAMP}gatebot: the log reached 2 MiB (logs.max_log); what the job prints from here on is dropped."
    ]
    assert (logs.size(BUILD) or 0) < 2.1 * 1024**2
