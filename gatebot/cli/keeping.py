# SPDX-License-Identifier: Apache-2.0
"""Backup and restore of a whole site: database, repositories, logs, minutes, settings.

The server may run meanwhile. What never changes (git objects, logs) is copied first; then writing is
held for the moment it takes to copy the database, the references and what is new, so that the copy
is one state of the site. Intents that are open in it are settled at the next start, as after a crash.
"""

from __future__ import annotations

import json
import shutil
import sqlite3
import subprocess
from collections.abc import Callable, Generator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from .. import __version__, db
from ..app import places, users
from ..app.places import KEY, PARTS, SETTINGS, TOKEN, Places
from ..errors import Conflict, GatebotError, Invalid, Unavailable

_MANIFEST = "backup.json"
_DUMP = "database.dump"
_HOLD = 60.0  # seconds to wait for the writer of a running server


def backup(directory: Path, target: Path) -> str:
    """Copy a site; returns in words what was copied. Raises `Conflict` when the target is not new."""
    _, where = places.load(directory)
    _must_be_new(target, "gatebot backup NEW-DIRECTORY")
    target.mkdir(parents=True)
    target.chmod(0o700)
    for part in PARTS:
        _copy_new(where.data / part, target / part, references=False)
    with _writing_held(where) as copy_database:
        copy_database(target)
        for part in PARTS:
            _copy_new(where.data / part, target / part)
    for file in (where.directory / SETTINGS, where.directory / TOKEN, where.key):
        if file.is_file():
            shutil.copy2(file, target / file.name)
    made = {"version": __version__, "at": datetime.now(UTC).isoformat(timespec="seconds"), "parts": PARTS}
    (target / _MANIFEST).write_text(json.dumps(made, indent=2) + "\n")
    size = sum(path.stat().st_size for path in target.rglob("*") if path.is_file())
    return f"{size / 1e6:.1f} MB"


def restore(source: Path, directory: Path) -> None:
    """Make a site from a backup. An external database must be there, and empty."""
    if not (source / _MANIFEST).is_file():
        raise Invalid(f"{source} is no backup of gatebot (it has no {_MANIFEST}, which a whole backup ends with).")
    _must_be_new(directory, f"gatebot restore {source} NEW-DIRECTORY")
    directory.mkdir(parents=True)
    directory.chmod(0o755)
    for name in (SETTINGS, TOKEN):
        if (source / name).is_file():
            shutil.copy2(source / name, directory / name)
    settings, where = places.load(directory)
    where.data.mkdir(parents=True, exist_ok=True)
    for part in PARTS:
        _copy_new(source / part, where.data / part)
    if (source / KEY).is_file():
        shutil.copy2(source / KEY, where.key)
    if (file := where.database_file) is not None:
        shutil.copy2(source / "gatebot.db", file)
    else:
        _run(["pg_restore", "--no-owner", "--dbname", _libpq(where), str(source / _DUMP)])
    db.migrate(where.database_url)
    where.close_to_others()
    users.give(where.data, users.server_user(settings.executor.run_as))


def _must_be_new(target: Path, command: str) -> None:
    if target.exists():
        raise Conflict(f"{target} exists already. Name a directory that does not: {command}")


@contextmanager
def _writing_held(where: Places) -> Generator[Callable[[Path], None]]:
    """Keep everybody from writing to the database; yields what copies it to a directory."""
    if (file := where.database_file) is not None:
        with _sqlite_held(file) as copy:
            yield copy
        return
    import psycopg

    try:
        with psycopg.connect(_libpq(where)) as connection:
            connection.execute("LOCK TABLE journal_clock IN EXCLUSIVE MODE")
            yield lambda target: _run(["pg_dump", "--format=custom", f"--file={target / _DUMP}", _libpq(where)])
    except psycopg.Error as error:
        raise Unavailable(f"The database cannot be read: {error}") from None


@contextmanager
def _sqlite_held(file: Path) -> Generator[Callable[[Path], None]]:
    holder = sqlite3.connect(file, timeout=_HOLD, isolation_level=None)

    def copy(target: Path) -> None:
        source, made = sqlite3.connect(file), sqlite3.connect(target / "gatebot.db")
        try:
            source.backup(made)
        finally:
            source.close()
            made.close()

    try:
        holder.execute("BEGIN IMMEDIATE")
        yield copy
        holder.execute("ROLLBACK")
    except sqlite3.OperationalError as error:
        raise Unavailable(f"The database cannot be held ({error}). Try again in a moment.") from None
    finally:
        holder.close()


def _copy_new(source: Path, target: Path, *, references: bool = True) -> None:
    """Copy what is not there yet or has changed since; locks of running work are left out.

    Without `references`, git's references stay out: a loose one that is packed later would shadow the packed one.
    """
    if not source.is_dir():
        return
    for path in sorted(source.rglob("*")):
        there = target / path.relative_to(source)
        try:
            if path.is_symlink() or (not references and {"refs", "packed-refs"} & set(path.parts)):
                continue
            if path.is_dir():
                there.mkdir(parents=True, exist_ok=True)
            elif path.suffix != ".lock" and not path.name.startswith("tmp_"):
                if there.exists() and _seal(there) == _seal(path):
                    continue
                there.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(path, there)
        except FileNotFoundError:
            continue  # gone meanwhile: a temporary file of running work


def _seal(path: Path) -> tuple[int, float]:
    """What tells that a file has not changed: size in bytes, time of change."""
    found = path.stat()
    return found.st_size, found.st_mtime


def _libpq(where: Places) -> str:
    return where.database_url.replace("postgresql+psycopg://", "postgresql://")


def _run(command: list[str]) -> None:
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        raise Unavailable(
            f"{command[0]} is not installed: install PostgreSQL's client programs and try again."
        ) from None
    if done.returncode:
        raise GatebotError(f"{command[0]} failed: {done.stderr.strip()}")
