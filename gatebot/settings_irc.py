# SPDX-License-Identifier: Apache-2.0
"""Settings of IRC: the networks that the bot is on, and what is wrong with them together.

Only frozen values, as in `settings_fields.py`, which lists these sections.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from .settings_words import setting

_FINGERPRINT = re.compile(r"[0-9A-Fa-f]{64}")
_CHANNEL = re.compile(r"[#&+!][^\x00-\x20,]{1,63}")
_NICK = re.compile(r"[A-Za-z\[\]\\`_^{}|][A-Za-z0-9\[\]\\`_^{}|-]{0,30}")


@dataclass(frozen=True, slots=True)
class Irc:
    """One IRC network on which the bot is present."""

    host: str = setting("", "The server to connect to.", unit="host")
    name: str = setting(
        "irc", "The network's name, on the health page and for announcements; each network has its own."
    )
    port: int = setting(6697, "The server's port.", least=1)
    tls: bool = setting(True, "Whether the connection is encrypted.")
    nick: str = setting("gatebot", "The bot's nick.")
    channels: tuple[str, ...] = setting((), "Channels to join, log and hold meetings in.", unit="channels")
    password_file: str = setting("", "Holds the password of the server.", unit="file")
    account: str = setting("", "The services account to log in to by SASL; empty: none.")
    sasl_password_file: str = setting("", "Holds the password of that account.", unit="file")
    sasl: str = setting(
        "plain", "How it logs in: by account and password, or by the certificate of certificate_file.",
        choices=("plain", "external"),
    )  # fmt: skip
    certificate_file: str = setting("", "Holds the bot's own certificate and its key, as PEM.", unit="file")
    ca_file: str = setting(
        "", "Holds the authority of the server's certificate; empty: those of this host.", unit="file"
    )
    fingerprint: str = setting(
        "", "SHA-256 of the server's certificate, in hexadecimal: only this very certificate is trusted; empty: any "
        "that an authority vouches for.",
    )  # fmt: skip
    trust_nicks: bool = setting(
        False,
        "Whether a nick that was linked to an account proves who speaks, where the network tells no accounts; only on "
        "a network of your own.",
    )
    topics: str = setting(
        "directly", "How the bot sets topics: directly, as an operator of the channel, or through chanserv.",
        choices=("directly", "chanserv"),
    )  # fmt: skip
    language: str = setting("en", "The language in which the bot answers questions.", choices=("en", "ko"))
    web_chat: str = setting(
        "accounts", "Who may speak in the channels from their pages: people with an account, everybody, or nobody.",
        choices=("accounts", "everybody", "nobody"),
    )  # fmt: skip
    burst: int = setting(5, "How many lines may go out at once.", least=1)
    seconds_between_lines: float = setting(
        1.0,
        "How long the bot waits between further lines, also parts of a second; 0: not at all. Strict networks want 2.",
        least=0,
    )
    quiet_hours: int = setting(
        168, "After how long without a line in a channel the health page raises an alarm; 0: never.", unit="hours",
        least=0,
    )  # fmt: skip


def irc_errors(networks: Sequence[Irc]) -> Iterator[str]:
    """What is wrong with the networks, each with where it is written and what would be right."""
    names = [network.name for network in networks]
    for number, network in enumerate(networks, 1):
        place = f"irc {number}"
        if not network.host:
            yield f"{place}.host: write the server to connect to."
        if names.index(network.name) != number - 1:
            yield f"{place}.name: {network.name} is another network's name; choose one of its own."
        if not _NICK.fullmatch(network.nick):
            yield f"{place}.nick: no IRC network takes that nick; write letters, digits, - and _, a letter first."
        for channel in network.channels:
            if not _CHANNEL.fullmatch(channel):
                yield f'{place}.channels: {channel} is no channel; write its whole name, such as "#gatebot".'
        yield from _login_errors(place, network)


def _login_errors(place: str, network: Irc) -> Iterator[str]:
    if network.sasl == "external":
        if not (network.tls and network.certificate_file):
            yield f"{place}.sasl: external needs tls and certificate_file."
    elif bool(network.account) != bool(network.sasl_password_file):
        yield f"{place}.account: SASL needs account and sasl_password_file."
    if network.fingerprint and not _FINGERPRINT.fullmatch(network.fingerprint.replace(":", "")):
        yield (
            f"{place}.fingerprint: write the 64 hexadecimal digits of SHA-256, as "
            "`openssl x509 -noout -fingerprint -sha256` prints them."
        )
    if (network.fingerprint or network.ca_file or network.certificate_file) and not network.tls:
        yield f"{place}.tls: certificates mean nothing without tls = true."
