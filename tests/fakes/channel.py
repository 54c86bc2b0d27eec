# SPDX-License-Identifier: Apache-2.0
"""A whole site whose bot is in a channel of a real IRC network, and a person who reads there what it says."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Generator
from contextlib import contextmanager
from pathlib import Path
from threading import Thread
from typing import TypeVar

from gatebot.app.places import SETTINGS
from tests.fakes.irc import Friend, NgIrcd, free_port
from tests.fakes.site import Builds, RunningSite, Template

T = TypeVar("T")
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
    """Somebody in the channel, for a story that is not asynchronous.

    The network is listened to in a thread of its own: a browser of other stories leaves a loop running in the first.
    """

    def __init__(self, port: int) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self._friend = self._run(Friend.connect(port, "mina", CHANNEL))

    def _run(self, what: Coroutine[object, object, T]) -> T:
        return asyncio.run_coroutine_threadsafe(what, self._loop).result()

    def meets(self) -> None:
        """Wait until the bot is there."""
        self._run(self._friend.meets("gatebot"))

    def reads(self) -> str:
        """What the bot says next."""
        line = self._run(self._friend.sees(f"PRIVMSG {CHANNEL} :"))
        assert line.startswith(":gatebot!")
        return line.partition(f"PRIVMSG {CHANNEL} :")[2]

    def says(self, text: str) -> None:
        """Say something in the channel."""
        self._loop.call_soon_threadsafe(self._friend.say, CHANNEL, text)

    def sees(self, part: str) -> str:
        """The next line of the network that holds a text."""
        return self._run(self._friend.sees(part))

    def sends(self, raw: str) -> None:
        """Send a raw line."""
        self._loop.call_soon_threadsafe(self._friend.send, raw)

    def whispers(self, text: str) -> str:
        """Say something to the bot alone; what it answers, to her alone."""
        self._loop.call_soon_threadsafe(self._friend.say, "gatebot", text)
        line = self._run(self._friend.sees("PRIVMSG mina :"))
        assert line.startswith(":gatebot!")
        return line.partition("PRIVMSG mina :")[2]

    def leaves(self) -> None:
        """Leave the network."""
        self._run(self._friend.close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()


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
