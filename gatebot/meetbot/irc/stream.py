# SPDX-License-Identifier: Apache-2.0
"""The socket of one connection: TLS that knows its server, bytes to lines, lines to bytes.

The server is known by its name and an authority, or by the fingerprint of its very certificate.
"""

from __future__ import annotations

import asyncio
import hashlib
import ssl
from typing import Self

from .messages import Message, parse
from .model import Network
from .wire import Lines, is_clean

_READ = 65536


def tls(network: Network) -> ssl.SSLContext | None:
    """How the connection is encrypted; None: it is not."""
    if not network.tls:
        return None
    context = ssl.create_default_context(cafile=network.authority or None)
    if network.fingerprint:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    if network.certificate:
        context.load_cert_chain(network.certificate)
    return context


def fingerprint(text: str) -> str:
    """A fingerprint without what people put between its digits."""
    return text.replace(":", "").replace(" ", "").lower()


class Stream:
    """One connection to one server: messages in, raw lines out."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self._lines = Lines()

    @classmethod
    async def open(cls, network: Network) -> Self:
        """Connect; raises OSError, also where the server is not the one that it should be."""
        context = tls(network)
        name = network.host if context is not None else None
        reader, writer = await asyncio.open_connection(network.host, network.port, ssl=context, server_hostname=name)
        if network.tls and network.fingerprint:
            known = writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
            seen = hashlib.sha256(known or b"").hexdigest()
            if seen != fingerprint(network.fingerprint):
                writer.close()
                raise ConnectionRefusedError(f"the server's certificate is another one: its fingerprint is {seen}")
        return cls(reader, writer)

    async def read(self) -> list[Message] | None:
        """The messages that have come; None at the end."""
        data = await self._reader.read(_READ)
        if not data:
            return None
        return [message for line in self._lines.feed(data) if (message := parse(line)) is not None]

    def send(self, raw: str) -> None:
        """Send one line now; a line that would be two is a defect."""
        if not is_clean(raw):
            raise ValueError("a line for IRC holds CR, LF or NUL")
        if not self._writer.is_closing():
            self._writer.write(raw.encode() + b"\r\n")

    def close(self) -> None:
        """Hang up."""
        self.send("QUIT :gatebot goes")
        self._writer.close()
