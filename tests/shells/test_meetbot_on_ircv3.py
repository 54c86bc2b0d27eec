# SPDX-License-Identifier: Apache-2.0
"""The bot on a modern network: logged in before it joins, chairs by account, nothing lost when the network breaks."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import ssl
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from gatebot.clock import SystemClock
from gatebot.db import Database
from gatebot.meetbot import archive
from gatebot.meetbot.irc.client import Client
from gatebot.meetbot.irc.history import FILLED, GAP, LOST
from gatebot.meetbot.irc.model import Network
from gatebot.meetbot.irc.stream import Stream
from gatebot.meetbot.model import Act, Line, Reply, Setting
from gatebot.meetbot.service import Meetbot
from tests.fakes.irc import certificate
from tests.fakes.ircv3 import Ircv3
from tests.programs import need

CHANNEL = "#gate"


@pytest.fixture
def url(migrated_sqlite: Path, tmp_path: Path) -> str:
    """A database of the test's own."""
    shutil.copyfile(migrated_sqlite, tmp_path / "bot.db")
    return f"sqlite:///{tmp_path / 'bot.db'}"


@contextlib.asynccontextmanager
async def running(url: str, folder: Path, network: Network) -> AsyncIterator[tuple[Meetbot, Client, Database]]:
    """The bot, from its start to its end."""
    database, clock = Database.open(url, durable=False), SystemClock()
    bot = Meetbot(database, folder / "meetings", Setting(prefix="http://x/meetings"), clock)
    client = Client(network, bot.hear, clock, lambda: database.read(archive.marks, network.name))
    bot.plug(network.name, client)
    tasks = [asyncio.create_task(bot.run()), asyncio.create_task(client.run())]
    try:
        yield bot, client, database
    finally:
        tasks[1].cancel()
        await asyncio.gather(tasks[1], return_exceptions=True)
        await bot.settled()
        tasks[0].cancel()
        await asyncio.gather(tasks[0], return_exceptions=True)
        await database.close()


def network(server: Ircv3, **more: object) -> Network:
    """Where the server is, with the bot's login."""
    plain = Network(
        "127.0.0.1", server.port, tls=False, channels=(CHANNEL,), burst=50, rate=50, patience=0.05,
        account="gatebot", secret="sesame",
    )  # fmt: skip
    return plain if not more else Network(**({name: getattr(plain, name) for name in plain.__slots__} | more))  # type: ignore[arg-type]


async def log_of(bot: Meetbot, database: Database) -> list[Line]:
    """All lines of the channel so far."""
    await bot.settled()
    found: list[Line] = []
    for day, _ in reversed(await database.read(archive.days, CHANNEL)):
        found += await database.read(archive.lines_of_day, CHANNEL, day)
    return found


async def test_it_logs_in_before_it_joins_a_channel_for_the_registered_and_sets_topics_through_services(
    url: str, tmp_path: Path
) -> None:
    async with Ircv3() as server, running(url, tmp_path, network(server, chanserv=True)) as (_, client, _db):
        await server.sees(f"JOIN {CHANNEL}")
        told = [line.split(" ")[0] for line in server.received]
        assert told[:7] == ["CAP", "NICK", "USER", "CAP", "AUTHENTICATE", "AUTHENTICATE", "CAP"]
        assert "477" not in client.health().problem
        client.send(CHANNEL, Reply("welcome, all", Act.TOPIC))
        await server.sees(f"PRIVMSG ChanServ :TOPIC {CHANNEL} welcome, all")


async def test_what_was_said_while_the_network_was_broken_is_in_the_log_and_in_the_meeting(
    url: str, tmp_path: Path
) -> None:
    server = Ircv3()
    server.page = 2
    async with server, running(url, tmp_path, network(server)) as (bot, _, database):
        await server.sees(f"JOIN {CHANNEL}")
        server.say("ann", "#startmeeting Stormy", "#info before", account="ann")
        await server.sees("The meeting name has been set")
        await server.sees("PRIVMSG #gate :Useful Commands")
        server.drop()
        server.say("ann", *(f"#info missed {number}" for number in range(5)), account="ann")
        seen = len(server.received)
        await server.sees("CHATHISTORY AFTER", seen)
        server.say("ann", "#endmeeting", account="ann")
        log = await server.sees("Log:  ")
        minutes = (tmp_path / "meetings" / log.rsplit("/meetings/", 1)[1].replace(".log.html", ".txt")).read_text()
        places = [minutes.index(f"* {text}  (ann,") for text in ("before", *(f"missed {n}" for n in range(5)))]
        assert places == sorted(places)
        lines = await log_of(bot, database)
        texts = [line.text for line in lines if line.nick == "ann"]
        assert texts == [said.text for said in server.kept if said.nick == "ann"]
        assert [line.text for line in lines if not line.nick] == [GAP, LOST, FILLED]


async def test_a_restart_fills_what_was_said_meanwhile_and_keeps_nothing_twice(url: str, tmp_path: Path) -> None:
    async with Ircv3() as server:
        async with running(url, tmp_path, network(server)) as (bot, _, database):
            await server.sees(f"JOIN {CHANNEL}")
            server.say("bob", "one", "[nolog] secret", account="bob")
            server.say("bob", "two")
            await log_of(bot, database)
            while not any(line.text == "two" for line in await log_of(bot, database)):
                await asyncio.sleep(0)
        server.say("bob", "three", "two")
        seen = len(server.received)
        async with running(url, tmp_path, network(server)) as (bot, _, database):
            await server.sees("CHATHISTORY AFTER", seen)
            while not any(line.text == FILLED for line in await log_of(bot, database)):
                await asyncio.sleep(0)
            texts = [line.text for line in await log_of(bot, database) if line.nick == "bob"]
            assert texts == ["one", "two", "three", "two"]


async def test_who_takes_the_chairs_nick_does_not_take_the_chair(url: str, tmp_path: Path) -> None:
    async with Ircv3() as server, running(url, tmp_path, network(server)) as (bot, _, database):
        await server.sees(f"JOIN {CHANNEL}")
        server.say("ann", "#startmeeting Safe", account="ann")
        await server.sees("The meeting name has been set")
        server.say("ann", "#endmeeting", account="mallory")
        server.say("ann", "#topic stolen")
        server.send(":ann!u@host.example NICK ann_away")
        server.say("ann_away", "#topic mine", "#endmeeting", account="ann")
        await server.sees("Log:  ")
        await bot.settled()
        (row,) = await database.read(archive.meetings)
        minutes = await database.read(archive.minutes, row, bot.ways)
        assert [item.text for item in minutes.items] == ["mine"]


async def test_its_own_words_are_logged_as_the_channel_saw_them(url: str, tmp_path: Path) -> None:
    async with Ircv3() as server, running(url, tmp_path, network(server)) as (bot, _, database):
        await server.sees(f"JOIN {CHANNEL}")
        server.say("ann", "#startmeeting Echo", account="ann")
        await server.sees("The meeting name has been set")
        while sum(line.own for line in await log_of(bot, database)) < 3:
            await asyncio.sleep(0)
        own = [line for line in await log_of(bot, database) if line.own]
        assert [line.msgid != "" for line in own] == [False] * 3  # Read from the archive, which keeps it for itself.
        assert [line.text for line in own] == [said.text for said in server.kept if said.nick == "gatebot"]


async def test_a_taken_nick_is_had_back_as_soon_as_it_is_free(url: str, tmp_path: Path) -> None:
    async with Ircv3() as server:
        server.taken.add("gatebot")
        async with running(url, tmp_path, network(server)):
            await server.sees("MONITOR + gatebot")
            assert "NICK gatebot_" in server.received
            assert "PRIVMSG NickServ :REGAIN gatebot" in server.received
            server.taken.clear()
            seen = len(server.received)
            server.send(":s 731 gatebot_ :gatebot!x@y")
            await server.sees("NICK gatebot", seen)
            await server.sees("MONITOR - gatebot", seen)


async def test_it_logs_in_by_its_certificate_to_the_very_server_it_knows(url: str, tmp_path: Path) -> None:
    openssl = need("openssl")
    (theirs, seen), (ours, _) = certificate(openssl, tmp_path, "server"), certificate(openssl, tmp_path, "gatebot")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(theirs)
    context.load_verify_locations(ours)
    context.verify_mode = ssl.CERT_OPTIONAL
    async with Ircv3(tls=context) as server:
        how = {"tls": True, "external": True, "certificate": str(ours), "account": "", "secret": ""}
        async with running(url, tmp_path, network(server, **how)) as (_, client, _db):
            while "not trusted" not in client.health().problem:
                await asyncio.sleep(0)
            assert "the server's certificate is not trusted: self-signed certificate" in client.health().problem
        wrong = network(server, **how, fingerprint="0" * 64)
        async with running(url, tmp_path, wrong) as (_, client, _db):
            while not client.health().problem:
                await asyncio.sleep(0)
            expected = f"the server's certificate is another one: its fingerprint is {seen}"
            assert client.health().problem == expected
        for known in ({"fingerprint": seen.upper()}, {"authority": str(theirs)}):
            start = len(server.received)
            async with running(url, tmp_path, network(server, **how, **known)):
                await server.sees(f"JOIN {CHANNEL}", start)
                assert "AUTHENTICATE EXTERNAL" in server.received[start:]


async def test_a_connection_that_breaks_is_no_defect_of_the_bot(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(_: Stream) -> None:
        raise ConnectionResetError(104, "Connection reset by peer")

    monkeypatch.setattr(Stream, "read", broken)
    async with Ircv3() as server, running(url, tmp_path, network(server, patience=600)) as (_, client, _db):
        while not client.health().problem:
            await asyncio.sleep(0)
        assert client.health().problem == "[Errno 104] Connection reset by peer"
