# SPDX-License-Identifier: Apache-2.0
"""A small IRC server in this process, for a demo where Debian's ngIRCd cannot be had, and for tests.

Built on `irc.server`, whose gaps are closed in `server_client.py` and `server_commands.py`. It listens on the
loopback only and keeps nothing: not for a public network. It runs in threads of its own.
"""

# The library is not typed.
# pyright: reportUnknownMemberType=false, reportUntypedBaseClass=false

from __future__ import annotations

import argparse
import signal
import threading
from typing import ClassVar

from .server_client import Guest, Home
from .server_commands import COMMANDS, NEEDS


class _Guest(Guest):
    commands: ClassVar = COMMANDS
    needs: ClassVar = NEEDS


class EmbeddedServer:
    """An IRC server on the loopback."""

    def __init__(self, port: int = 0, host: str = "127.0.0.1") -> None:
        """Port 0 takes any that is free."""
        self._server = Home((host, port), _Guest)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), name="irc-server", daemon=True)

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self._server.server_address[1])

    def start(self) -> None:
        """Begin to serve."""
        self._thread.start()

    def stop(self) -> None:
        """Hang up on everybody and stop."""
        self._server.shutdown()
        self._server.server_close()
        with self._server.lock:
            guests = list(self._server.guests)
        for guest in guests:
            guest.hang_up()
        self._thread.join(5)


def main() -> None:
    """`python -m gatebot.meetbot.irc.server --port N`: serve until the process is told to end."""
    parser = argparse.ArgumentParser(description="A small IRC server on the loopback that keeps nothing.")
    parser.add_argument("--port", type=int, default=6667, help="the port to listen on (%(default)s)")
    server = EmbeddedServer(parser.parse_args().port)
    ended = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda _number, _frame: ended.set())
    server.start()
    ended.wait()
    server.stop()


if __name__ == "__main__":
    main()
