# SPDX-License-Identifier: Apache-2.0
"""The whole bot on real IRC servers: a meeting, a restart in its middle, a server that dies and comes back."""

from __future__ import annotations

import asyncio
import contextlib
import re
import shutil
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from gatebot.clock import SystemClock
from gatebot.db import Database
from gatebot.meetbot import archive
from gatebot.meetbot.irc.client import Client
from gatebot.meetbot.irc.model import Network
from gatebot.meetbot.model import Setting
from gatebot.meetbot.service import Meetbot
from tests.fakes.irc import Embedded, Friend, NgIrcd, Server, certificate
from tests.programs import need

CHANNEL = "#gatebot-meeting"


@pytest.fixture(params=["embedded", "ngircd"])
def server(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Server]:
    """A running IRC server."""
    server: Server = Embedded() if request.param == "embedded" else NgIrcd(need("ngircd"), tmp_path)
    server.start()
    yield server
    server.stop()


@pytest.fixture
def encrypted(tmp_path: Path) -> Iterator[NgIrcd]:
    """ngIRCd that speaks TLS."""
    server = NgIrcd(need("ngircd"), tmp_path, certificate(need("openssl"), tmp_path, "server")[0])
    server.start()
    yield server
    server.stop()


@contextlib.asynccontextmanager
async def running(url: str, folder: Path, port: int, authority: Path | None = None) -> AsyncIterator[Meetbot]:
    """The bot, from its start to its end."""
    database, clock = Database.open(url, durable=False), SystemClock()
    bot = Meetbot(database, folder / "meetings", Setting(prefix="http://x/meetings"), clock)
    tls = {"tls": authority is not None, "authority": str(authority or "")}
    network = Network("127.0.0.1", port, **tls, channels=(CHANNEL,), burst=20, rate=20, patience=0.05)  # type: ignore[arg-type]
    client = Client(network, bot.hear, clock)
    bot.plug(network.name, client)
    tasks = [asyncio.create_task(bot.run()), asyncio.create_task(client.run())]
    try:
        yield bot
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await database.close()


@pytest.fixture
def url(migrated_sqlite: Path, tmp_path: Path) -> str:
    """A database of the test's own."""
    shutil.copyfile(migrated_sqlite, tmp_path / "bot.db")
    return f"sqlite:///{tmp_path / 'bot.db'}"


async def test_two_people_hold_a_meeting_and_its_minutes_are_written(server: Server, url: str, tmp_path: Path) -> None:
    async with running(url, tmp_path, server.port):
        ann = await Friend.connect(server.port, "ann", CHANNEL)
        bob = await Friend.connect(server.port, "bob", CHANNEL)
        await ann.meets("gatebot")
        ann.say(CHANNEL, "#startmeeting Gate Sync")
        await bob.sees("The meeting name has been set to 'gate_sync'")
        bob.say(CHANNEL, "#action bob reviews change 42", "#info 회의를 시작합니다")
        bob.send(b"PRIVMSG " + CHANNEL.encode() + b" :#info \xc8\xb8\xc0\xc7 cp949")
        await ann.sees("cp949")
        ann.say(CHANNEL, "#topic Next", "#endmeeting")
        log = await bob.sees("Log:            http://x/meetings/gate_sync/")
        base = log.rsplit("/meetings/", 1)[1].removesuffix(".log.html")
        text = (tmp_path / "meetings" / f"{base}.txt").read_text()
        assert "* ACTION: bob reviews change 42  (bob," in text
        assert "* 회의 cp949  (bob," in text
        assert "* Next  (ann," in text
        log_text = (tmp_path / "meetings" / f"{base}.log.txt").read_text()
        assert log_text.splitlines()[-1].endswith("<ann> #endmeeting")
        assert "<gatebot> The meeting name has been set to 'gate_sync'" in log_text
        await asyncio.gather(ann.close(), bob.close())


async def test_over_tls_long_texts_arrive_whole(encrypted: NgIrcd, url: str, tmp_path: Path) -> None:
    assert encrypted.tls_port is not None
    async with running(url, tmp_path, encrypted.tls_port, encrypted.authority) as bot:
        ann = await Friend.connect(encrypted.port, "ann", CHANNEL)
        await ann.meets("gatebot")
        text = " ".join(f"인스턴스{number}" for number in range(60))
        bot.say("irc", CHANNEL, text)
        parts: list[str] = []
        while " ".join(parts) != text:
            line = await ann.sees("PRIVMSG")
            assert "[CUT]" not in line
            parts.append(line.partition(" :")[2])
        assert len(parts) > 1
        await ann.close()


async def test_a_restart_in_mid_meeting_goes_on_with_it(server: Server, url: str, tmp_path: Path) -> None:
    async with running(url, tmp_path, server.port):
        ann = await Friend.connect(server.port, "ann", CHANNEL)
        await ann.meets("gatebot")
        ann.say(CHANNEL, "#startmeeting Long", "#info before")
        await ann.sees("The meeting name has been set to 'long'")
    async with running(url, tmp_path, server.port):
        assert re.search(r"I was away from \S+ to \S+ UTC\. Say again what counts", await ann.sees("I was away"))
        ann.say(CHANNEL, "#info after", "#endmeeting")
        log = await ann.sees("Log: ")
        base = log.rsplit("/meetings/", 1)[1].removesuffix(".log.html")
        text = (tmp_path / "meetings" / f"{base}.txt").read_text()
        assert text.index("* before  (ann,") < text.index("* after  (ann,") < text.index("Missing in the log")
        assert "<gatebot> I was away from " in (tmp_path / "meetings" / f"{base}.log.txt").read_text()
        await ann.close()


async def test_the_bot_comes_back_after_the_server_was_killed(server: Server, url: str, tmp_path: Path) -> None:
    async with running(url, tmp_path, server.port) as bot:
        ann = await Friend.connect(server.port, "ann", CHANNEL)
        await ann.meets("gatebot")
        ann.say(CHANNEL, "#startmeeting Stormy")
        await ann.sees("The meeting name has been set to 'stormy'")
        server.stop()
        await ann.close()
        server.start()
        ann = await Friend.connect(server.port, "ann", CHANNEL)
        await ann.meets("gatebot")
        ann.say(CHANNEL, "#endmeeting")
        await ann.sees("Log: ")
        await bot.settled()
        await ann.close()
    database = Database.open(url)
    rows = await database.read(archive.meetings)
    assert [(row.name, row.ended is not None) for row in rows] == [("stormy", True)]
    await database.close()
