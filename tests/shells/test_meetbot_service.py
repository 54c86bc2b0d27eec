# SPDX-License-Identifier: Apache-2.0
"""The service: first the line, then the meeting, then its files, then the answer; and nothing is lost on the way."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, cast

import pytest

from gatebot.app.irc import Irc, Sister, tell
from gatebot.db import Database
from gatebot.errors import Unavailable
from gatebot.meetbot import archive, store
from gatebot.meetbot.irc.history import FILLED, GAP
from gatebot.meetbot.irc.pages import health
from gatebot.meetbot.memory import store as register
from gatebot.meetbot.minutes.render import FORMATS
from gatebot.meetbot.model import Line, LineKind, Priority, Reply, Setting
from gatebot.meetbot.service import Meetbot
from gatebot.meetbot.store import Heard
from tests.fakes.clock import FakeClock

NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
DAY = NOON.date()


@dataclass
class Speaker:
    """Keeps what the bot says, and which files were there when it said so."""

    root: Path
    said: list[str] = field(default_factory=list[str])
    files: list[str] = field(default_factory=list[str])

    def send(self, channel: str, reply: Reply, priority: Priority = Priority.MEETING) -> None:
        self.said.append(reply.text)
        self.files = sorted(path.name for path in self.root.rglob("*.*") if path.is_file())


@dataclass
class Bot:
    """The service at work, with a speaker."""

    service: Meetbot
    speaker: Speaker
    db: Database
    clock: FakeClock

    async def hears(self, *texts: str) -> None:
        """Lines of ann, a second apart, until they are dealt with."""
        for number, text in enumerate(texts):
            self.service.hear(Heard("irc", "#c", Line(NOON + timedelta(seconds=number), "ann", text)))
        await self.service.settled()

    async def log(self) -> list[str]:
        """What is stored."""
        return [line.text for line in await self.db.read(archive.lines_of_day, "#c", DAY)]


@pytest.fixture
async def bot(migrated_sqlite: Path, tmp_path: Path) -> AsyncIterator[Bot]:
    """A running service."""
    shutil.copyfile(migrated_sqlite, tmp_path / "gatebot.db")
    db, clock, root = Database.open(f"sqlite:///{tmp_path / 'gatebot.db'}", durable=False), FakeClock(), tmp_path / "m"
    service, speaker = Meetbot(db, root, Setting(prefix="http://x/meetings"), clock), Speaker(root)
    service.plug("irc", speaker)
    task = asyncio.create_task(service.run())
    yield Bot(service, speaker, db, clock)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    await db.close()


async def test_minutes_are_there_when_the_bot_says_where(bot: Bot) -> None:
    await bot.hears("#startmeeting X", "#info one", "#endmeeting")
    assert bot.speaker.said[-1] == "Log:            http://x/meetings/x/2026/x.2026-11-22-12.00.log.html"
    base = "x.2026-11-22-12.00"
    assert bot.speaker.files == sorted(f"{base}{ending}" for ending in FORMATS)


async def test_restricted_minutes_are_for_the_site_alone(bot: Bot) -> None:
    await bot.hears("#startmeeting X", "#restrictlogs", "#endmeeting")
    assert {path.stat().st_mode & 0o777 for path in bot.speaker.root.rglob("*.*") if path.is_file()} == {0o600}


async def test_lines_wait_for_a_database_that_is_away(bot: Bot, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = asyncio.Event()

    async def away(*_: object) -> None:
        asked.set()
        raise Unavailable

    with monkeypatch.context() as patch:
        patch.setattr(bot.db, "run", away)
        bot.service.hear(Heard("irc", "#c", Line(NOON, "ann", "patience")))
        await asked.wait()
        assert (bot.service.stuck(), health(list, bot.service.stuck).text) == (
            1, "1 LINES CANNOT BE STORED and wait in memory: see why in the log of the server",
        )  # fmt: skip
    await bot.clock.run(5)
    await bot.service.settled()
    assert await bot.log() == ["patience"]
    assert bot.service.stuck() == 0


async def test_a_defect_in_the_meeting_never_costs_the_line(bot: Bot, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("a defect")

    await bot.hears("#startmeeting X")
    with monkeypatch.context() as patch:
        patch.setattr(store, "reduce", broken)
        await bot.hears("#info lost to the minutes only")
    await bot.hears("#info kept", "#endmeeting")
    assert await bot.log() == ["#startmeeting X", "#info lost to the minutes only", "#info kept", "#endmeeting"]
    minutes = await bot.db.read(archive.minutes, (await bot.db.read(archive.meetings))[0], Setting())
    assert [item.text for item in minutes.items] == ["kept"]


async def test_a_line_that_breaks_the_register_holds_up_no_other(bot: Bot, monkeypatch: pytest.MonkeyPatch) -> None:
    note = register.note

    def broken(*given: Any) -> tuple[Reply, ...]:
        if any("poison" in entry.text for entry in given[4]):
            raise RuntimeError("a defect")
        return note(*given)

    monkeypatch.setattr(register, "note", broken)
    await bot.hears("#startmeeting X", "#action ann drinks poison", "#action ann eats", "#endmeeting")
    assert sorted(await bot.log()) == [
        "#action ann drinks poison",
        "#action ann eats",
        "#endmeeting",
        "#startmeeting X",
    ]
    minutes = await bot.db.read(archive.minutes, (await bot.db.read(archive.meetings))[0], Setting())
    assert [item.text for item in minutes.items] == ["ann eats"]


async def test_a_network_nobody_speaks_for_is_logged_all_the_same(bot: Bot) -> None:
    bot.service.hear(Heard("other", "#c", Line(NOON, "ann", "#startmeeting Quiet")))
    await bot.service.settled()
    assert bot.speaker.said == []
    assert await bot.log() == ["#startmeeting Quiet"]


async def test_minutes_that_cannot_be_written_end_nothing_and_are_written_at_the_next_start(
    bot: Bot, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise Unavailable("disk is full")

    with monkeypatch.context() as patch:
        patch.setattr(register, "assign", full)
        await bot.hears("#startmeeting X", "#action ann works", "#endmeeting", "still here")
    assert bot.speaker.said[-1].startswith("Log: ")
    assert bot.speaker.files == []
    again = Meetbot(bot.db, bot.speaker.root, bot.service.ways, bot.clock)
    task = asyncio.create_task(again.run())
    again.hear(Heard("irc", "#c", Line(NOON + timedelta(minutes=1), "ann", "hello again")))
    await again.settled()
    task.cancel()
    assert (bot.speaker.root / "x/2026/x.2026-11-22-12.00.html").is_file()
    (action,) = await bot.db.read(lambda session: register.actions(session, is_open=True))
    assert action.people == ("ann",)


async def test_last_words_that_did_not_go_out_are_said_after_the_start_and_those_that_did_are_not(bot: Bot) -> None:
    async def starts(now: datetime) -> list[str]:
        bot.clock.advance((now - bot.clock.now()).total_seconds())
        bot.speaker.said.clear()
        again = Meetbot(bot.db, bot.speaker.root, bot.service.ways, bot.clock)
        again.plug("irc", bot.speaker)
        task = asyncio.create_task(again.run())
        again.hear(Heard("irc", "#c", Line(now, "ann", "hello again")))
        await again.settled()
        task.cancel()
        return list(bot.speaker.said)

    bot.service.hear(Heard("irc", "#c", Line(NOON, "ann", "#startmeeting X"), "welcome"))
    await bot.hears("#info one", "#endmeeting")
    last = bot.speaker.said[-5:]
    assert last[0] == "welcome"
    assert await starts(NOON + timedelta(minutes=1)) == last  # the topic, and where the minutes are
    for text in last[1:3]:
        bot.service.hear(Heard("irc", "#c", Line(NOON + timedelta(minutes=1), "bot", text, own=True)))
    await bot.service.settled()
    assert await starts(NOON + timedelta(minutes=2)) == last[3:]
    assert await starts(NOON + timedelta(minutes=62)) == []


async def test_who_was_away_in_mid_meeting_says_so_once_and_the_minutes_tell_it(bot: Bot) -> None:
    await bot.hears("#startmeeting X", "#info one")
    bot.speaker.said.clear()
    gap, filled = (Line(NOON + timedelta(minutes=5), "", text, LineKind.GAP) for text in (GAP, FILLED))
    for channel, line in (("#c", filled), ("#other", gap), ("#c", gap)):
        bot.service.hear(Heard("irc", channel, line))
    await bot.service.settled()
    sentence = "I was away from 12:05:00 to 12:05:00 UTC. Say again what counts, commands too."
    assert bot.speaker.said == [sentence]
    bot.service.hear(Heard("irc", "#c", Line(NOON + timedelta(minutes=6), "ann", "#endmeeting")))
    await bot.service.settled()
    text = next(bot.speaker.root.rglob("*-12.00.txt")).read_text()
    assert "Missing in the log\n------------------\n\n* 12:05:00 to 12:05:00 UTC: the bot was away\n" in text


async def test_minutes_that_move_leave_no_files_behind(bot: Bot) -> None:
    await bot.hears("#startmeeting X", "#info one", "#save", "#meetingname Y", "#restrictlogs", "#endmeeting")
    found = {path.parent.name for path in bot.speaker.root.rglob("*.*") if path.is_file()}
    names = {path.name.split(".")[0] for path in bot.speaker.root.rglob("*.*") if path.is_file()}
    assert (found, names) == ({"2026"}, {"y"})


async def test_minutes_of_one_meeting_are_written_one_after_the_other(bot: Bot) -> None:
    await bot.hears("#startmeeting X", "#info one", "#endmeeting")
    await asyncio.gather(*(bot.service.write_minutes(1) for _ in range(8)))
    assert not list(bot.speaker.root.rglob("*.new"))
    assert len(list(bot.speaker.root.rglob("x.*"))) == len(FORMATS)


async def test_a_database_that_stays_away_does_not_hold_up_the_end(bot: Bot, monkeypatch: pytest.MonkeyPatch) -> None:
    ended: list[str] = []

    async def away() -> None:
        raise Unavailable

    async def stores() -> None:
        ended.append("stored")

    async def nothing() -> None:
        return

    monkeypatch.setattr("gatebot.app.irc._PATIENCE", 0.01)
    monkeypatch.setattr("gatebot.app.irc._LAST_WORDS", 0.01)
    deaf, none = Meetbot(bot.db, bot.speaker.root, Setting(), bot.clock), cast("Any", None)
    deaf.hear(Heard("irc", "#c", Line(NOON, "ann", "nobody takes this")))
    sisters = [Sister("first", nothing, away), Sister("second", nothing, stores), Sister("third", nothing, None)]
    await Irc(none, none, none, deaf, (), [], [], none, none, none, sisters=sisters).close()
    assert ended == ["stored"]


def test_who_cannot_take_a_line_costs_neither_the_others_nor_the_connection() -> None:
    kept: list[Heard] = []

    def broken(_: Heard) -> None:
        raise RuntimeError("a defect")

    line = Heard("irc", "#c", Line(NOON, "ann", "poison"))
    tell([broken, kept.append], line)
    assert kept == [line]
