# SPDX-License-Identifier: Apache-2.0
"""The journal on both engines: order, filters, unknown kinds, waiting, following, cursors."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime

import pytest
import sqlalchemy as sa

from gatebot import db, journal
from gatebot.events import BranchMoved, BuildFailing, Event, ProjectCreated, VoteCast
from gatebot.journal import Entry, Journal
from gatebot.reasons import reason

NOW = datetime(2026, 1, 5, 9, 0, 0, 123456, tzinfo=UTC)
LONG = 30.0
"""Seconds after which a wait that was never woken fails its test; nothing waits this long."""


@pytest.fixture
async def database(migrated_url: str) -> AsyncIterator[db.Database]:
    database = db.Database.open(migrated_url, durable=False)
    yield database
    await database.close()


@pytest.fixture
def facts(database: db.Database) -> Journal:
    """A journal that is woken by its own process only: polling would hide a lost wake-up."""
    return Journal(database, poll=LONG)


def project(name: str) -> ProjectCreated:
    """A small fact."""
    return ProjectCreated(project=name)


def append_raw(session: db.Session, kind: str, body: str) -> None:
    """A row as another version of gatebot would have written it."""
    id = journal.append(session, project("x"), NOW)
    session.execute(sa.text("update journal set kind = :kind, body = :body where id = :id"), locals_of(kind, body, id))


def locals_of(kind: str, body: str, id: int) -> dict[str, object]:
    """Parameters by name."""
    return {"kind": kind, "body": body, "id": id}


async def test_facts_are_read_as_they_were_appended(database: db.Database, facts: Journal) -> None:
    because = reason("pipeline.collided", reason("pipeline.job-failed", job="unit", line=12), change=7)
    said = [
        project("demo/api"),
        BuildFailing(build="5f", fence=3, reason=because),
        VoteCast(change=7, patch_set=1, label="Code-Review", value=2, account=1000000),
    ]

    def append_all(session: db.Session) -> list[int]:
        return [journal.append(session, event, NOW) for event in said]

    assert await database.run(append_all) == [1, 2, 3]
    assert await facts.read(0) == [Entry(number, NOW, event) for number, event in enumerate(said, 1)]


async def test_facts_that_are_appended_together_follow_what_is_there_in_their_order(
    database: db.Database, facts: Journal
) -> None:
    def append_all(session: db.Session) -> tuple[int, ...]:
        first = journal.append(session, project("a"), NOW)
        last = journal.append_all(session, [project("b"), project("c")], NOW)
        return first, last, journal.append_all(session, [], NOW), journal.append(session, project("d"), NOW)

    assert await database.run(append_all) == (1, 3, 3, 4)
    assert [(one.id, one.event) for one in await facts.read(0)] == [(n, project(p)) for n, p in enumerate("abcd", 1)]


async def test_facts_are_filtered_by_kind_and_subject(database: db.Database, facts: Journal) -> None:
    moved = BranchMoved(project="demo/api", branch="main", old="0", new="1", cause="push")
    for event in (project("demo/api"), moved, project("demo/client"), moved):
        await database.run(journal.append, event, NOW)
    assert [entry.id for entry in await facts.read(0, kinds=[BranchMoved])] == [2, 4]
    assert [entry.id for entry in await facts.read(0, kinds=["BranchMoved"], limit=1)] == [2]
    assert [entry.id for entry in await facts.read(1, subject="project/demo/api")] == [2, 4]
    assert [entry.id for entry in await facts.read(2, limit=1)] == [3]
    assert await facts.read(4) == []
    assert await facts.last() == 4


async def test_what_is_rolled_back_leaves_no_gap(database: db.Database, facts: Journal) -> None:
    def fail(session: db.Session) -> None:
        journal.append(session, project("lost"), NOW)
        raise LookupError

    with pytest.raises(LookupError):
        await database.run(fail)
    assert await database.run(journal.append, project("kept"), NOW) == 1
    assert await facts.read(0) == [Entry(1, NOW, project("kept"))]


async def test_unknown_and_unreadable_facts_are_passed_over_and_counted(
    database: db.Database, facts: Journal, caplog: pytest.LogCaptureFixture
) -> None:
    journal.unknown_kinds.clear()
    for _ in range(3):
        await database.run(append_raw, "FromTheFuture", "{}")
    await database.run(append_raw, "ProjectCreated", '{"project": 5}')
    await database.run(journal.append, project("kept"), NOW)
    assert [entry.id for entry in await facts.read(0, limit=2)] == [5], "a batch of unknown facts is not the end"
    assert journal.unknown_kinds == {"FromTheFuture": 3, "ProjectCreated": 1}
    assert [record.getMessage() for record in caplog.records] == [
        "journal entry 1 (FromTheFuture) was passed over: this version does not know its kind",
        "journal entry 4 (ProjectCreated) was passed over: Expected `str`, got `int` - at `$.project`",
    ]


async def test_a_fact_that_lost_a_field_is_readable_and_a_new_field_has_its_default(
    database: db.Database, facts: Journal
) -> None:
    await database.run(append_raw, "ProjectCreated", '{"project": "demo/api", "gone": 1}')
    assert [entry.event for entry in await facts.read(0)] == [project("demo/api")]


async def test_only_registered_kinds_are_appended(database: db.Database) -> None:
    @dataclass(frozen=True, slots=True)
    class Unheard(Event):
        tenant: str = "main"

    with pytest.raises(ValueError, match=r"call journal\.register\(Unheard\) in the store of its room"):
        await database.run(journal.append, Unheard(), NOW)


def test_two_kinds_of_one_name_are_refused() -> None:
    with pytest.raises(ValueError, match="two kinds of facts are named VoteCast"):
        journal.register(dataclass(frozen=True)(type("VoteCast", (Event,), {})))


async def test_waiting_ends_with_the_commit_and_not_before(database: db.Database, facts: Journal) -> None:
    waiting = [asyncio.create_task(facts.wait(0, LONG)) for _ in range(3)]
    await facts.last()
    assert not any(task.done() for task in waiting)
    await database.run(journal.append, project("a"), NOW)
    async with asyncio.timeout(LONG / 2):
        assert await asyncio.gather(*waiting) == [1, 1, 1]
        assert await facts.wait(0) == 1


async def test_waiting_has_an_end_when_nothing_happens(facts: Journal) -> None:
    assert await facts.wait(0, timeout=0.01) == 0


async def test_what_another_process_wrote_is_found_by_looking(migrated_url: str, database: db.Database) -> None:
    here = Journal(database, poll=0.01)
    waiting = asyncio.create_task(here.wait(0))
    elsewhere = db.Database.open(migrated_url, durable=False)
    await elsewhere.run(journal.append, project("a"), NOW)
    async with asyncio.timeout(LONG):
        assert await waiting == 1
    await elsewhere.close()


async def test_following_gives_what_is_there_and_then_what_comes(database: db.Database, facts: Journal) -> None:
    await database.run(journal.append, project("a"), NOW)
    moved = BranchMoved(project="demo/api", branch="main", old="0", new="1", cause="push")
    async with asyncio.timeout(LONG), contextlib.aclosing(facts.follow(0, [ProjectCreated])) as batches:
        assert [entry.id for entry in await anext(batches)] == [1]
        coming = asyncio.ensure_future(anext(batches))
        for event in (moved, moved, project("b")):
            await database.run(journal.append, event, NOW)
        assert [entry.event for entry in await coming] == [project("b")]


async def test_a_follower_misses_nothing_of_what_many_write_at_once(migrated_url: str, database: db.Database) -> None:
    elsewhere = db.Database.open(migrated_url, durable=False)
    total = 60

    def sometimes_fail(session: db.Session, number: int) -> int:
        id = journal.append(session, project(str(number)), NOW)
        if number % 5 == 4:
            raise LookupError
        return id

    async def follow(facts: Journal) -> list[Entry]:
        seen: list[Entry] = []
        async with contextlib.aclosing(facts.follow(0)) as batches:
            async for batch in batches:
                seen += batch
                if len(seen) >= total * 4 // 5:
                    break
        return seen

    followers = [asyncio.create_task(follow(Journal(where, poll=0.02))) for where in (database, elsewhere, database)]
    where = (database, elsewhere)
    ids = await asyncio.gather(
        *(where[number % 2].run(sometimes_fail, number) for number in range(total)), return_exceptions=True
    )
    async with asyncio.timeout(LONG):
        seen = await asyncio.gather(*followers)
    kept = sorted(id for id in ids if isinstance(id, int))
    assert kept == list(range(1, total * 4 // 5 + 1))
    assert all([entry.id for entry in entries] == kept for entries in seen)
    await elsewhere.close()


async def test_a_cursor_starts_at_zero_and_is_moved(database: db.Database) -> None:
    assert await database.read(journal.cursor, "mail") == 0
    await database.run_silent(journal.move_cursor, "mail", 5)
    await database.run_silent(journal.move_cursor, "mail", 7)
    assert await database.read(journal.cursor, "mail") == 7
    assert await database.read(journal.cursor, "irc") == 0


async def test_a_reader_that_moves_its_cursor_with_its_effects_acts_exactly_once(
    migrated_url: str, database: db.Database
) -> None:
    def make_table(session: db.Session) -> None:
        session.execute(sa.text("create table effects (id integer not null)"))

    def act(session: db.Session) -> int:
        """One step of the reader: two of them compete, and one in three dies after its effects."""
        batch = journal.read_in(session, journal.cursor(session, "reader"), limit=3)
        for entry in batch:
            session.execute(sa.text("insert into effects values (:id)"), {"id": entry.id})
        if batch:
            journal.move_cursor(session, "reader", batch[-1].id)
        tries.append(1)
        if len(tries) % 3 == 0:
            raise LookupError
        return len(batch)

    async def read_everything(where: db.Database) -> None:
        while await where.read(journal.cursor, "reader") < 20:
            with contextlib.suppress(LookupError):
                await where.run_silent(act)

    tries: list[int] = []
    elsewhere = db.Database.open(migrated_url, durable=False)
    await database.run_silent(make_table)
    for number in range(20):
        await database.run(journal.append, project(str(number)), NOW)
    async with asyncio.timeout(LONG):
        await asyncio.gather(read_everything(database), read_everything(elsewhere), read_everything(elsewhere))
    query = sa.text("select id from effects order by id")
    assert await database.read(lambda session: session.execute(query).scalars().all()) == list(range(1, 21))
    await elsewhere.close()
