# SPDX-License-Identifier: Apache-2.0
"""One guest of the embedded IRC server: the library's handler with a transport that bears real clients.

Mended here: a busy loop for every client, strict decoding that ends the connection, no limit on lines, sends
that block others, commands before registration, errors without their target. What commands do is in
`server_commands.py`; server.py puts the two together.
"""

# The library is not typed.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
# pyright: reportUnknownParameterType=false, reportMissingParameterType=false, reportUntypedBaseClass=false
# pyright: reportMissingTypeArgument=false, reportIncompatibleVariableOverride=false, reportAttributeAccessIssue=false

from __future__ import annotations

import contextlib
import select
import socket
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from typing import ClassVar

from irc.server import IRCChannel, IRCClient, IRCServer

from .wire import LINE, Lines

_UNTIL_REGISTERED = {"CAP", "NICK", "USER", "PASS", "PING", "PONG", "QUIT"}


class Channel(IRCChannel):
    """A channel with its operators."""

    def __init__(self, name: str) -> None:
        super().__init__(name, "")
        self.clients: set[Guest] = set()
        self.ops: set[Guest] = set()


class Home(IRCServer):
    """The state that all guests share, behind one lock; nicks and channels by their folded names."""

    daemon_threads = True
    block_on_close = False

    def __init__(self, address: tuple[str, int], guest: type[Guest]) -> None:
        super().__init__(address, guest)
        self.lock = threading.RLock()
        self.guests: set[Guest] = set()
        self.servername = "irc.localhost"
        self.channels: dict[str, Channel] = {}
        self.clients: dict[str, Guest] = {}


class Guest(IRCClient):
    """One connection. Everything that touches the server's state holds its lock; sending waits for nobody."""

    commands: ClassVar[dict[str, Callable[..., None]]] = {}
    needs: ClassVar[dict[str, int]] = {}
    nick: str
    user: str
    realname: str

    @property
    def home(self) -> Home:
        """The server."""
        assert isinstance(self.server, Home)
        return self.server

    def handle(self) -> None:
        self.channels: dict[str, Channel] = {}
        self.tags, self.negotiating, self.registered, self.away = False, False, False, ""
        self._wake, self._sleep = socket.socketpair()
        lines = Lines(LINE + 4096)
        with self.home.lock:
            self.home.guests.add(self)
        try:
            while True:
                self._flush()
                readable, _, _ = select.select([self.request, self._sleep], [], [], 60)
                if self._sleep in readable:
                    self._sleep.recv(4096)
                if self.request in readable:
                    data = self.request.recv(4096)
                    if not data:
                        return
                    for line in lines.feed(data):
                        with self.home.lock:
                            self._obey(line)
        except (OSError, ValueError, self.Disconnect):
            return  # Gone; `finish` tells the others.

    def finish(self) -> None:
        with self.home.lock:
            self.home.guests.discard(self)
            self.leave_all("EOF from client")
        self._wake.close()
        self._sleep.close()

    def hang_up(self) -> None:
        """Close the connection from the server's side."""
        with contextlib.suppress(OSError):
            self.request.shutdown(socket.SHUT_RDWR)

    # -- sending -------------------------------------------------------------------------------

    def tell(self, message: str) -> None:
        """Queue a message for this guest."""
        self.send_queue.append(message)
        with contextlib.suppress(OSError):
            self._wake.send(b"!")

    def _flush(self) -> None:
        while self.send_queue:
            message = self.send_queue.pop(0).encode()[:LINE].decode(errors="ignore")
            stamp = f"@time={datetime.now(UTC).isoformat(timespec='milliseconds')[:23]}Z " if self.tags else ""
            self.request.sendall((stamp + message).encode() + b"\r\n")

    def numeric(self, number: str, *words: str) -> None:
        """Tell this guest a numeric; the last word may hold blanks."""
        *middle, last = words
        self.tell(" ".join([f":{self.home.servername} {number} {self.nick or '*'}", *middle, f":{last}"]))

    def leave_all(self, why: str) -> None:
        """Leave every channel and the server; everybody who shared one is told once."""
        others = {guest for channel in self.channels.values() for guest in channel.clients} - {self}
        for channel in list(self.channels.values()):
            self.leave(channel)
        for guest in others:
            guest.tell(f":{self.client_ident()} QUIT :{why}")
        if self.nick:
            self.home.clients.pop(self.nick.lower(), None)
            self.nick = ""

    def leave(self, channel: Channel) -> None:
        """Be out of a channel, silently; an empty channel is forgotten."""
        channel.clients.discard(self)
        self.channels.pop(channel.name.lower(), None)
        if not channel.clients:
            self.home.channels.pop(channel.name.lower(), None)

    # -- receiving -----------------------------------------------------------------------------

    def _obey(self, line: str) -> None:
        """One line of the guest."""
        if line.startswith("@"):
            line = line.partition(" ")[2]
        head, colon, tail = line.partition(" :")
        command, *words = head.split() or [""]
        arguments = [*words, tail] if colon else words
        command = command.upper()
        handler = self.commands.get(command)
        if not command:
            return
        if not self.registered and command not in _UNTIL_REGISTERED:
            self.numeric("451", "You have not registered")
        elif handler is None:
            self.numeric("421", command, "Unknown command")
        elif len(arguments) < self.needs.get(command, 0):
            self.numeric("461", command, "Not enough parameters")
        else:
            handler(self, *arguments)
