# SPDX-License-Identifier: Apache-2.0
"""A whole site whose bot is in a channel of a real IRC network, and a person who reads there what it says."""

from __future__ import annotations

import asyncio
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from gatebot.app.places import SETTINGS
from tests.fakes.irc import Friend, NgIrcd, free_port
from tests.fakes.site import Builds, RunningSite, Template

CHANNEL = "#demo"
IRC = """
[[irc]]
host = "127.0.0.1"
port = {port}
tls = false
channels = ["#demo"]
burst = 20
seconds_between_lines = 0
"""


class Reader:
    """Somebody in the channel, for a story that is not asynchronous."""

    def __init__(self, runner: asyncio.Runner, port: int) -> None:
        self._runner = runner
        self._friend = runner.run(Friend.connect(port, "mina", CHANNEL))

    def meets(self) -> None:
        """Wait until the bot is there."""
        self._runner.run(self._friend.meets("gatebot"))

    def reads(self) -> str:
        """What the bot says next."""
        line = self._runner.run(self._friend.sees(f"PRIVMSG {CHANNEL} :"))
        assert line.startswith(":gatebot!")
        return line.partition(f"PRIVMSG {CHANNEL} :")[2]

    def says(self, text: str) -> None:
        """Say something in the channel."""
        self._friend.say(CHANNEL, text)

    def leaves(self) -> None:
        """Leave the network."""
        self._runner.run(self._friend.close())


def on_irc(template: Template, tmp_path: Path, network: NgIrcd, more: str = "") -> Path:
    """A site that is on a network, with more settings."""
    found = template.copy(tmp_path / "site", free_port())
    with (found / SETTINGS).open("a") as file:
        file.write(IRC.format(port=network.port) + more)
    return found


@contextmanager
def running_at(directory: Path, template: Template, builds: Builds) -> Generator[RunningSite]:
    """The site, from a start to an orderly end."""
    with RunningSite(directory, dict(template.tokens), directory.parent / "homes", builds) as site:
        yield site
