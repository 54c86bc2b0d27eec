# SPDX-License-Identifier: Apache-2.0
"""The status over restarts: every channel is told once, the end comes last, and what is over is told nobody."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from gatebot import journal
from gatebot.db import Database
from gatebot.journal import Journal
from gatebot.meetbot import store as lines
from gatebot.meetbot.board import store as boards
from gatebot.meetbot.heeding import store as heeding
from gatebot.meetbot.model import Act, Line, LineKind, Priority, Reply, Setting
from gatebot.meetbot.status import store
from gatebot.meetbot.status.model import Kind, Person, Place
from gatebot.meetbot.status.service import Statusbot, Ways
from gatebot.meetbot.store import Heard
from tests.fakes.clock import FakeClock

OPS, DEV = ("oftc", "#ops"), ("oftc", "#dev")
Sent = tuple[tuple[str, str], str, Act]


class House:
    """Two channels that hear of the status, and the bot as after each start."""

    def __init__(self, db: Database) -> None:
        self.db, self.clock = db, FakeClock()
        self.sent: list[Sent] = []
        self.topics = {OPS: "operators", DEV: "developers"}
        self.bot = self.starts()

    def starts(self) -> Statusbot:
        places = (Place(*OPS), Place(*DEV))
        self.bot = Statusbot(
            self.db, Journal(self.db), self.clock, self, Ways("http://x", places, timedelta(hours=6))
        )  # fmt: skip
        return self.bot

    async def person(self, network: str, line: Line) -> Person | None:
        return Person(line.nick, may=True)

    def send(self, network: str, target: str, reply: Reply, priority: Priority) -> None:
        assert priority in (Priority.STATUS, Priority.ANSWER) or (
            priority is Priority.MEETING and reply.act is Act.TOPIC
        )
        self.sent.append(((network, target), reply.text, reply.act))

    def topic(self, network: str, channel: str) -> str | None:
        return self.topics.get((network, channel))

    async def says(self, text: str) -> None:
        """Somebody says a command in #ops, and the bot reads it."""
        heard = Heard(*OPS, Line(self.clock.now(), "clark", text), self.topics[OPS])
        await self.db.run(lines.take_in, [heard], Setting())
        place = await self.db.run_silent(lambda session: journal.cursor(session, store.READER))
        for fact in await self.db.read(journal.read_in, max(place, 0), ("LineSaid",)):
            await self.bot.note(fact)

    async def speaks(self) -> list[Sent]:
        """What the bot sends now."""
        self.sent.clear()
        await self.bot.speak()
        return sorted(self.sent)

    def hears(self, *sent: Sent) -> None:
        """What was sent went out."""
        for where, text, act in sent:
            if act is Act.TOPIC:
                self.topics[where] = text
            else:
                kind = LineKind.NOTICE if act is Act.NOTICE else LineKind.SAID
                self.bot.heard(Heard(*where, Line(self.clock.now(), "gatebot", text, kind, own=True)))


@pytest.fixture
async def house(migrated_url: str) -> AsyncIterator[House]:
    database = Database.open(migrated_url, durable=False)
    yield House(database)
    await database.close()


async def test_a_restart_says_again_what_did_not_go_out_and_the_end_comes_last(house: House) -> None:
    await house.says("#status notice Restart at 12")
    first: Sent = (OPS, "clark: sending notice", Act.SAY)
    dev, ops = ((where, "NOTICE: Restart at 12", Act.NOTICE) for where in (DEV, OPS))
    assert await house.speaks() == [dev, first]
    assert await house.speaks() == []
    house.starts()
    assert await house.speaks() == [dev, first]
    house.hears(first)
    assert await house.speaks() == [ops]
    house.hears(ops)
    assert await house.speaks() == []
    house.hears(dev)
    last: Sent = (OPS, "clark: finished sending notice", Act.SAY)
    assert await house.speaks() == [last]
    house.hears(last)
    await house.bot.close()
    house.starts()
    assert await house.speaks() == []


async def test_an_alert_stands_in_topics_over_a_restart_and_what_is_over_is_told_nobody(house: House) -> None:
    await house.says("#status alert Down")
    topics = [sent for sent in await house.speaks() if sent[2] is Act.TOPIC]
    assert topics == [(DEV, "Down", Act.TOPIC), (OPS, "Down", Act.TOPIC)]
    house.hears((DEV, "Down", Act.TOPIC))
    house.starts()
    await house.bot.tell(Kind.OK, "", "ann")
    sent = await house.speaks()
    assert (DEV, "developers", Act.TOPIC) in sent
    assert not [one for one in sent if one[2] is Act.NOTICE]
    assert (house.topics[OPS], house.bot.banners()) == ("operators", ())


async def test_a_meeting_has_its_topics_and_at_its_end_an_alert_stands_again(house: House) -> None:
    async def topic_of_ops() -> list[str]:
        return [text for where, text, act in await house.speaks() if where == OPS and act is Act.TOPIC]

    await house.says("#startmeeting Sync")
    house.topics[OPS] = " (Meeting topic: Sync)"
    await house.says("#status alert Down")
    assert await topic_of_ops() == ["Down"]
    house.topics[OPS] = "Down"
    assert await topic_of_ops() == []
    await house.says("#topic Doors")
    house.topics[OPS] = "Doors (Meeting topic: Sync)"
    assert await topic_of_ops() == []
    house.starts()
    assert await topic_of_ops() == []
    assert house.bot.judge(*OPS, "Down") == "Down"
    await house.says("#endmeeting")
    house.topics[OPS] = "operators"
    assert await topic_of_ops() == ["Down"]
    house.topics[OPS] = "Down"
    await house.bot.tell(Kind.OK, "", "ann")
    assert [house.bot.judge(*one, "Down") for one in (OPS, ("oftc", "#else"))] == ["operators", "Down"]
    assert await topic_of_ops() == ["operators"]


async def test_what_could_not_be_told_within_a_day_is_not_told(house: House) -> None:
    await house.says("#status notice Restart at 12")
    house.clock.advance(25 * 3600)
    house.starts()
    assert await house.speaks() == []


async def test_what_was_said_while_there_was_no_board_does_nothing_to_a_new_one(house: House) -> None:
    async def begins(*, leading: bool) -> int:
        return await house.db.run_silent(lambda session: heeding.begin(session, boards.READER, leading=leading))

    assert await begins(leading=False) == 0
    await house.says("#nova now x")
    assert await begins(leading=True) == 1
    await house.says("#nova now y")
    assert await begins(leading=True) == 1
    assert await begins(leading=False) == 0
    assert await begins(leading=True) == 2
