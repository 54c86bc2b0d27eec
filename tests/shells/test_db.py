# SPDX-License-Identifier: Apache-2.0
"""Transactions on SQLite and PostgreSQL: all or nothing, shared commits, repeats, and what failure looks like."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
import sqlalchemy as sa

from gatebot import db, db_engines, journal
from gatebot.errors import Unavailable
from gatebot.events import ProjectCreated

NOW = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)


@pytest.fixture
async def database(migrated_url: str) -> AsyncIterator[db.Database]:
    database = db.Database.open(migrated_url, durable=False)
    await database.run_silent(make_table)
    yield database
    await database.close()


@pytest.fixture
async def sqlite(tmp_path: Path) -> AsyncIterator[db.Database]:
    database = db.Database.open(f"sqlite:///{tmp_path / 'x.db'}")
    await database.run(make_table)
    yield database
    await database.close()


def make_table(session: db.Session) -> None:
    """A table that no room has."""
    session.execute(sa.text("create table counted (name varchar(20) primary key, count integer not null)"))


def put(session: db.Session, name: str, count: int = 0) -> str:
    """Insert a row and return its name."""
    session.execute(sa.text("insert into counted values (:name, :count)"), {"name": name, "count": count})
    return name


def names(session: db.Session) -> list[str]:
    """All names in order."""
    return list(session.execute(sa.text("select name from counted order by name")).scalars())


def append(session: db.Session, project: str) -> int:
    """Append a fact."""
    return journal.append(session, ProjectCreated(project=project), NOW)


async def test_a_transaction_returns_what_its_function_returned_and_is_seen_by_the_next_read(
    database: db.Database,
) -> None:
    assert await database.run(put, "a", count=1) == "a"
    assert await database.read(names) == ["a"]


async def test_a_function_that_fails_takes_back_only_its_own_changes(database: db.Database) -> None:
    def fail(session: db.Session) -> None:
        put(session, "lost")
        raise LookupError("no")

    outcomes = await asyncio.gather(
        database.run(put, "a"), database.run(fail), database.run(put, "b"), return_exceptions=True
    )
    assert outcomes[0] == "a"
    assert isinstance(outcomes[1], LookupError)
    assert outcomes[2] == "b"
    assert await database.read(names) == ["a", "b"]


async def test_a_refused_statement_takes_back_only_its_own_transaction(database: db.Database) -> None:
    await database.run(put, "a")
    outcomes = await asyncio.gather(database.run(put, "a"), database.run(put, "b"), return_exceptions=True)
    assert isinstance(outcomes[0], sa.exc.IntegrityError)
    assert outcomes[1] == "b"


async def test_a_read_cannot_write(database: db.Database) -> None:
    with pytest.raises(sa.exc.DBAPIError):
        await database.read(put, "a")
    assert await database.read(names) == []


async def test_a_read_sees_one_snapshot(database: db.Database) -> None:
    started, go_on = threading.Event(), threading.Event()

    def look_twice(session: db.Session) -> tuple[list[str], list[str]]:
        before = names(session)
        started.set()
        go_on.wait(30)
        return before, names(session)

    looking = asyncio.create_task(database.read(look_twice))
    await asyncio.to_thread(started.wait, 30)
    await database.run(put, "a")
    go_on.set()
    assert await looking == ([], [])


async def test_only_run_may_append_to_the_journal(database: db.Database) -> None:
    assert await database.run(append, "demo/api") == 1
    with pytest.raises((RuntimeError, sa.exc.DBAPIError)):
        await database.read(append, "demo/api")
    if not database.is_sqlite:
        with pytest.raises(RuntimeError, match=r"use run\(\), not read\(\) or run_silent\(\)"):
            await database.run_silent(append, "demo/api")
    assert await journal.Journal(database).last() == 1


async def test_reading_and_then_writing_loses_no_count(database: db.Database) -> None:
    def count(session: db.Session) -> None:
        now = session.execute(sa.text("select count from counted where name = 'a'")).scalar_one()
        session.execute(sa.text("update counted set count = :count where name = 'a'"), {"count": now + 1})

    await database.run(put, "a")
    await asyncio.gather(*(run(count) for _ in range(15) for run in (database.run, database.run_silent)))
    query = sa.text("select count from counted")
    assert await database.read(lambda session: session.execute(query).scalar_one()) == 30


async def test_threads_that_may_block_use_run_now_and_read_now(database: db.Database) -> None:
    assert await asyncio.to_thread(database.run_now, put, "a") == "a"
    assert await asyncio.to_thread(database.read_now, names) == ["a"]
    with pytest.raises(
        RuntimeError, match=r"the event loop's thread must not block: await run\(\) or read\(\) instead"
    ):
        database.run_now(put, "b")


async def test_a_transaction_that_asks_for_another_one_is_refused_and_not_stuck(database: db.Database) -> None:
    def nested(_session: db.Session) -> None:
        database.run_now(put, "a")

    with pytest.raises(RuntimeError, match="a transaction asked for another one: pass its session along instead"):
        await database.run(nested)


async def test_what_is_queued_is_carried_out_although_nobody_waits_any_more(database: db.Database) -> None:
    waiting = asyncio.create_task(database.run(put, "a"))
    await asyncio.sleep(0)
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)
    await database.run(put, "b")
    while await database.read(names) != ["a", "b"]:
        await asyncio.sleep(0.001)
    assert waiting.cancelled()


async def test_closing_finishes_what_is_queued_and_refuses_what_comes_later(database: db.Database) -> None:
    last = [asyncio.create_task(database.run(put, str(number))) for number in range(5)]
    await asyncio.sleep(0)
    await database.close()
    assert await asyncio.gather(*last) == ["0", "1", "2", "3", "4"]
    with pytest.raises(Unavailable) as refused:
        await database.run(put, "late")
    assert str(refused.value) == ("The database is closed, because the server is stopping. Try again when it runs.")


async def test_times_come_back_aware_and_in_utc(database: db.Database) -> None:
    seoul = timezone(timedelta(hours=9))
    table = sa.Table("moments", sa.MetaData(), sa.Column("at", db.utc), sa.Column("n", sa.Integer))
    moment = datetime(2026, 7, 1, 8, 30, 15, 123456, tzinfo=seoul)

    def keep(session: db.Session) -> list[datetime | None]:
        table.create(session)
        session.execute(table.insert(), [{"at": moment, "n": 1}, {"at": None, "n": 2}, {"at": NOW, "n": 3}])
        later = sa.select(table.c.at).where(table.c.at > NOW)
        return [*session.execute(later).scalars(), *session.execute(sa.select(table.c.at).order_by("n")).scalars()]

    kept = await database.run_silent(keep)
    assert kept == [moment, moment, None, NOW]
    assert all(at is None or at.tzinfo is UTC for at in kept)
    with pytest.raises(sa.exc.StatementError, match="a time without a zone cannot be stored"):
        await database.run_silent(lambda s: s.execute(table.insert(), {"at": datetime(2026, 1, 1)}))


async def test_listeners_hear_of_commits_that_appended_and_of_no_others(database: db.Database) -> None:
    heard: list[int] = []
    on_writer: list[str] = []
    forget = database.on_commit(heard.append)
    await asyncio.to_thread(database.on_commit, lambda _last: on_writer.append(threading.current_thread().name))
    await asyncio.to_thread(database.on_commit, lambda last: 1 // 0)
    await database.run(put, "quiet")
    await database.run(append, "a")
    while not heard:  # on its way to this loop
        await asyncio.sleep(0.001)
    await asyncio.gather(database.run(append, "b"), database.run(append, "c"))
    while heard[-1:] != [3]:
        await asyncio.sleep(0.001)
    assert heard[0] == 1
    assert heard == sorted(set(heard))
    assert all(name.startswith("db-write") for name in on_writer)
    forget()
    await database.run(append, "d")
    await database.read(names)
    assert heard[-1] == 3


async def test_waiting_functions_share_one_commit_on_sqlite(sqlite: db.Database) -> None:
    commits: list[int] = []
    started, go_on = threading.Event(), threading.Event()

    def hold(session: db.Session) -> None:
        started.set()
        go_on.wait(30)

    def counted(_connection: sa.Connection) -> None:
        commits.append(1)

    sa.event.listen(sa.Engine, "commit", counted)
    try:
        held = asyncio.create_task(sqlite.run(hold))
        await asyncio.to_thread(started.wait, 30)
        others = [asyncio.create_task(sqlite.run(put, f"{number:02}")) for number in range(20)]
        await asyncio.sleep(0)
        go_on.set()
        await asyncio.gather(held, *others)
    finally:
        sa.event.remove(sa.Engine, "commit", counted)
    assert len(commits) == 1
    assert len(await sqlite.read(names)) == 20


async def test_a_commit_that_fails_is_told_to_everyone_in_its_group(sqlite: db.Database) -> None:
    started, go_on = threading.Event(), threading.Event()

    def refer_to_nothing(session: db.Session) -> None:
        session.execute(
            sa.text("create table child (of varchar references counted (name) deferrable initially deferred)")
        )
        session.execute(sa.text("insert into child values ('nobody')"))
        started.set()
        go_on.wait(30)

    first = asyncio.create_task(sqlite.run(refer_to_nothing))
    await asyncio.to_thread(started.wait, 30)
    second = asyncio.create_task(sqlite.run(put, "a"))
    await asyncio.sleep(0)
    go_on.set()
    outcomes = await asyncio.gather(first, second, return_exceptions=True)
    assert [type(outcome) for outcome in outcomes] == [sa.exc.IntegrityError, sa.exc.IntegrityError]
    assert await sqlite.run(put, "b") == "b"
    assert await sqlite.read(names) == ["b"]


async def test_a_file_that_another_process_holds_is_unavailable(
    migrated_sqlite: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(db_engines, "_BUSY_SECONDS", 0.05)
    path = tmp_path / "held.db"
    database = db.Database.open(f"sqlite:///{path}")
    await database.run(make_table)
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(Unavailable) as refused:
        await database.run(put, "a")
    assert str(refused.value) == (
        f"The database sqlite:///{path} cannot be used: database is locked. Check [database] url in gatebot.toml, "
        "and that the database runs and has room."
    )
    other.execute("ROLLBACK")
    other.close()
    assert await database.run(put, "a") == "a"
    await database.close()


async def test_a_lost_connection_to_postgresql_is_told_once_and_then_healed(database: db.Database) -> None:
    if database.is_sqlite:
        assert await database.read(names) == []
        return
    cut = sa.text("select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database()")
    with pytest.raises(Unavailable, match="cannot be used"):
        await database.run_silent(lambda session: session.execute(cut))
    assert await database.run(put, "a") == "a"
    assert await database.read(names) == ["a"]


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("sqlite:////nowhere/at/all/gatebot.db", "the directory /nowhere/at/all does not exist"),
        ("sqlite:///gatebot.db", "an absolute path is needed after sqlite:///"),
        ("mysql://localhost/gatebot", "mysql is not supported; use sqlite or postgresql"),
        ("gatebot.db", "it is not an address such as sqlite:////srv/gatebot.db"),
    ],
)
def test_an_unusable_address_is_refused_with_the_reason(url: str, why: str) -> None:
    with pytest.raises(Unavailable) as refused:
        db.Database.open(url)
    assert f"cannot be used: {why}. Check [database] url in gatebot.toml" in str(refused.value)


@pytest.mark.parametrize("act", [db.Database.open, db.migrate])
def test_a_postgresql_that_does_not_answer_is_unavailable_and_its_password_stays_secret(act: object) -> None:
    assert callable(act)
    with pytest.raises(Unavailable) as refused:
        act("postgresql://gatebot:hunter2@/gatebot?host=/nowhere")
    assert "gatebot:***@" in str(refused.value)
    assert "hunter2" not in str(refused.value)
    assert "/nowhere" in str(refused.value)
