# SPDX-License-Identifier: Apache-2.0
"""What the bot does about planned meetings: it reminds once, tells the agenda, and notes what did not happen."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from gatebot.db import Database
from gatebot.journal import Journal
from gatebot.meetbot import store as lines
from gatebot.meetbot.model import Line, Setting
from gatebot.meetbot.schedule import store
from gatebot.meetbot.schedule.driver import Reminding, Ways
from gatebot.meetbot.schedule.store import Agenda
from gatebot.meetbot.schedule.tip import Tip
from gatebot.meetbot.store import Heard
from gatebot.repo import Repositories
from tests.fakes.clock import FakeClock
from tests.fakes.git import WorkTree

START = datetime(2026, 12, 3, 14, 0, tzinfo=UTC)
NOVA = """\
project: Nova Team Meeting
meeting_id: Nova
chair: Ann
description: d
schedule: [{time: '1400', day: Thursday, irc: meet, frequency: weekly}]
"""
REMINDS = (
    "Nova Team Meeting begins in 10 minutes, chaired by Ann: #startmeeting nova. Agenda: http://x/meetings/nova/agenda"
)


@dataclass
class House:
    """A schedule in git, a clock, and a channel that listens."""

    db: Database
    clock: FakeClock
    work: WorkTree
    tip: Tip
    bare: Path
    said: list[tuple[str, str, str]] = field(default_factory=list[tuple[str, str, str]])
    working: Reminding | None = None
    ways: Ways = field(default_factory=lambda: Ways("http://x", 10, say_missed=True))

    def reminding(self) -> Reminding:
        """The part at work, as after each start."""
        network = {"#meet": "oftc"}.get
        return Reminding(self.db, Journal(self.db), self.clock, self.tip, self.ways, network, self.say)

    def say(self, network: str, channel: str, text: str) -> None:
        """What the bot says."""
        self.said.append((network, channel, text))

    async def at(self, moment: datetime, *, restarted: bool = False) -> list[str]:
        """What is said when this moment is looked at, perhaps by a site that has just been started."""
        self.working = self.working or self.reminding()
        self.clock.advance((moment - self.clock.now()).total_seconds())
        before = len(self.said)
        if restarted:
            self.working = self.reminding()
        await self.working.look()
        assert {(network, channel) for network, channel, _ in self.said} <= {("oftc", "#meet")}
        return [text for *_, text in self.said[before:]]

    async def hears(self, text: str, moment: datetime, network: str = "oftc") -> None:
        """A line of ann."""
        await self.db.run(lines.take_in, [Heard(network, "#meet", Line(moment, "ann", text))], Setting())

    def plan(self, text: str) -> None:
        """The file as it is from now on."""
        self.work.put("meetings/nova.yaml", text)
        self.work.commit("Plan")
        self.work.git("--git-dir", str(self.bare), "fetch", "-q", str(self.work.path), "+HEAD:refs/heads/main")


@pytest.fixture
async def house(migrated_sqlite: Path, tmp_path: Path) -> AsyncIterator[House]:
    """A planned meeting, an hour before it begins."""
    shutil.copyfile(migrated_sqlite, tmp_path / "gatebot.db")
    db = Database.open(f"sqlite:///{tmp_path / 'gatebot.db'}", durable=False)
    repositories = Repositories(tmp_path / "git")
    repositories.create("infra/meetings")
    work = WorkTree.new(tmp_path / "work")
    tip = Tip(repositories, "infra/meetings", "", "meetings")
    made = House(db, FakeClock(START - timedelta(hours=1)), work, tip, repositories.path("infra/meetings"))
    made.plan(NOVA)
    yield made
    await db.close()


async def test_a_channel_is_reminded_once_whatever_is_restarted(house: House) -> None:
    assert await house.at(START - timedelta(minutes=11)) == []
    assert await house.at(START - timedelta(minutes=10) + timedelta(seconds=5), restarted=True) == [REMINDS]
    assert await house.at(START - timedelta(minutes=5), restarted=True) == []
    assert await house.at(START + timedelta(days=7, minutes=-1)) == [
        REMINDS.replace("10 minutes", "1 minute"),
        "Nova Team Meeting did not happen: nobody said #startmeeting nova.",
    ]


async def test_of_a_meeting_that_began_while_the_site_was_off_nothing_is_said(house: House) -> None:
    await house.at(START - timedelta(minutes=9))
    assert await house.at(START + timedelta(minutes=61), restarted=True) == []
    assert await house.db.read(store.missed) == []


async def test_a_meeting_that_nobody_started_did_not_happen_and_one_that_was_did(house: House) -> None:
    await house.at(START - timedelta(minutes=9))
    assert await house.db.read(store.missed) == []
    assert await house.at(START + timedelta(minutes=60)) == [
        "Nova Team Meeting did not happen: nobody said #startmeeting nova."
    ]
    (missed,) = await house.db.read(store.missed)
    assert (missed.key, missed.channel, missed.starts) == ("nova", "#meet", START)
    week = START + timedelta(days=7)
    await house.at(week - timedelta(minutes=9))
    await house.hears("#startmeeting Nova", week + timedelta(minutes=7))
    assert await house.at(week + timedelta(minutes=61)) == []
    assert len(await house.db.read(store.missed)) == 1


async def test_a_meeting_of_another_name_does_not_count(house: House) -> None:
    await house.at(START - timedelta(minutes=9))
    await house.hears("#startmeeting Keystone", START)
    assert len(await house.at(START + timedelta(minutes=61))) == 1


async def test_what_is_skipped_is_not_reminded_of_and_what_is_taken_back_was_not_missed(house: House) -> None:
    house.plan(NOVA.replace("weekly}", "weekly, skip_dates: [{skip_date: 20261203, reason: Rest}]}"))
    assert await house.at(START - timedelta(minutes=9)) == []
    week = START + timedelta(days=7)
    assert await house.at(week - timedelta(minutes=9)) == [REMINDS.replace("10 minutes", "9 minutes")]
    house.plan(NOVA.replace("weekly}", "weekly, skip_dates: [{skip_date: 20261210, reason: Rest}]}"))
    assert await house.at(week + timedelta(minutes=61)) == []
    assert await house.db.read(store.missed) == []


async def test_without_minutes_nobody_is_reminded_and_what_is_missed_is_noted_silently(house: House) -> None:
    house.ways = Ways("http://x", 0)
    assert await house.at(START + timedelta(minutes=1)) == []
    assert await house.at(START + timedelta(minutes=61)) == []
    assert len(await house.db.read(store.missed)) == 1


async def test_a_file_that_cannot_be_read_leaves_the_others_alone(house: House) -> None:
    house.work.put("meetings/broken.yaml", "[")
    house.plan(NOVA)
    assert await house.at(START - timedelta(minutes=9, seconds=50)) == [REMINDS]


@pytest.mark.parametrize(
    ("text", "agenda"),
    [
        ("#startmeeting Nova", "Agenda: http://x/meetings/nova/agenda"),
        ("#startmeeting other", "Agenda: http://x/meetings/other/agenda"),
    ],
)
async def test_the_agenda_is_announced_to_who_starts_a_meeting(house: House, text: str, agenda: str) -> None:
    await house.db.run(store.write_agenda, Agenda("other", 0, START, "ann", "One"))
    working = asyncio.create_task(house.reminding().run())
    while not house.clock.sleeping:
        await asyncio.sleep(0)
    await house.hears("#startmeeting nobody planned this", START - timedelta(minutes=40), "libera")
    await house.hears(text, START)
    async with asyncio.timeout(20):
        while not house.said:
            await asyncio.sleep(0)
    assert house.said == [("oftc", "#meet", agenda)]
    working.cancel()
    await asyncio.gather(working, return_exceptions=True)
