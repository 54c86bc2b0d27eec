# SPDX-License-Identifier: Apache-2.0
"""Speaking in a channel from its page: people on IRC read it, meetings obey it, the log has it under its nick."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from gatebot.clock import SystemClock
from gatebot.db import Database
from gatebot.identity import Identity
from gatebot.meetbot import archive
from gatebot.meetbot.irc.client import Client
from gatebot.meetbot.irc.model import Network
from gatebot.meetbot.irc.pages import LogPages
from gatebot.meetbot.model import Setting
from gatebot.meetbot.service import Meetbot
from gatebot.meetbot.webchat.pages import WebChat
from gatebot.settings import load
from gatebot.site import Site
from tests.fakes.irc import Embedded, Friend
from tests.fakes.ircv3 import Ircv3

CHANNEL, SAY, API = "#gate", "/irclogs/%23gate/say", "/api/irclogs/%23gate/say"


@dataclass
class House:
    """A site whose bot is in the channel; `allowed` is the setting `web_chat`."""

    client: TestClient[web.Request, web.Application]
    bot: Meetbot
    db: Database
    token: str
    allowed: str = "everybody"

    async def texts(self) -> list[tuple[str, str]]:
        """Who said what, as the log has it."""
        await self.bot.settled()
        days = await self.db.read(archive.days, CHANNEL)
        lines = [line for day, _ in days for line in await self.db.read(archive.lines_of_day, CHANNEL, day)]
        return [(line.nick, line.text) for line in lines if line.kind.value == "said"]

    async def say(self, text: str, nick: str = "", *, account: bool = False) -> tuple[int, str]:
        """By REST."""
        headers = {"Authorization": f"Bearer {self.token}"} if account else {}
        answer = await self.client.post(API, json={"text": text, "nick": nick}, headers=headers)
        return answer.status, await answer.text()


async def housed(url: str, folder: Path, port: int, **login: str) -> AsyncIterator[House]:
    """The site and its bot, until both end."""
    db, clock = Database.open(url, durable=False), SystemClock()
    identity = Identity(db, clock)
    site = Site(load("", "gatebot.toml"), identity)
    ann = await identity.create("ann", name="Ann", email="ann@example.org")
    token = await identity.create_token(ann.id, "t")
    bot = Meetbot(db, folder / "meetings", Setting(prefix="http://x/meetings"), clock)
    network = Network("127.0.0.1", port, tls=False, channels=(CHANNEL,), burst=20, rate=20, patience=0.05, **login)  # type: ignore[arg-type]
    irc = Client(network, bot.hear, clock)
    bot.plug(network.name, irc)
    tasks = [asyncio.create_task(bot.run()), asyncio.create_task(irc.run())]
    app = web.Application(middlewares=[*site.middlewares()])
    chat = WebChat(site, clock, bot.speaker, lambda: [irc.health()], lambda _: house.allowed)
    app.add_routes([*chat.routes(), *LogPages(site, db, spoken_in=chat.place).routes()])
    async with TestClient(TestServer(app)) as client:
        house = House(client, bot, db, token)
        yield house
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    await db.close()


@pytest.fixture
def url(migrated_sqlite: Path, tmp_path: Path) -> str:
    """A database of the test's own."""
    shutil.copyfile(migrated_sqlite, tmp_path / "bot.db")
    return f"sqlite:///{tmp_path / 'bot.db'}"


async def test_a_guest_and_a_person_with_an_account_take_part_in_a_meeting(url: str, tmp_path: Path) -> None:
    server = Embedded()
    server.start()
    async for house in housed(url, tmp_path, server.port):
        bob = await Friend.connect(server.port, "bob", CHANNEL)
        await bob.meets("gatebot")
        bob.say(CHANNEL, "#startmeeting Open House")
        await bob.sees("The meeting name has been set")
        page = await (await house.client.get("/irclogs/%23gate/latest.log.html")).text()
        assert 'action="/irclogs/%23gate/say"' in page
        answer = await house.client.post(SAY, data={"text": "#info 안녕하세요", "nick": "민수"}, allow_redirects=False)
        assert (answer.status, answer.headers["Location"]) == (303, "/irclogs/%23gate/latest.log.html#say")
        assert "PRIVMSG #gate :<민수/guest> #info 안녕하세요" in await bob.sees("민수")
        told = await house.client.post(
            SAY, data={"text": " I  stay ", "nick": "민수"}, headers={"Accept": "application/json"}
        )
        assert (told.status, await told.json()) == (202, {"nick": "민수/guest", "text": "I stay"})
        assert await house.say("#endmeeting", account=True) == (202, '{"nick": "ann/web"}')
        await bob.sees("<ann/web> #endmeeting")
        bob.say(CHANNEL, "#endmeeting")
        await bob.sees("Log: ")
        assert ("민수/guest", "#info 안녕하세요") in await house.texts()
        assert ("ann/web", "#endmeeting") in await house.texts()
        (row,) = await house.db.read(archive.meetings)
        minutes = await house.db.read(archive.minutes, row, house.bot.ways)
        assert [(item.nick, item.text) for item in minutes.items] == [("민수/guest", "안녕하세요")]
        await bob.close()
    server.stop()


async def test_what_cannot_be_said_is_refused_in_words(url: str, tmp_path: Path) -> None:
    server = Embedded()
    server.start()
    async for house in housed(url, tmp_path, server.port):
        bob = await Friend.connect(server.port, "bob", CHANNEL)
        await bob.meets("gatebot")
        bob.say(CHANNEL, "#startmeeting Here")
        await bob.sees("The meeting name has been set")  # so the channel has a log
        bad_name = (400, "Write a name of up to 20 letters, digits, - and _.")
        for status, text, told in (
            (*bad_name[:1], await house.say("hi", "a b"), bad_name[1]),
            (400, await house.say(" \x02 ", "eve"), "Say something, in 400 characters at most."),
            (400, await house.say("x" * 401, "eve"), "Say something, in 400 characters at most."),
        ):
            assert text[0] == status
            assert told in text[1]
        for _ in range(4):
            assert (await house.say("flood", "eve"))[0] == 202
        status, text = await house.say("flood", "eve")
        assert status == 429
        assert "That is too fast for an IRC channel. Say it again in 4 seconds." in text
        said = {"nick": "eve", "text": 'my "long" thought'}
        page = await house.client.post(SAY, data=said, headers={"Accept": "text/html"})
        shown = await page.text()
        assert page.status == 429
        assert 'value="my &#34;long&#34; thought"' in shown
        assert 'role="alert" id="unsaid">That is too fast for an IRC channel. Say it again in ' in shown
        scripted = await house.client.post(SAY, data=said, headers={"Accept": "application/json"})
        assert (scripted.status, scripted.content_type) == (429, "text/plain")
        halved = {"Content-Type": "application/x-www-form-urlencoded; charset=utf-7"}
        answer = await house.client.post(SAY, data=b"nick=bob&text=%2B2AA-" + b"+2AA-", headers=halved)
        assert (answer.status, await answer.text()) == (
            400, "The form has half of a character in it, which no text here has. Send UTF-8.\n",
        )  # fmt: skip
        house.allowed = "accounts"
        assert "Sign in to speak here; guests may read." in (await house.say("hi", "eve"))[1]
        assert (
            "Sign in to speak in #gate from here."
            in await (await house.client.get("/irclogs/%23gate/latest.log.html")).text()
        )
        house.allowed = "nobody"
        assert "Nobody can speak in #gate from here" in (await house.say("hi", account=True))[1]
        assert (await house.client.post(API, data=b"no json")).status == 401
        house.allowed = "everybody"
        assert (await house.client.post(API, data=b"no json")).status == 400
        await bob.close()
    server.stop()


async def test_where_the_network_echoes_a_line_is_still_of_its_speaker(url: str, tmp_path: Path) -> None:
    async with Ircv3() as server:
        async for house in housed(url, tmp_path, server.port, account="gatebot", secret="sesame"):
            await server.sees(f"JOIN {CHANNEL}")
            while (await house.say("hello", "eve"))[0] != 202:
                await asyncio.sleep(0)
            await server.sees("PRIVMSG #gate :<eve/guest> hello")
            while ("eve/guest", "hello") not in await house.texts():
                await asyncio.sleep(0)
            assert ("gatebot", "<eve/guest> hello") not in await house.texts()
