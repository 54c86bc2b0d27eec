# SPDX-License-Identifier: Apache-2.0
"""What is no HTTP, or too much of it, over a plain socket: a short answer in words, and no error in the log."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp import web

from gatebot.clock import SystemClock
from gatebot.db import Database
from gatebot.hearing import Runner
from gatebot.identity import Identity
from gatebot.settings import load
from gatebot.site import Site

HEAD = b"GET / HTTP/1.1\r\nHost: review.example.org\r\n"
POST = b"POST /changes/ HTTP/1.1\r\nHost: review.example.org\r\n"
TOO_LONG = "The address is longer than 16384 bytes. Ask for less at once, or send it as a body.\n"
LARGE = "A header is longer than 16384 bytes. Leave it out, or delete this site's cookies.\n"
MANY = "There are more than 128 headers. Send fewer.\n"
TLS = "This is HTTPS, and here HTTP is spoken. Write http:// in the address, or ask which port has HTTPS.\n"
BROKEN = "This is not HTTP/1.1 as it is written down, so nothing was done. Check the client, or a proxy before it.\n"
UNPACKED = "The body is not what its Content-Encoding or Transfer-Encoding says, so nothing was done. Send it anew.\n"


@pytest.fixture
async def port(migrated_sqlite: Path) -> AsyncIterator[int]:
    """Where a site listens that reads every body."""

    async def read(request: web.Request) -> web.Response:
        return web.Response(text=f"{len(await request.read())} bytes, {len(request.path_qs)} of address")

    db = Database.open(f"sqlite:///{migrated_sqlite}")
    site = Site(load("", "gatebot.toml"), Identity(db, SystemClock()))
    application = web.Application(middlewares=list(site.middlewares()))
    application.router.add_route("*", "/{path:.*}", read)
    runner = Runner(application, 1.0)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield runner.addresses[0][1]
    await runner.cleanup()
    await db.close()


async def say(port: int, *parts: bytes) -> tuple[int, str]:
    """The status and the text of the answer to these bytes."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        for part in parts:
            writer.write(part)
            await writer.drain()
        head, _, text = (await asyncio.wait_for(reader.read(4096), 10)).decode().partition("\r\n\r\n")
        return int(head.split(" ")[1]), text
    finally:
        writer.close()


@pytest.mark.parametrize(
    ("said", "status", "words"),
    [
        (b"GET /q/" + b"a" * 17_000 + b" HTTP/1.1\r\nHost: a\r\n\r\n", 414, TOO_LONG),
        (b"GET /changes/?q=" + b"a" * 900_000 + b" HTTP/1.1\r\nHost: a\r\n\r\n", 414, TOO_LONG),
        (b"GET /q/" + b"a" * 17_000, 414, TOO_LONG),
        (HEAD + b"Cookie: " + b"a" * 17_000 + b"\r\n\r\n", 431, LARGE),
        (HEAD + b"X" * 17_000 + b": a\r\n\r\n", 431, LARGE),
        (HEAD + b"".join(b"X-%d: a\r\n" % n for n in range(200)) + b"\r\n", 431, MANY),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03abc\r\n\r\n", 400, TLS),
        (b"SSH-2.0-OpenSSH_9.2\r\n", 400, BROKEN),
        (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400, BROKEN),
        (b"GET / HTTP/1.1\nHost: a\n\n", 400, BROKEN),
        (b"GET http://a:99999999/ HTTP/1.1\r\nHost: a\r\n\r\n", 400, BROKEN),
        (HEAD + b"without a colon\r\n\r\n", 400, BROKEN),
        (HEAD + b"X: a\0b\r\n\r\n", 400, BROKEN),
        (POST + b"Content-Length: -5\r\n\r\n", 400, BROKEN),
        (POST + b"Content-Length: 3\r\nContent-Length: 4\r\n\r\nabcd", 400, BROKEN),
        (POST + b"Transfer-Encoding: chunked\r\n\r\nzz\r\nabc\r\n0\r\n\r\n", 400, BROKEN),
        (POST + b"Content-Encoding: br\r\nContent-Length: 4\r\n\r\nabcd", 400, BROKEN),
        (POST + b"Content-Encoding: gzip\r\nContent-Length: 4\r\n\r\nabcd", 400, UNPACKED),
    ],
)
async def test_it_is_told_what_is_wrong_and_what_to_do(
    port: int, caplog: pytest.LogCaptureFixture, said: bytes, status: int, words: str
) -> None:
    with caplog.at_level(logging.INFO):
        assert await say(port, said) == (status, words)
        assert await say(port, HEAD + b"Connection: close\r\n\r\n") == (200, "0 bytes, 1 of address")
    assert [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING] == []
    assert not any(record.exc_info for record in caplog.records)


async def test_an_address_as_long_as_gerrit_takes_is_heard(port: int) -> None:
    asked = b"/changes/?q=" + b"%20OR%20".join(b"commit:" + b"a" * 40 for _ in range(250))
    assert len(asked) < 16_384
    answer = await say(port, b"GET " + asked + b" HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
    assert answer == (200, f"0 bytes, {len(asked)} of address")
