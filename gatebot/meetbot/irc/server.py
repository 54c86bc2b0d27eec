# SPDX-License-Identifier: Apache-2.0
"""A small IRC server in this process, for a demo where Debian's ngIRCd cannot be had, and for tests.

Built on `irc.server`, whose gaps are closed in `server_client.py` and `server_commands.py`. It listens on the
loopback only and keeps nothing: not for a public network. It runs in threads of its own.
"""

# The library is not typed.
# pyright: reportUnknownMemberType=false, reportUntypedBaseClass=false

from __future__ import annotations

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
