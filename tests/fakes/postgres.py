# SPDX-License-Identifier: Apache-2.0
"""A real PostgreSQL cluster of the tests' own: made in a temporary directory, reached by a unix socket, thrown away.

PostgreSQL refuses to run as root, so a root test run starts it as `postgres` or `nobody`. Nothing is synced to
disk. The server dies with the test process, even when that is killed.
"""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
import time
from pathlib import Path

import psycopg

_START_SECONDS = 60
_SETTINGS = (
    "listen_addresses=",
    "fsync=off",
    "synchronous_commit=off",
    "full_page_writes=off",
    "max_connections=100",
    "autovacuum=off",
)


def find_programs() -> Path | None:
    """The directory of `initdb` and `postgres`: the newest of Debian's, else the one on PATH."""
    versions = sorted(
        Path("/usr/lib/postgresql").glob("*/bin/postgres"), key=lambda at: at.parts[-3].zfill(4), reverse=True
    )
    found = shutil.which("postgres")
    candidates = [*versions, *([Path(found).resolve()] if found else [])]
    return next((at.parent for at in candidates if (at.parent / "initdb").exists()), None)


class Cluster:
    """One running cluster; `create` and `drop` give each test a database of its own."""

    def __init__(self, programs: Path) -> None:
        self._account = _account()
        # Not below pytest's own directory: a socket's path may have 107 bytes, and others must be able to enter.
        self._home = Path(tempfile.mkdtemp(prefix="gb-pg-"))
        if self._account is not None:
            os.chown(self._home, self._account.pw_uid, self._account.pw_gid)
        self._count = 0
        data = self._home / "data"
        self._log = (self._home / "log").open("wb")
        initdb = [programs / "initdb", "-D", data, "-U", "gatebot", "-A", "trust", "-E", "UTF8", "--no-locale"]
        self._spawn([*initdb, "--no-sync", "--no-instructions"]).wait()
        settings = [word for setting in _SETTINGS for word in ("-c", setting)]
        # INT is PostgreSQL's fast shutdown; the kernel sends it when this process ends.
        self._server = self._spawn(
            ["setpriv", "--pdeathsig", "INT", programs / "postgres", "-D", data, "-k", self._home, *settings]
        )
        self._admin = self._connect()

    def create(self, template: str = "template1") -> str:
        """A new database, copied from `template`; its name."""
        self._count += 1
        name = f"t{self._count}"
        self._admin.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}"'.encode())
        return name

    def drop(self, name: str) -> None:
        """Throw a database away, whoever is still connected."""
        self._admin.execute(f'DROP DATABASE "{name}" WITH (FORCE)'.encode())

    def url(self, name: str) -> str:
        """Where SQLAlchemy finds a database."""
        return f"postgresql+psycopg://gatebot@/{name}?host={self._home}"

    def close(self) -> None:
        """Stop the server and remove everything."""
        self._admin.close()
        self._server.send_signal(2)
        try:
            self._server.wait(10)
        except subprocess.TimeoutExpired:
            self._server.kill()
            self._server.wait()
        self._log.close()
        shutil.rmtree(self._home, ignore_errors=True)

    def _spawn(self, command: list[str | Path]) -> subprocess.Popen[bytes]:
        who = self._account
        privileges = {} if who is None else {"user": who.pw_uid, "group": who.pw_gid, "extra_groups": []}
        return subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=self._log,
            stderr=self._log,
            cwd=self._home,
            env={"PATH": os.environ["PATH"], "LC_ALL": "C"},
            **privileges,
        )

    def _connect(self) -> psycopg.Connection:
        deadline = time.monotonic() + _START_SECONDS
        while True:
            try:
                return psycopg.connect(host=str(self._home), user="gatebot", dbname="postgres", autocommit=True)
            except psycopg.OperationalError:
                if self._server.poll() is not None or time.monotonic() > deadline:
                    said = (self._home / "log").read_text(errors="replace")
                    raise RuntimeError(f"PostgreSQL did not start; it said:\n{said}") from None
                time.sleep(0.02)


def _account() -> pwd.struct_passwd | None:
    """Whom a root test run starts the server as; None: as itself."""
    if os.geteuid() != 0:
        return None
    names = {entry.pw_name: entry for entry in pwd.getpwall()}
    return names.get("postgres") or names["nobody"]
