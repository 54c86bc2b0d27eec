# SPDX-License-Identifier: Apache-2.0
"""The database: one API over SQLite and PostgreSQL, the metadata of all tables, migrations.

A transaction is a plain function `fn(session, ...)` that touches only its session and returns
frozen values. `await db.run(fn, ...)` writes, `await db.read(fn, ...)` reads; `run_now` and
`read_now` are the same for threads that may block. Tables live in the rooms' `store.py`, on
`metadata`; how an engine carries a transaction out lives in `db_engines.py`.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Concatenate, ParamSpec, TypeVar

import sqlalchemy as sa
from sqlalchemy.engine import URL, Dialect, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, InterfaceError, OperationalError

from .db_engines import APPENDED, MAY_APPEND, Engines, Postgres, Sqlite, migration_engine, unavailable
from .errors import Unavailable

if TYPE_CHECKING:
    from alembic.config import Config

log = logging.getLogger(__name__)

AWAY = (OperationalError, InterfaceError, Unavailable, OSError)
"""What is raised while the database is away, or is closing: whoever may wait tries again."""

P = ParamSpec("P")
T = TypeVar("T")

Session = sa.Connection
"""What a transaction function is given. It never commits or rolls back: returning and raising do."""

metadata = sa.MetaData(
    naming_convention={
        "ix": "ix_%(column_0_N_label)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)


class UtcDateTime(sa.TypeDecorator[datetime]):
    """An aware UTC moment on both engines; a naive one is refused, because nobody knows what it means."""

    impl = sa.DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a time without a zone cannot be stored: use datetime.now(UTC)")
        value = value.astimezone(UTC)
        # SQLite keeps text; without the zone it stays comparable as text.
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


utc = UtcDateTime


class Database:
    """One open database. Close it: what is queued is still carried out."""

    def __init__(self, url: URL, *, durable: bool = True) -> None:
        self.url = url
        self._listeners: dict[int, _Listener] = {}
        self._number = 0
        match url.get_backend_name():
            case "sqlite":
                self._engines: Engines = Sqlite(url, self._told, durable=durable)
            case "postgresql":
                self._engines = Postgres(url, self._told)
            case name:
                raise unavailable(url, f"{name} is not supported; use sqlite or postgresql")

    @classmethod
    def open(cls, url: str, *, durable: bool = True) -> Database:
        """Open `sqlite:////abs/path` or `postgresql+psycopg://...`; the schema is `migrate`'s matter.

        `durable=False` lets SQLite skip fsync: for tests, and for nothing that must survive a power cut.
        """
        return cls(parse_url(url), durable=durable)

    async def run(self, fn: Callable[Concatenate[Session, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Carry out a writing transaction and return what `fn` returned, after the commit.

        On PostgreSQL `fn` may run several times; it must have no effect but through its session.
        """
        return await self._engines.writers.call(lambda session: fn(session, *args, **kwargs))

    async def run_silent(self, fn: Callable[Concatenate[Session, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """`run` for a transaction that appends nothing to the journal, and so need not wait for its lock."""
        return await self._engines.silent_writers.call(lambda session: fn(session, *args, **kwargs))

    async def read(self, fn: Callable[Concatenate[Session, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Carry out a read-only transaction: one snapshot, all that was committed before the call."""
        return await self._engines.readers.call(lambda session: fn(session, *args, **kwargs))

    def run_now(self, fn: Callable[Concatenate[Session, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """`run` for a thread that may block."""
        return self._engines.writers.call_now(lambda session: fn(session, *args, **kwargs))

    def read_now(self, fn: Callable[Concatenate[Session, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """`read` for a thread that may block."""
        return self._engines.readers.call_now(lambda session: fn(session, *args, **kwargs))

    def on_commit(self, callback: Callable[[int], None]) -> Callable[[], None]:
        """Call back with the last journal id after commits that appended; returns what ends it.

        Registered inside an event loop it is called in that loop, once for commits that come in a
        burst; elsewhere it is called on the writing thread.
        """
        self._number += 1
        number = self._number
        self._listeners[number] = _Listener(callback)
        return lambda: _forget(self._listeners, number)

    @property
    def is_sqlite(self) -> bool:
        """For the few statements that differ between the engines."""
        return self.url.get_backend_name() == "sqlite"

    async def close(self) -> None:
        """Finish what is queued and let go of the database."""
        await asyncio.to_thread(self._engines.close)

    def close_now(self) -> None:
        """`close` for a thread that may block."""
        self._engines.close()

    def _told(self, last: int) -> None:
        for listener in list(self._listeners.values()):
            listener.tell(last)


def _forget(listeners: dict[int, _Listener], number: int) -> None:
    listeners.pop(number, None)


class _Listener:
    """One callback of `on_commit`; several commits before its loop comes round are one call."""

    def __init__(self, callback: Callable[[int], None]) -> None:
        self._callback = callback
        self._lock = threading.Lock()
        self._pending = 0
        self._loop: asyncio.AbstractEventLoop | None = None
        with suppress(RuntimeError):
            self._loop = asyncio.get_running_loop()

    def tell(self, last: int) -> None:
        if self._loop is None:
            self._call(last)
            return
        with self._lock:
            asleep = self._pending == 0
            self._pending = max(last, self._pending)
        if asleep:
            with suppress(RuntimeError):
                self._loop.call_soon_threadsafe(self._wake)

    def _wake(self) -> None:
        with self._lock:
            last, self._pending = self._pending, 0
        self._call(last)

    def _call(self, last: int) -> None:
        try:
            self._callback(last)
        except Exception:
            # A listener's defect must not end the thread that writes.
            log.exception("a listener of commits failed")


def note_append(session: Session, id: int) -> None:
    """Remember that this transaction appended; refuse it where the journal's lock is not held."""
    if not session.info.get(MAY_APPEND):
        raise RuntimeError("this transaction may not append to the journal: use run(), not read() or run_silent()")
    session.info[APPENDED] = id


def parse_url(url: str) -> URL:
    """The parts of a database's address."""
    try:
        return make_url(url)
    except ArgumentError as error:
        raise unavailable(URL.create("unreadable"), "it is not an address such as sqlite:////srv/gatebot.db") from error


def migrate(url: str) -> None:
    """Bring the schema to the newest revision; nothing happens when it is there already."""
    from alembic import command
    from alembic.script.revision import ResolutionError
    from alembic.util import CommandError

    engine = migration_engine(parse_url(url))
    try:
        with engine.begin() as connection:
            command.upgrade(migration_config(connection), "head")
    except CommandError as error:
        if not isinstance(error.__cause__, ResolutionError):
            raise
        where = engine.url.render_as_string(hide_password=True)
        raise Unavailable(
            f"The database {where} was made by a newer gatebot than this one. "
            "Install that version again, or bring back a backup from before: gatebot restore BACKUP NEW-DIRECTORY"
        ) from None
    except DBAPIError as error:
        raise unavailable(engine.url, str(error.orig).strip()) from error
    finally:
        engine.dispose()


def migration_config(connection: sa.Connection | None) -> Config:
    """Alembic's configuration: where the revisions are, and the connection to change."""
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.attributes["connection"] = connection
    return config
