# SPDX-License-Identifier: Apache-2.0
"""What keeps a site from being made or served is said in one sentence with the next step, and leaves nothing behind."""

from __future__ import annotations

import errno
import os
import socket
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from gatebot import db
from gatebot.app import footing
from gatebot.app.users import User
from gatebot.cli import founding
from gatebot.errors import Conflict, GatebotError, NotPermitted, Unavailable
from gatebot.settings_file import init_text
from tests.fakes.irc import free_port

NOBODY = User("nobody", 65534, 65534)


def serve(directory: Path) -> subprocess.CompletedProcess[str]:
    """`gatebot serve`, which is expected to refuse at once."""
    command = [sys.executable, "-P", "-m", "gatebot", "serve", str(directory)]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)


@pytest.fixture
def unprivileged(monkeypatch: pytest.MonkeyPatch) -> None:
    """Sites of tests lie in directories that only their owner enters; nobody else is made for them."""
    monkeypatch.setattr(founding, "server_user", lambda name: None)


def test_a_second_server_on_the_same_directory_is_refused(tmp_path: Path) -> None:
    with footing.sole_server(tmp_path), pytest.raises(Conflict) as refused, footing.sole_server(tmp_path):
        pass
    assert str(refused.value) == (
        f"Another server (process {os.getpid()}) uses {tmp_path}. "
        "Stop it first, or make a site of its own for this one: gatebot init DIR"
    )
    with footing.sole_server(tmp_path):
        assert (tmp_path / "server.lock").read_text() == f"{os.getpid()}\n"


def test_a_server_without_a_site_says_how_to_make_one(tmp_path: Path) -> None:
    said = serve(tmp_path)
    assert said.stderr == (
        f"gatebot: There is no site in {tmp_path} (no gatebot.toml). Make one: gatebot init {tmp_path}\n"
    )
    assert said.returncode == 1


def test_a_taken_address_is_told() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        listen = f"127.0.0.1:{taken.getsockname()[1]}"
        with pytest.raises(Unavailable) as refused:
            footing.take_address(listen)
    assert str(refused.value) == (
        f"{listen} cannot be listened on (Address already in use). "
        "Stop what is using it, or set another web.listen in gatebot.toml."
    )


def test_an_address_is_taken_and_nothing_is_heard_yet() -> None:
    with footing.take_address("127.0.0.1:0") as taken, socket.socket() as caller:
        assert caller.connect_ex(taken.getsockname()) == errno.ECONNREFUSED


def test_the_user_of_the_server_must_reach_the_data(tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    for above in closed.parents:
        if above.stat().st_uid == os.geteuid() and above.is_relative_to(Path(os.environ.get("TMPDIR", "/tmp"))):
            above.chmod(above.stat().st_mode | 0o001)
    with pytest.raises(Unavailable) as refused:
        footing.check_reach(NOBODY, closed / "site" / "data")
    assert str(refused.value) == (
        f"The server gives up root and becomes nobody, who cannot enter {closed}, where the site's data is. "
        f"Keep the site elsewhere (below /srv, say), or open the way: chmod o+x {closed}"
    )


@pytest.mark.parametrize(
    "script, sentence",
    [
        ("echo git version 2.30.2", "git 2.38 or newer is needed; this is git version 2.30.2. Install a newer one."),
        ("exit 1", "git 2.38 or newer is needed; this is no git at all. Install a newer one."),
        (None, "git is not installed. Debian: apt-get install git"),
    ],
)
def test_a_git_that_cannot_merge_is_told(
    script: str | None, sentence: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    if script is not None:
        (tmp_path / "git").write_text(f"#!/bin/sh\n{script}\n")
        (tmp_path / "git").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(Unavailable) as refused:
        footing.check_git()
    assert str(refused.value) == sentence


def test_a_database_of_a_newer_version_is_refused(migrated_sqlite: Path, tmp_path: Path) -> None:
    file = tmp_path / "gatebot.db"
    file.write_bytes(migrated_sqlite.read_bytes())
    with sqlite3.connect(file) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999_from_tomorrow'")
    connection.close()
    with pytest.raises(Unavailable) as refused:
        db.migrate(f"sqlite:///{file}")
    assert str(refused.value) == (
        f"The database sqlite:///{file} was made by a newer gatebot than this one. Install that version again, "
        "or bring back a backup from before: gatebot restore BACKUP NEW-DIRECTORY"
    )


def test_a_site_is_not_made_where_something_is(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(Conflict) as refused:
        founding.found(tmp_path)
    assert str(refused.value) == (
        f"{tmp_path} is not empty. Name a directory that does not exist yet: gatebot init DIR"
    )


@pytest.mark.usefixtures("unprivileged")
def test_a_directory_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(Unavailable) as refused:
        founding.found(tmp_path / "file" / "site")
    assert str(refused.value) == (
        f"{tmp_path}/file/site cannot be made: Not a directory. Name another: gatebot init DIR"
    )


@pytest.mark.usefixtures("unprivileged")
def test_a_failed_init_leaves_nothing_behind(tmp_path: Path) -> None:
    text = init_text({"database.url": f"postgresql://127.0.0.1:{free_port()}/nothing"})
    with pytest.raises(GatebotError, match="Connection refused"):
        founding.found(tmp_path / "site", text)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_data_directory_of_somebody_else_is_told(tmp_path: Path) -> None:
    closed = tmp_path / "data"
    closed.mkdir(mode=0o500)
    with pytest.raises(NotPermitted, match="cannot be written by the user"), footing.sole_server(closed):
        pass
