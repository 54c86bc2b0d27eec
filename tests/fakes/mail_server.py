# SPDX-License-Identifier: Apache-2.0
"""A real SMTP server in a thread, which keeps what it is given and refuses whom a test names."""

from __future__ import annotations

import email
import email.policy
import ssl
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.message import EmailMessage

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from tests.fakes.irc import free_port


@dataclass
class MailServer:
    """What came, in order; `refused` are addresses with the answer to them, `login` what a client must say.

    On mail to those of `hangs_up_on` it ends the connection.
    """

    port: int
    refused: dict[str, str] = field(default_factory=dict)
    login: tuple[str, str] | None = None
    hangs_up_on: set[str] = field(default_factory=set)
    taken: list[tuple[str, EmailMessage]] = field(default_factory=list)
    encrypted: list[bool] = field(default_factory=list)

    async def handle_RCPT(
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        if address in self.refused:
            return self.refused[address]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        if self.hangs_up_on & {*envelope.rcpt_tos}:
            assert server.transport is not None
            server.transport.abort()
            return "421 gone"
        content = envelope.content
        assert isinstance(content, bytes)
        message = email.message_from_bytes(content, policy=email.policy.default)
        assert isinstance(message, EmailMessage)
        self.encrypted.append(session.ssl is not None)
        self.taken += [(address, message) for address in envelope.rcpt_tos]
        return "250 kept"

    def check(
        self, _server: SMTP, _session: Session, _envelope: Envelope, _mechanism: str, given: object
    ) -> AuthResult:
        assert isinstance(given, LoginPassword)
        right = (given.login.decode(), given.password.decode()) == self.login
        return AuthResult(success=right, handled=right)

    def to(self, address: str) -> list[EmailMessage]:
        """The mails that one address got."""
        return [message for reader, message in self.taken if reader == address]


@contextmanager
def mail_server(tls: ssl.SSLContext | None = None, login: tuple[str, str] | None = None) -> Generator[MailServer]:
    """It listens as long as the block runs; with `tls` it demands STARTTLS, with `login` a password."""
    server = MailServer(free_port(), login=login)
    controller = Controller(
        server, hostname="127.0.0.1", port=server.port, tls_context=tls, require_starttls=tls is not None,
        authenticator=server.check, auth_required=login is not None, auth_require_tls=False,
    )  # fmt: skip
    controller.start()
    try:
        yield server
    finally:
        controller.stop()
