# SPDX-License-Identifier: Apache-2.0
"""The only module that touches the `irc` library: its asyncio connection, with its faults mended.

Mended here: strict decoding that drops the connection, a bare CR that lets strangers command the bot, one
malformed message ending everything, endless lines. What comes out is a `Message`; nothing of the library
is seen beyond this file.
"""

# The library is not typed.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
# pyright: reportUnknownParameterType=false, reportMissingParameterType=false, reportUntypedBaseClass=false

from __future__ import annotations

import asyncio
import contextlib
import logging
import ssl
from collections.abc import Callable

from irc.client import Event, ServerNotConnectedError
from irc.client_aio import AioConnection, AioReactor
from irc.connection import AioFactory

from .hearing import Message
from .model import Network
from .wire import Lines, is_clean

log = logging.getLogger(__name__)

_NOT_MESSAGES = {"all_raw_messages", "ctcp", "disconnect"}


class _Connection(AioConnection):
    """The library's connection, fed with lines that are decoded already."""

    def __init__(self, reactor: AioReactor) -> None:
        super().__init__(reactor)
        self._lines = Lines()

    def process_data(self, new_data: bytes) -> None:
        for line in self._lines.feed(new_data):
            if line.startswith(":") and line.endswith(" QUIT"):
                line += " :"  # The library stumbles over a QUIT without words.
            try:
                self._process_line(line)
            except Exception:
                log.warning("a message of the server could not be read: %r", line[:200], exc_info=True)

    def _prep_message(self, string: str) -> bytes:
        if not is_clean(string):
            raise ValueError("a line for IRC holds CR, LF or NUL")
        return super()._prep_message(string)


class Wire:
    """One connection to one server: messages in, raw lines out."""

    def __init__(self, network: Network, take: Callable[[Message], None], lost: Callable[[], None]) -> None:
        self._network = network
        self._take = take
        self._lost = lost
        self._reactor = AioReactor(on_connect=self._connected, loop=asyncio.get_running_loop())
        self._reactor.add_global_handler("all_events", self._event)
        self._connection = _Connection(self._reactor)

    async def connect(self) -> None:
        """Open the connection and begin to register; raises OSError."""
        network = self._network
        options: dict[str, object] = {}
        if network.tls:
            context = ssl.create_default_context(cafile=network.authority or None)
            if network.certificate:
                context.load_cert_chain(network.certificate)
            options = {"ssl": context, "server_hostname": network.host}
        await self._connection.connect(
            network.host,
            network.port,
            network.nick,
            password=network.password or None,
            username=network.nick.lower()[:9],
            ircname="gatebot: keeps the log and the minutes of this channel",
            connect_factory=AioFactory(**options),
        )

    def send(self, raw: str) -> None:
        """Send one line now; a connection that is gone is not an error here, `lost` tells it."""
        with contextlib.suppress(ServerNotConnectedError):
            self._connection.send_raw(raw)

    def close(self) -> None:
        """Hang up."""
        if self._connection.connected:
            self._connection.disconnect("gatebot goes")

    def _connected(self, protocol: object, transport: object) -> None:
        self._connection.send_raw("CAP LS 302")

    def _event(self, connection: object, event: Event) -> None:
        if event.type == "disconnect":
            self._lost()
        if event.type in _NOT_MESSAGES:
            return
        source = str(event.source or "")
        self._take(
            Message(
                command=str(getattr(event.type, "code", event.type)).upper(),
                nick=source.partition("!")[0],
                source=source,
                target=str(event.target or ""),
                arguments=tuple(str(argument) for argument in event.arguments or ()),
                tags={tag["key"]: tag["value"] or "" for tag in event.tags or ()},
            )
        )
