# SPDX-License-Identifier: Apache-2.0
"""What the status and boards obey: lines that are said now, not those of imported logs; and what removal takes back."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import pytest

from gatebot.db import Database
from gatebot.journal import Journal
from gatebot.meetbot import store
from gatebot.meetbot.board import store as board
from gatebot.meetbot.board.model import Event, Speaker
from gatebot.meetbot.board.service import Boards
from gatebot.meetbot.model import Line, Priority, Reply, Setting
from gatebot.meetbot.removing import store as removing
from gatebot.meetbot.status.model import Kind, Person
from gatebot.meetbot.status.service import Statusbot, Ways
from gatebot.meetbot.status.store import entries
from gatebot.meetbot.store import Heard
from tests.fakes.clock import FakeClock

EVENT = Event("ptg", "irc", "#c", tracks=("nova",))


@dataclass
class World:
    """Everybody is root; what the bot says is kept."""

    said: list[str] = field(default_factory=list[str])

    async def person(self, network: str, line: Line) -> Person | None:
        return Person("root", may=True)

    async def speaker(self, network: str, line: Line) -> Speaker:
        return Speaker(network, line.nick, username="root", manages=True)

    def send(self, network: str, target: str, reply: Reply, priority: Priority) -> None:
        self.said.append(reply.text)

    def topic(self, network: str, channel: str) -> str | None:
        return None


@pytest.fixture
async def db(migrated_sqlite: Path, tmp_path: Path) -> AsyncIterator[Database]:
    """A database of the test's own."""
    shutil.copyfile(migrated_sqlite, tmp_path / "bot.db")
    database = Database.open(f"sqlite:///{tmp_path / 'bot.db'}", durable=False)
    yield database
    await database.close()


async def test_old_lines_command_nothing_and_removed_ones_stand_nowhere(db: Database) -> None:
    clock, world, journal = FakeClock(), World(), Journal(db)
    bot = Statusbot(db, journal, clock, world, Ways("http://x", (), timedelta(days=1)))
    boards = Boards(db, journal, clock, (EVENT,), world, "http://x")
    texts = ("#status alert {} is down", "#success {} works", "#nova now {}")
    for age, when in ((timedelta(days=400), "old"), (timedelta(minutes=5), "new")):
        lines = [Line(clock.now() - age, "ann", text.format(when)) for text in texts]
        await db.run(store.take_in, [Heard("irc", "#c", line) for line in lines], Setting())
    for fact in await journal.read(0):
        await bot.note(fact)
        await boards.note(fact)
    told = await db.read(entries, tuple(Kind), None, 10)
    assert [one.text for one in told] == ["new works", "new is down"]
    assert dict((await db.read(board.board, EVENT)).now) == {"nova": "new"}
    assert bot.alert() == "new is down"
    await db.run(removing.remove, "#c", 1, 6, "", clock.now())
    await bot.speak()
    assert bot.alert() == "[removed by an administrator]"
