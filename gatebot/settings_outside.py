# SPDX-License-Identifier: Apache-2.0
"""Settings of what goes out of a site and who comes into it: mail, sign-up, an OpenID Connect provider.

Only frozen values, as in `settings_fields.py`, which lists these sections; and what is wrong with them together.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from .settings_words import setting

_PLACE = re.compile(r"[^\s/@]+:\d{1,5}")
_ADDRESS = re.compile(r"[^@\s<>,;]+@[^@\s<>,;]+")


@dataclass(frozen=True, slots=True)
class Mail:
    """Mail about changes. It can be read at /mail/ whether or not it is sent."""

    smtp: str = setting("", "The server that takes the site's mail; empty: none is sent.", unit="host:port")
    tls: str = setting(
        "starttls", "How the connection is encrypted: from its beginning (tls), by STARTTLS, or not at all.",
        choices=("starttls", "tls", "none"),
    )  # fmt: skip
    user: str = setting("", "The account at that server; empty: it asks for none.")
    password_file: str = setting("", "Holds the account's password.", unit="file")
    sender: str = setting(
        "", "The address that mail comes from; empty: gatebot@ the host of the site's address.", unit="address"
    )
    language: str = setting("en", "The language of the sentences in mail.", choices=("en", "ko"))


@dataclass(frozen=True, slots=True)
class Accounts:
    """How people get accounts."""

    sign_up: str = setting(
        "admin", "Who makes accounts: administrators only, or people too who prove their address by mail.",
        choices=("admin", "mail"),
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Oidc:
    """A provider of OpenID Connect at which people sign in; its redirect address here is URL/login/oidc/back."""

    issuer: str = setting("", "The provider's issuer, exactly as it writes it; empty: there is none.", unit="URL")
    name: str = setting("", "What people call it, on the button; empty: the issuer.")
    client_id: str = setting("", "The name of this site there.")
    client_secret_file: str = setting("", "Holds the secret that goes with it.", unit="file")
    create: bool = setting(True, "Whether who comes for the first time gets an account.")


def accounts_errors(accounts: Accounts, oidc: Oidc, mail: Mail) -> Iterator[str]:
    """What is wrong with how people get in."""
    if accounts.sign_up == "mail" and not mail.smtp:
        yield "accounts.sign_up: mail cannot be sent; set mail.smtp too."
    if oidc.issuer and not re.fullmatch(r"https?://[^\s/?#]+(/[^\s?#]*)?", oidc.issuer):
        yield "oidc.issuer: write http:// or https://, without ? and #."
    if oidc.issuer and not (oidc.client_id and oidc.client_secret_file):
        yield "oidc.issuer: a provider needs client_id and client_secret_file."


def mail_errors(mail: Mail) -> Iterator[str]:
    """What is wrong with how mail is sent."""
    if mail.smtp and not _PLACE.fullmatch(mail.smtp):
        yield 'mail.smtp: write a host and a port, such as "mail.example.org:587".'
    if bool(mail.user) != bool(mail.password_file):
        yield "mail.user: logging in needs user and password_file."
    if mail.user and mail.tls == "none":
        yield "mail.tls: a password would go over the network as it is; write starttls or tls."
    if mail.sender and not _ADDRESS.fullmatch(mail.sender):
        yield 'mail.sender: write an address, such as "review@example.org".'
