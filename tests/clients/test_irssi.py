# SPDX-License-Identifier: Apache-2.0
"""A whole meeting held from irssi, as Debian has it, on ngIRCd: what people type there and what they read.

irssi runs in a terminal of tmux; the test sees the screen that a person would see.
"""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import subprocess
import time
from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from gatebot.clock import SystemClock
from gatebot.db import Database
from gatebot.meetbot.irc.client import Client
from gatebot.meetbot.irc.model import Network
from gatebot.meetbot.model import Setting
from gatebot.meetbot.service import Meetbot
from tests.fakes.irc import NgIrcd, certificate
from tests.programs import need

CHANNEL = "#gatebot-meeting"


class Irssi:
    """irssi on a terminal that nobody looks at but the test."""

    def __init__(self, home: Path, nick: str, port: int, authority: Path) -> None:
        self._tmux = [need("tmux"), "-S", str(home / f"{nick}.tmux")]
        folder = home / f"irssi-{nick}"
        folder.mkdir()
        connect = f"/connect -tls_verify -tls_cafile {authority} 127.0.0.1 {port}"
        command = [need("irssi"), f"--home={folder}", "-n", nick, "-!"]
        self._run("-f", "/dev/null", "-u", "new-session", "-d", "-x", "200", "-y", "50", *command)
        self.type(connect)

    def _run(self, *arguments: str) -> str:
        done = subprocess.run([*self._tmux, *arguments], check=True, capture_output=True, text=True, timeout=30)
        return done.stdout

    def type(self, line: str) -> None:
        """A line and Return."""
        self._run("send-keys", "-l", line)
        self._run("send-keys", "Enter")

    async def shows(self, *texts: str) -> str:
        """Wait until the screen shows all of some texts, in a row or over two rows."""
        screen, deadline = "", time.monotonic() + 60
        while time.monotonic() < deadline:
            screen = await asyncio.to_thread(self._run, "capture-pane", "-p", "-J")
            folded = " ".join(screen.split())
            if all(text in folded for text in texts):
                return screen
            await asyncio.to_thread(self._run, "run-shell", "-d", "0.1")
        raise TimeoutError(f"irssi does not show {texts}, but:\n{screen}")

    def end(self) -> None:
        """Close the terminal."""
        subprocess.run([*self._tmux, "kill-server"], check=False, capture_output=True)


@contextlib.asynccontextmanager
async def bot(url: str, folder: Path, port: int) -> AsyncGenerator[None]:
    """The bot in the channel."""
    database, clock = Database.open(url, durable=False), SystemClock()
    meetbot = Meetbot(database, folder / "meetings", Setting(prefix="http://x/meetings"), clock)
    network = Network("127.0.0.1", port, tls=False, channels=(CHANNEL,), burst=20, rate=20, patience=0.05)
    client = Client(network, meetbot.hear, clock)
    meetbot.plug(network.name, client)
    tasks = [asyncio.create_task(meetbot.run()), asyncio.create_task(client.run())]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await database.close()


@pytest.mark.timeout(240)
async def test_two_people_hold_a_meeting_in_irssi(migrated_sqlite: Path, tmp_path: Path) -> None:
    shutil.copyfile(migrated_sqlite, tmp_path / "bot.db")
    authority, _ = certificate(need("openssl"), tmp_path, "127.0.0.1")
    server = NgIrcd(need("ngircd"), tmp_path, authority)
    server.start()
    assert server.tls_port is not None
    people: list[Irssi] = []
    try:
        async with bot(f"sqlite:///{tmp_path / 'bot.db'}", tmp_path, server.port):
            people += [Irssi(tmp_path, nick, server.tls_port, authority) for nick in ("ann", "bob")]
            ann, bob = people
            for person in people:
                await person.shows("Welcome to the Internet Relay Network")
                person.type(f"/join {CHANNEL}")
            await ann.shows("gatebot]")
            await bob.shows("gatebot]")
            ann.type("#startmeeting Gate Sync")
            await bob.shows("The meeting name has been set to 'gate_sync'", "Useful Commands: #action #agreed")
            ann.type("#topic 지난 주의 일")
            bob.type("#action bob restarts the mirror")
            bob.type("/me is on it")
            ann.type("#startvote Release now? yes, not yet")
            await bob.shows("Begin voting on: Release now? Valid vote options are yes, not yet.")
            bob.type("#vote not yet")
            await ann.shows("#vote not yet")
            ann.type("#endvote")
            await bob.shows("not yet (1): bob")
            ann.type("#endmeeting")
            screen = await bob.shows("Log:", "gate_sync.", ".log.html")
            base = screen.partition("http://x/meetings/")[2].split(".html")[0]
            minutes = (tmp_path / "meetings" / f"{base}.txt").read_text()
            assert "* 지난 주의 일  (ann," in minutes
            assert "* ACTION: bob restarts the mirror  (bob," in minutes
            assert 'Voted on "Release now?" Results are, not yet: 1' in " ".join(minutes.split())
            assert "* bob is on it" in (tmp_path / "meetings" / f"{base}.log.txt").read_text()
    finally:
        for person in people:
            person.end()
        server.stop()
