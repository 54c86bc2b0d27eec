# SPDX-License-Identifier: Apache-2.0
"""Settings: from the text of `gatebot.toml` to frozen values.

Pure: reading the file is the caller's work. Unknown keys are refused, with a guess at what was meant; all errors are
told at once, each with file, key and what was written. What is wrong although each value alone could be right is said
here. The settings are listed in `settings_fields.py`, one section is read by `settings_reading.py`, those that have
names by `settings_named.py`, the text of a new file is made in `settings_file.py`.
"""

from __future__ import annotations

import dataclasses
import ipaddress
import re
import tomllib
from collections.abc import Callable, Iterable, Mapping
from pathlib import PurePosixPath
from typing import TypeAlias
from urllib.parse import urlsplit

from .errors import SettingsError
from .settings_checks import listens, no_address, quoted
from .settings_fields import SECTIONS, Connection, Settings, ThirdPartyCi
from .settings_irc import Irc, irc_errors
from .settings_named import READERS, labels_of, providers_of
from .settings_outside import accounts_errors, mail_errors
from .settings_reading import Described, described, read_section
from .settings_sisters import shared_errors, unheard_errors
from .settings_words import guess

__all__ = ["Connection", "Described", "Irc", "LabelErrors", "Settings", "ThirdPartyCi", "described", "load", "resolve"]

_PASSWORD = re.compile(r"^[a-z0-9+]+://[^/@:]*:[^/@]+@")

LabelErrors: TypeAlias = Callable[[Mapping[str, Mapping[str, object]], Mapping[str, str]], Iterable[str]]
"""What is wrong with labels, given the kinds of providers by name."""


def load(text: str, where: str, labels: LabelErrors = lambda labels, kinds: ()) -> Settings:
    """The settings that a file's text describes; `where` is the file's path. Raises `SettingsError` with all errors.

    `labels` says what is wrong with labels, which another room reads.
    """
    try:
        table = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(f"{where}: this is not TOML: {error}.") from error
    known = {section for section, _ in SECTIONS} | {"labels", "providers"}
    errors = [f"{name}: there is no such section.{guess(name, known)}" for name in table.keys() - known]
    values: dict[str, object] = {}
    for section, section_class in SECTIONS:
        given = table.get(section)
        if given is None:
            continue
        read = READERS.get(section)
        values[section] = read(given, errors) if read else read_section(section, section, section_class, given, errors)
    values["providers"], kinds = providers_of(table.get("providers", {}), errors)
    values["labels"] = found = labels_of(table.get("labels", {}), errors)
    errors += labels(found, kinds)
    settings = dataclasses.replace(Settings(where=where), **values)  # pyright: ignore[reportArgumentType]
    errors += _disagreements(settings)
    if errors:
        raise SettingsError("\n".join(f"{where}: {error}" for error in sorted(errors)))
    return settings


def resolve(settings: Settings, path: str, *, below: str = "") -> str:
    """A path of the settings made absolute: relative ones start at the file's directory, or at `below` in it."""
    return str(PurePosixPath(settings.where).parent / below / path)


def _disagreements(settings: Settings) -> list[str]:
    """What is wrong although each value alone could be right."""
    web = settings.web
    checks: Iterable[tuple[str, bool, str]] = (
        (
            "web.listen",
            listens(web.listen),
            f'{quoted(web.listen)}write an address and a port, such as "127.0.0.1:8080" or "[::]:443".',
        ),
        ("web.tls_key", bool(web.tls_key) == bool(web.tls_certificate), "HTTPS needs tls_certificate and tls_key."),
        (
            "dispatch.listen",
            listens(settings.dispatch.listen),
            f'{quoted(settings.dispatch.listen)}write an address and a port, such as "127.0.0.1:4222".',
        ),
        (
            "dispatch.nats",
            re.fullmatch(r"(embedded|(nats|tls)://[^\s/@]+)?", settings.dispatch.nats) is not None,
            f'{quoted(settings.dispatch.nats)}write "embedded", or nats://HOST:PORT or tls://HOST:PORT.',
        ),
        (
            "dispatch.password_file",
            bool(settings.dispatch.password_file) == settings.dispatch.nats.startswith(("nats:", "tls:")),
            "a NATS server of the site's own needs it, and nothing else does.",
        ),
        (
            "database.url",
            _PASSWORD.match(settings.database.url) is None,
            "a password has no place here; put it into ~/.pgpass, or into PGPASSWORD of the server's environment.",
        ),
    )
    errors = [f"{key}: {what}" for key, right, what in checks if not right]
    errors += no_address("web.url", web.url)
    errors += mail_errors(settings.mail, urlsplit(settings.url).hostname or "localhost")
    errors += accounts_errors(settings.accounts, settings.oidc, settings.mail)
    for key, text in (("listen", settings.ssh.listen), ("address", settings.ssh.address)):
        if text and not listens(text):
            errors.append(f'ssh.{key}: {quoted(text)}write a host and a port, such as "127.0.0.1:29418".')
    errors += [f"web.trusted_proxies: {text} is no address." for text in web.trusted_proxies if not _is_network(text)]
    errors += irc_errors(settings.irc)
    errors += unheard_errors("announce", settings.announce, settings.irc)
    errors += unheard_errors("status", settings.status, settings.irc)
    errors += unheard_errors("board", settings.board, settings.irc)
    errors += shared_errors(settings.board, settings.irc)
    return errors


def _is_network(text: str) -> bool:
    try:
        ipaddress.ip_network(text, strict=False)
    except ValueError:
        return False
    return True
