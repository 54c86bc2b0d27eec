# SPDX-License-Identifier: Apache-2.0
"""What a transaction is on SQLite and on PostgreSQL: the two engines behind `db.Database`.

Here live pragmas, isolation levels, commit groups and retries. Both engines offer `writers`,
`silent_writers` and `readers`, three lanes of threads that call `call(session)` inside a
transaction. Nothing here knows a table but `journal_clock`, and that one only to lock it.
"""

from __future__ import annotations

import logging
import random
import sqlite3
import time
from collections.abc import Callable
from pathlib import Path
from typing import Protocol, cast

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import URL
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import DBAPIError, OperationalError

from .access import expression
from .errors import Unavailable
from .lanes import Lane, Work
from .reasons import reason
from .words import say

log = logging.getLogger(__name__)

Told = Callable[[int], None]
"""Told the last journal id of transactions that were committed and had appended."""

MAY_APPEND = "gatebot.may_append"
APPENDED = "gatebot.appended"
"""Keys of `session.info`, through which `journal.append` and the engines understand each other."""

_GROUP = 64
_READERS = 4
_BUSY_SECONDS = 15
_ATTEMPTS = 12
_SERIALIZATION = ("40001", "40P01")


class Engines(Protocol):
    """One database, ready for work."""

    writers: Lane
    silent_writers: Lane
    readers: Lane

    def close(self) -> None:
        """Finish what is queued and give all connections back."""
        ...


class Sqlite:
    """One writer thread whose waiting calls share a commit, and a pool of read-only connections.

    A group costs one fsync however many calls it holds. Each call has a savepoint, so one that
    fails takes back only its own changes; a commit that fails is told to every call of its group.
    """

    def __init__(self, url: URL, told: Told, *, durable: bool) -> None:
        path = Path(url.database or "")
        if not path.is_absolute():
            raise unavailable(url, "an absolute path is needed after sqlite:///")
        if not path.parent.is_dir():
            raise unavailable(url, f"the directory {path.parent} does not exist")
        self._told = told
        synchronous = "FULL" if durable else "OFF"
        self._write_engine = _sqlite_engine(url, f"PRAGMA synchronous={synchronous}", begin="BEGIN IMMEDIATE")
        self._read_engine = _sqlite_engine(url, "PRAGMA query_only=ON", begin="BEGIN")
        _check(self._write_engine, url)
        self.writers = self.silent_writers = Lane("db-write", 1, self._write)
        self.readers = Lane("db-read", _READERS, self._read)

    def close(self) -> None:
        self.writers.close()
        self.readers.close()
        self._read_engine.dispose()
        self._write_engine.dispose()

    def _write(self, lane: Lane) -> None:
        with self._write_engine.connect() as connection:
            connection.info[MAY_APPEND] = True
            while (work := lane.take()) is not None:
                self._commit_group(lane, connection, work)

    def _read(self, lane: Lane) -> None:
        # A file does not go away as a server does: each thread keeps its connection.
        with self._read_engine.connect() as connection:
            while (work := lane.take()) is not None:
                try:
                    _read(connection, work)
                except BaseException as error:
                    work.finish(error=_translated(self._read_engine.url, error))

    def _commit_group(self, lane: Lane, connection: Connection, first: Work) -> None:
        done: list[tuple[Work, object]] = []
        work: Work | None = first
        last = 0
        try:
            with connection.begin():
                driver = connection.connection.cursor()
                while work is not None:
                    driver.execute("SAVEPOINT work")
                    try:
                        result = work.call(connection)
                    except BaseException as error:
                        connection.info.pop(APPENDED, None)
                        work.finish(error=error)
                        work = None
                        driver.execute("ROLLBACK TO work")
                    else:
                        last = connection.info.pop(APPENDED, last)
                        done.append((work, result))
                    driver.execute("RELEASE work")
                    work = lane.more() if len(done) < _GROUP else None
        except BaseException as error:
            # SQLite leaves the transaction open when only its commit failed.
            connection.connection.rollback()
            for failed in {id(w): w for w in [*(w for w, _ in done), work] if w is not None}.values():
                failed.finish(error=_translated(self._write_engine.url, error))
            return
        for work, result in done:
            work.finish(result)
        if last:
            self._told(last)


def _sqlite_engine(url: URL, pragma: str, *, begin: str) -> Engine:
    connect_args = {"isolation_level": None, "timeout": _BUSY_SECONDS, "cached_statements": 512}
    engine = create_engine(url, pool_size=_READERS, connect_args={**connect_args, "check_same_thread": False})

    def prepare(connection: DBAPIConnection, _record: object) -> None:
        cursor = connection.cursor()
        for statement in ("PRAGMA journal_mode=WAL", "PRAGMA foreign_keys=ON", "PRAGMA cache_size=-16000", pragma):
            cursor.execute(statement)
        cursor.close()
        # SQLite's REGEXP in linear time, whatever is asked for.
        cast("sqlite3.Connection", connection).create_function("regexp", 2, _fits, deterministic=True)

    def start(connection: Connection) -> None:
        connection.exec_driver_sql(begin)

    event.listen(engine, "connect", prepare)
    event.listen(engine, "begin", start)
    return engine


def _fits(pattern: str, text: str | None) -> bool:
    return text is not None and expression(pattern).fullmatch(text) is not None


class Postgres:
    """SERIALIZABLE transactions on a bounded pool, run again when PostgreSQL asks for it.

    Those that may append take the journal's lock before their snapshot: they wait for each other
    instead of failing, and the order of their ids is the order of their commits.
    """

    def __init__(self, url: URL, told: Told) -> None:
        self._told = told
        url = _with_driver(url)
        self._engine = create_engine(
            url, isolation_level="SERIALIZABLE", pool_size=12, max_overflow=0, pool_pre_ping=True
        )
        _check(self._engine, url)
        self._read_engine = self._engine.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
        self.writers = Lane("db-write", 4, lambda lane: self._serve_writes(lane, appends=True))
        self.silent_writers = Lane("db-write-silent", 4, lambda lane: self._serve_writes(lane, appends=False))
        self.readers = Lane("db-read", _READERS, lambda lane: _serve_reads(lane, self._read_engine))

    def close(self) -> None:
        self.writers.close()
        self.silent_writers.close()
        self.readers.close()
        self._engine.dispose()

    def _serve_writes(self, lane: Lane, *, appends: bool) -> None:
        while (work := lane.take()) is not None:
            try:
                result, last = self._commit(work.call, appends=appends)
            except BaseException as error:
                work.finish(error=_translated(self._engine.url, error))
            else:
                work.finish(result)
                if last:
                    self._told(last)

    def _commit(self, call: Callable[[Connection], object], *, appends: bool) -> tuple[object, int]:
        attempt = 0
        while True:
            try:
                with self._engine.connect() as connection, connection.begin():
                    connection.info.pop(APPENDED, None)
                    connection.info[MAY_APPEND] = appends
                    if appends:
                        connection.exec_driver_sql("LOCK TABLE journal_clock IN EXCLUSIVE MODE")
                    result = call(connection)
                    last = connection.info.pop(APPENDED, 0)
            except DBAPIError as error:
                if getattr(error.orig, "sqlstate", None) not in _SERIALIZATION:
                    raise
                attempt += 1
                if attempt == _ATTEMPTS:
                    raise unavailable(self._engine.url, f"{attempt} attempts met other transactions") from error
                time.sleep(random.uniform(0, 0.002 * 2 ** min(attempt, 7)))  # noqa: S311
            else:
                return result, last


def _serve_reads(lane: Lane, engine: Engine) -> None:
    while (work := lane.take()) is not None:
        try:
            with engine.connect() as connection:
                _read(connection, work)
        except BaseException as error:
            work.finish(error=_translated(engine.url, error))


def _read(connection: Connection, work: Work) -> None:
    with connection.begin():
        connection.info[MAY_APPEND] = False
        result = work.call(connection)
    work.finish(result)


def migration_engine(url: URL) -> Engine:
    """An engine for changing the schema: all or nothing on SQLite too, whose foreign keys must rest meanwhile."""
    if url.get_backend_name() == "sqlite":
        return _sqlite_engine(url, "PRAGMA foreign_keys=OFF", begin="BEGIN IMMEDIATE")
    return create_engine(_with_driver(url))


def _with_driver(url: URL) -> URL:
    """PostgreSQL's address with the driver that is used here, whatever it names."""
    named = url.set(drivername="postgresql+psycopg")
    return named if "connect_timeout" in url.query else named.update_query_dict({"connect_timeout": "10"})


def _check(engine: Engine, url: URL) -> None:
    """Open one connection, so that a wrong address is told at start and not at the first request."""
    try:
        with engine.connect() as connection:
            connection.exec_driver_sql("SELECT 1")
    except DBAPIError as error:
        engine.dispose()
        raise unavailable(url, _first_line(error)) from error


def _translated(url: URL, error: BaseException) -> BaseException:
    """What the caller is told: a lost connection, a full disk or a lock held too long is `Unavailable`."""
    if isinstance(error, DBAPIError) and error.connection_invalidated:
        return unavailable(url, _first_line(error))
    if isinstance(error, OperationalError) and any(
        words in str(error.orig) for words in ("database is locked", "disk is full", "disk I/O error")
    ):
        return unavailable(url, _first_line(error))
    return error


def _first_line(error: DBAPIError) -> str:
    return str(error.orig).strip().splitlines()[0]


def unavailable(url: URL, why: str) -> Unavailable:
    """The error that names the database, without its password."""
    told = reason("hall.database-unavailable", url=url.render_as_string(hide_password=True), why=why)
    return Unavailable(say(told), reason=told)
