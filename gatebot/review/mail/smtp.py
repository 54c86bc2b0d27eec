# SPDX-License-Identifier: Apache-2.0
"""Messages handed to a mail server by SMTP: one connection for a batch, each message for itself.

What a server refuses for good (a 5xx answer to one message) is final; what fails otherwise is tried again by
`sending.py`. Nothing here knows what the messages are.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass
from pathlib import Path

import aiosmtplib

from .ports import Carried, Waiting

_TIMEOUT = 30.0


@dataclass(frozen=True, slots=True)
class Server:
    """Where mail is handed over. `tls` is `starttls`, `tls` or `none`; the password is read for each connection."""

    host: str
    port: int
    tls: str
    sender: str
    user: str = ""
    password_file: str = ""


class SmtpCarrier:
    """Implements `ports.Carrier`."""

    def __init__(self, server: Server) -> None:
        self._server = server

    async def carry(self, messages: Sequence[Waiting]) -> AsyncGenerator[Carried, None]:
        """Try them one after another.

        A server that goes away in between may do so because of the message that it had: that one is tried later, of
        the rest nothing is told, so that it is tried as if nothing had been.
        """
        failed, client = list(messages), None
        try:
            client = await self._client()
            await client.connect()
            for message in messages:
                failed = [message]
                carried = await self._one(client, message)
                failed = []
                yield carried
            await client.quit()
        except (aiosmtplib.SMTPException, OSError, ValueError) as error:
            problem = f"{self._server.host}:{self._server.port}: {_words(error)}"
            for message in failed:
                yield Carried(message.id, problem)
        finally:
            if client is not None:
                client.close()  # whoever stops the sending must not wait for a server's goodbye

    async def _client(self) -> aiosmtplib.SMTP:
        server, password = self._server, None
        if server.password_file:
            password = (await asyncio.to_thread(Path(server.password_file).read_text, "utf-8")).strip()
        return aiosmtplib.SMTP(
            hostname=server.host,
            port=server.port,
            use_tls=server.tls == "tls",
            start_tls=server.tls == "starttls",
            username=server.user or None,
            password=password,
            timeout=_TIMEOUT,
        )

    async def _one(self, client: aiosmtplib.SMTP, message: Waiting) -> Carried:
        try:
            await client.sendmail(self._server.sender, [message.email], message.content)
        except aiosmtplib.SMTPRecipientsRefused as refused:
            codes = [one.code for one in refused.recipients]
            with contextlib.suppress(aiosmtplib.SMTPException):
                await client.rset()
            return Carried(message.id, _words(refused), final=all(code >= 500 for code in codes))
        except aiosmtplib.SMTPServerDisconnected:
            raise
        except aiosmtplib.SMTPResponseException as refused:
            with contextlib.suppress(aiosmtplib.SMTPException):
                await client.rset()
            return Carried(message.id, _words(refused), final=refused.code >= 500)
        return Carried(message.id)


def _words(error: Exception) -> str:
    match error:
        case aiosmtplib.SMTPRecipientsRefused():
            return "; ".join(f"{one.code} {one.message}" for one in error.recipients)
        case aiosmtplib.SMTPResponseException():
            return f"{error.code} {error.message}"
        case _:
            return str(error) or type(error).__name__
