# SPDX-License-Identifier: Apache-2.0
"""What outlives meetings, on SQLite and PostgreSQL: actions until they are done, decisions, who came."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from gatebot import journal
from gatebot.db import Database, Session
from gatebot.events import ChangeMerged
from gatebot.meetbot import archive, store
from gatebot.meetbot.attendance import store as attendance
from gatebot.meetbot.edits import store as edits
from gatebot.meetbot.edits.store import Change, Clash
from gatebot.meetbot.memory import store as memory
from gatebot.meetbot.memory.matching import closed_by_message
from gatebot.meetbot.memory.model import How
from gatebot.meetbot.memory.service import Closer
from gatebot.meetbot.minutes.render import render
from gatebot.meetbot.model import Line, LineKind, Setting
from gatebot.meetbot.schedule import store as schedule
from gatebot.meetbot.schedule.frequencies import FREQUENCIES
from gatebot.meetbot.schedule.model import Occurrence, Planned, Slot
from gatebot.meetbot.service import Meetbot
from gatebot.meetbot.sisters import links
from gatebot.meetbot.store import Heard
from tests.fakes.clock import FakeClock

NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
WAYS = Setting(prefix="http://x/meetings")


@pytest.fixture
async def db(migrated_url: str) -> AsyncIterator[Database]:
    """A database with the newest schema."""
    database = Database.open(migrated_url, durable=False)
    yield database
    await database.close()


class Room:
    """A channel in which week after week a meeting is held."""

    def __init__(self, db: Database) -> None:
        self.db = db
        self.now = NOON

    async def say(self, *texts: str, nick: str = "ann", channel: str = "#c") -> list[str]:
        """Say lines; returns what the bot answers."""
        said: list[str] = []
        for text in texts:
            self.now += timedelta(seconds=1)
            heard = Heard("irc", channel, Line(self.now, nick, text))
            for outcome in await self.db.run(store.take_in, [heard], WAYS):
                said += [reply.text for reply in outcome.replies]
        return said

    async def open(self) -> list[str]:
        """The texts of the open actions."""
        return [action.text for action in await self.db.read(memory.actions, is_open=True)]


async def test_an_action_stays_open_across_meetings_until_somebody_says_done(db: Database) -> None:
    room = Room(db)
    await room.say("#startmeeting Gate", "#action bob writes the docs", "#action ann fixes the gate", "#endmeeting")
    room.now += timedelta(days=7)
    await room.say("#startmeeting Gate")
    assert await room.open() == ["bob writes the docs", "ann fixes the gate"]
    assert await room.say("#done bob writes docs") == ["Action 1 is done: bob writes the docs"]
    assert await room.say("#done something else entirely") == []
    assert await room.say("#done 7") == ["No open action has the number 7."]
    assert await room.open() == ["ann fixes the gate"]
    assert await room.say("#done #2") == ["Action 2 is done: ann fixes the gate"]
    assert await room.open() == []
    (newest, _) = await db.read(memory.actions, is_open=False)
    assert (newest.closed_by, newest.how, newest.name) == ("ann", "done", "gate")


async def test_undo_takes_an_action_away_and_opens_what_a_done_closed(db: Database) -> None:
    room = Room(db)
    await room.say("#startmeeting Gate", "#action one thing", "#action another thing", "#undo")
    assert await room.open() == ["one thing"]
    await room.say("#done one thing")
    assert await room.open() == []
    await room.say("#undo")
    assert await room.open() == ["one thing"]


async def test_a_done_that_may_mean_several_closes_none_and_says_which(db: Database) -> None:
    room = Room(db)
    await room.say("#startmeeting Gate", "#action bob writes the docs of nova", "#action bob writes the docs of swift")
    assert await room.say("#done bob writes docs") == [
        "Several open actions may be meant. Say #done NUMBER: "
        "1: bob writes the docs of nova; 2: bob writes the docs of swift"
    ]
    assert len(await room.open()) == 2
    await room.say("#endmeeting", "#startmeeting Elsewhere", channel="#other")
    assert await room.say("#done bob writes the docs of nova", channel="#other") == []


async def test_a_merged_change_that_names_an_action_closes_it_once(db: Database) -> None:
    room = Room(db)
    await room.say("#startmeeting Gate", "#action bob writes the docs", "#action ann sleeps", "#endmeeting")
    merged = ChangeMerged(42, 1, "demo", "main", "c" * 40, 1)
    await db.run(lambda session: journal.append(session, merged, NOON))

    def message_of(_session: Session, change: int, patch_set: int) -> str | None:
        return f"Write the docs\n\nCloses-Action: {change - 41}\n" if patch_set == 1 else None

    closer = Closer(db, journal.Journal(db), message_of, "http://x")
    assert await db.run_silent(closer.catch_up) == 1
    assert await db.run_silent(closer.catch_up) == 0
    assert await room.open() == ["ann sleeps"]
    (closed,) = await db.read(memory.actions, is_open=False)
    assert (closed.how, closed.reference) == ("merged", "/42")


@pytest.mark.parametrize(
    ("message", "numbers"),
    [
        ("Do it\n\nCloses-Action: 12\nAction: #13\n", (12, 13)),
        ("This closes action #12 and fixes action 14.", (12, 14)),
        ("See http://x/actions/15 for why", (15,)),
        ("Action 3 of the handbook says so", ()),
        ("See http://y/actions/15", ()),
    ],
)
def test_a_message_names_actions_only_in_so_many_words(message: str, numbers: tuple[int, ...]) -> None:
    assert closed_by_message(message, "http://x/") == numbers


async def test_decisions_are_read_from_the_record(db: Database) -> None:
    room = Room(db)
    await room.say("#startmeeting Gate", "#agreed ship it", "#agreed not this", "#undo", "#startvote Now? yes, no")
    await room.say("#vote yes", nick="bob")
    await room.say("#endvote", "#restrictlogs", "#endmeeting")
    room.now += timedelta(days=7)
    await room.say("#startmeeting Gate", "#rejected the other way", "#endmeeting")
    told = [(one.kind, one.text) for one in await db.read(memory.decisions, "gate")]
    assert told == [
        ("rejected", "the other way"),
        ("vote", 'Voted on "Now?" Results are, yes: 1'),
        ("agreed", "ship it"),
    ]
    assert await db.read(memory.decisions, "nosuch") == []
    assert await db.read(memory.restricted) == {1}


async def test_who_came_without_a_word_counts_and_so_does_a_meeting_that_did_not_happen(db: Database) -> None:
    room = Room(db)
    for at, nick, kind in ((-600, "zoe", LineKind.JOIN), (30, "yan", LineKind.QUIT), (60, "bob", LineKind.JOIN)):
        heard = Heard("irc", "#c", Line(NOON + timedelta(seconds=at), nick, "", kind))
        await db.run(store.take_in, [heard], WAYS)
    await room.say("#startmeeting Gate", "#info one")
    await room.say("hello", nick="bob")
    bot = Line(room.now, "gatebot", "Meeting started", own=True)
    await db.run(store.take_in, [Heard("irc", "#c", bot)], WAYS)
    room.now += timedelta(minutes=5)
    await room.say("#endmeeting")
    room.now += timedelta(days=14)
    await room.say("#startmeeting Gate", "#endmeeting")
    planned = Planned("meetings/gate.yaml", "Gate", "", "ann", (), "gate")
    slot = Slot(1, 1, FREQUENCIES["weekly"], "#c")
    for week, happened in ((0, True), (7, False)):
        date = Occurrence(planned, slot, NOON + timedelta(days=week))
        assert await db.run(schedule.expect, date, "gate")
        missed = await db.run(schedule.settle, "gate", date.start, planned=True, there=True)
        assert (missed is None) is happened
    came = await db.read(attendance.attendance, "gate")
    assert [(date.at - NOON).days for date in came.dates] == [14, 7, 0]
    assert [date.meeting for date in came.dates] == [2, None, 1]
    assert came.missed == 1
    assert [(one.nick, one.lines) for one in came.people] == [
        ("ann", (2, None, 3)), ("bob", (None, None, 1)), ("yan", (None, None, 0)), ("zoe", (None, None, 0)),
    ]  # fmt: skip
    assert await db.read(attendance.outcomes) == {"gate": (1, 1)}
    # Who has been in the channel for longer than a day and never speaks: named as far as anybody reads that.
    room.now += timedelta(days=7)
    crowd = frozenset({"ann", *(f"idler{number:02}" for number in range(50))})
    start = Heard("irc", "#c", Line(room.now, "ann", "#startmeeting Gate"), present=crowd)
    await db.run(store.take_in, [start], WAYS)
    gone = Heard("irc", "#c", Line(room.now, "idler00", "", LineKind.QUIT))
    await db.run(store.take_in, [gone], WAYS)
    assert len(await db.read(attendance.silent, 3, ["ann"])) == 50
    came = await db.read(attendance.attendance, "gate")
    assert (len(came.people), came.idle) == (2 + 20, 50 + 2 - 20)
    assert {one.nick for one in came.people} >= {"ann", "bob", "idler00"}


async def test_an_action_is_closed_and_opened_again_by_its_number(db: Database) -> None:
    room = Room(db)
    await room.say("#startmeeting Gate", "#action bob writes the docs", "#meetingname Other")
    assert await db.run(memory.close, 1, NOON, "eve", How.PAGE)
    assert not await db.run(memory.close, 1, NOON, "eve", How.PAGE)
    assert await room.open() == []
    assert await db.run(memory.reopen, 1)
    assert not await db.run(memory.reopen, 9)
    (action,) = await db.read(memory.actions, is_open=True, name="other")
    assert action.text == "bob writes the docs"


async def test_minutes_are_changed_after_the_end_and_the_register_follows(db: Database) -> None:
    room = Room(db)
    await room.say("#startmeeting Gate", "#action bob wrotes the docs", "#info wrong")
    assert not await db.run(edits.edit, 1, 4, "too early", "eve", NOON)
    await room.say("#endmeeting")
    assert await db.run(edits.edit, 1, 4, "bob writes the docs", "eve", room.now)
    assert await db.run(edits.edit, 1, 5, "", "eve", room.now)
    assert await db.run(edits.add, 1, "action", "ann sleeps", "eve", room.now)
    assert await db.run(edits.add, 1, "agreed", "to sleep", "eve", room.now)
    assert not await db.run(edits.edit, 1, 1, "no item", "eve", room.now)
    assert not await db.run(edits.edit, 1, 99, "no such place", "eve", room.now)
    assert not await db.run(edits.add, 1, "vote", "x", "eve", room.now)
    row = await db.read(archive.meeting, 1)
    assert row is not None
    minutes = await db.read(archive.minutes, row, WAYS)
    assert [item.text for item in minutes.items] == ["bob writes the docs", "ann sleeps", "to sleep"]
    assert [(edit.who, edit.before, edit.after) for edit in minutes.edits] == [
        ("eve", "bob wrotes the docs", "bob writes the docs"),
        ("eve", "wrong", ""),
        ("eve", "", "#action ann sleeps"),
        ("eve", "", "#agreed to sleep"),
    ]
    assert 'eve changed "bob wrotes the docs" to "bob writes the docs"' in " ".join(
        render(minutes, WAYS)[".txt"].split()
    )
    assert await room.open() == ["bob writes the docs", "ann sleeps"]
    assert [one.text for one in await db.read(memory.decisions)] == ["to sleep"]
    place = minutes.places[1]
    assert await db.run(edits.edit, 1, place, "", "eve", room.now)
    assert await room.open() == ["bob writes the docs"]
    # Several are saved at once, or none, where somebody else was quicker: he sees what stands there, then decides.
    mine = [Change(4, "bob writes the docs", "bob reads the docs"), Change(place, "ann sleeps", "ann wakes")]
    assert await db.run(edits.save, 1, mine, ("info", "tea"), "root", room.now) == {place: Clash("action", "", "eve")}
    assert await room.open() == ["bob writes the docs"]
    mine[1] = Change(place, "", "ann wakes")
    assert await db.run(edits.save, 1, mine, ("info", "tea"), "root", room.now) == {}
    assert await room.open() == ["bob reads the docs", "ann wakes"]
    minutes = await db.read(archive.minutes, row, WAYS)
    assert [item.text for item in minutes.items] == ["bob reads the docs", "to sleep", "ann wakes", "tea"]
    assert minutes.changed == ("root", "", "", "")
    assert await db.run(edits.save, 1, [Change(99, "x", "y")], ("", ""), "root", room.now) is None


async def test_who_led_is_known_by_what_he_proved_and_not_by_a_name(db: Database) -> None:
    said = [
        ("Ann", "ann", "#startmeeting X"), ("Ann", "ann", "#chair bob ann/web"), ("eve", "eve", "hi"),
        ("bob", "Robert", "hi"), ("Ann", "mallory", "hi"), ("bob", "mallory", "hi"), ("Ann", "ann", "#endmeeting"),
    ]  # fmt: skip
    for number, (nick, account, text) in enumerate(said):
        line = Line(NOON + timedelta(seconds=number), nick, text, account=account)
        await db.run(store.take_in, [Heard("irc", "#c", line)], WAYS)
    people = {1: "robert", 2: "mallory", 3: "eve"}
    for id, account in people.items():
        await db.run(links.keep_code, id, f"CODE{id}", NOON)
        assert await db.run(links.confirm, f"CODE{id}", "irc", f"account:{account}", NOON) == id
    led = {
        (id, name) for id, name in ((1, "bob"), (2, "mallory"), (3, "eve"), (4, "ann"), (5, "robert"))
        if await db.read(edits.led_by, 1, id, name)
    }  # fmt: skip
    assert led == {(1, "bob"), (4, "ann")}  # bob by his link, ann because she was chair from the web


async def test_people_of_actions_follow_what_is_changed_after_the_end(db: Database, tmp_path: Path) -> None:
    room, bot = Room(db), Meetbot(db, tmp_path, WAYS, FakeClock())
    await room.say("hi", nick="bob")
    await room.say("#startmeeting Gate", "#action bob writes the docs", "#nick bob", "#endmeeting")
    await bot.write_minutes(1)
    people = lambda: db.read(lambda session: [one.people for one in memory.actions(session, is_open=True)])  # noqa: E731
    assert await people() == [("bob",)]
    assert await db.run(edits.edit, 1, 4, "somebody writes the docs", "eve", room.now)
    assert await db.run(edits.add, 1, "action", "ann sleeps", "eve", room.now)
    await bot.write_minutes(1)
    assert await people() == [(), ("ann",)]
