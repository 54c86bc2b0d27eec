# SPDX-License-Identifier: Apache-2.0
"""Settings: from the text of `gatebot.toml` to frozen values.

Pure: reading the file is the caller's work. Unknown keys are refused, with a guess at what was meant; all errors are
told at once, each with file, key and what was written. The settings themselves are listed in `settings_fields.py`, the
text of a new file is made in `settings_file.py`; labels of nodes (`[labels.NAME]`) are read by the executor's room.
"""

from __future__ import annotations

import dataclasses
import difflib
import ipaddress
import re
import tomllib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from types import MappingProxyType
from typing import TypeAlias, cast, get_type_hints

from .errors import SettingsError
from .expressions import compiled
from .settings_fields import SECTIONS, Connection, Irc, Settings, ThirdPartyCi
from .settings_outside import (
    Replication,
    Tracker,
    Webhook,
    accounts_errors,
    mail_errors,
    replication_errors,
    tracker_errors,
    webhook_errors,
)  # fmt: skip
from .settings_providers import NEEDED, PROVIDERS, Provider
from .settings_words import BYTES, GIB, KIB, MIB, guess, written

__all__ = ["Connection", "Described", "Irc", "LabelErrors", "Settings", "ThirdPartyCi", "described", "load", "resolve"]

_SIZE = re.compile(r"(\d+)\s*([KMG]?)(?:i?B)?", re.IGNORECASE)
_UNITS = {"": 1, "K": KIB, "M": MIB, "G": GIB}
NAMED = {
    "connections": "gerrit", "third_party_ci": "example", "replication": "mirror", "webhook": "example",
    "tracker": "bugs", "providers": "hosts",
}  # fmt: skip
"""Sections that each have a name of their own, and one for the sake of example."""
_OWN_NAMES = ("gatebot", "timer", "zuul")
_PASSWORD = re.compile(r"^[a-z0-9+]+://[^/@:]*:[^/@]+@")


LabelErrors: TypeAlias = Callable[[Mapping[str, Mapping[str, object]], Mapping[str, str]], Iterable[str]]
"""What is wrong with labels, given the kinds of providers by name."""


@dataclass(frozen=True, slots=True)
class Described:
    """One setting as the documentation shows it."""

    section: str
    key: str
    default: object
    unit: str
    about: str
    choices: tuple[str, ...]
    least: int | None
    hint: object

    @property
    def name(self) -> str:
        """`section.key`."""
        return f"{self.section}.{self.key}"

    @property
    def default_text(self) -> str:
        """The default as the file writes it."""
        if self.unit == BYTES and isinstance(self.default, int):
            size, letter = (self.default // GIB, "G") if self.default % GIB == 0 else (self.default // MIB, "M")
            return f'"{size}{letter}"'
        return written(self.default)


def described() -> tuple[Described, ...]:
    """Every setting, in the order of the file."""
    found: list[Described] = []
    for section, section_class in (*SECTIONS, *((f"providers.{kind}", its_class) for kind, its_class in PROVIDERS)):
        hints = get_type_hints(section_class)
        for item in dataclasses.fields(section_class):
            told = item.metadata
            found.append(
                Described(
                    section,
                    item.name,
                    item.default,
                    told["unit"],
                    told["about"],
                    told["choices"],
                    told["least"],
                    hints[item.name],
                )
            )
    return tuple(found)


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
        if section == "irc":
            values[section] = _networks(given, errors)
        elif section == "connections":
            values[section] = _connections(given, errors)
        elif section == "third_party_ci":
            values[section] = _third_party_cis(given, errors)
        elif section in _OUTSIDE:
            values[section] = _outside(section, given, errors)
        else:
            values[section] = _section(section, section, section_class, given, errors)
    values["providers"], kinds = _providers(table.get("providers", {}), errors)
    values["labels"] = found = _labels(table.get("labels", {}), errors)
    errors += labels(found, kinds)
    settings = dataclasses.replace(Settings(where=where), **values)  # pyright: ignore[reportArgumentType]
    errors += _disagreements(settings)
    if errors:
        raise SettingsError("\n".join(f"{where}: {error}" for error in sorted(errors)))
    return settings


def resolve(settings: Settings, path: str, *, below: str = "") -> str:
    """A path of the settings made absolute: relative ones start at the file's directory, or at `below` in it."""
    return str(PurePosixPath(settings.where).parent / below / path)


def _section(section: str, place: str, section_class: type, given: object, errors: list[str]) -> object:
    """One section's values; what is wrong is added to `errors` under `place`."""
    if not isinstance(given, dict):
        errors.append(f"{place}: this is a section; write [{place}] and its keys on the lines below it.")
        return section_class()
    known = {item.key: item for item in described() if item.section == section}
    values: dict[str, object] = {}
    for key, value in cast(dict[str, object], given).items():
        item = known.get(key)
        if item is None:
            errors.append(f"{place}.{key}: there is no such key.{guess(key, known)}")
            continue
        try:
            values[key] = _value(item, value)
        except ValueError as error:
            errors.append(f"{place}.{key}: {error}")
    return section_class(**values)


def _networks(given: object, errors: list[str]) -> tuple[Irc, ...]:
    if not isinstance(given, list):
        errors.append("irc: there can be several networks; write [[irc]] with two brackets.")
        return ()
    networks: list[Irc] = []
    for number, network in enumerate(cast(list[object], given), 1):
        networks.append(cast(Irc, _section("irc", f"irc {number}", Irc, network, errors)))
    return tuple(networks)


def _named(section: str, given: object, errors: list[str]) -> Iterator[tuple[str, str, object]]:
    """Each of the sections `[SECTION.NAME]`: its name, its place, and what is in it."""
    if isinstance(given, dict):
        yield from ((name, f"{section}.{name}", one) for name, one in cast(dict[str, object], given).items())
    else:
        errors.append(f"{section}: write one section for each, such as [{section}.{NAMED[section]}].")


def _connections(given: object, errors: list[str]) -> Mapping[str, Connection]:
    found: dict[str, Connection] = {}
    for name, place, values in _named("connections", given, errors):
        found[name] = one = cast(Connection, _section("connections", place, Connection, values, errors))
        needed = ("url", "password_file", "ssh_key", "known_hosts") if isinstance(values, dict) else ()
        errors += [f"{place}.{key}: this is needed." for key in needed if not getattr(one, key)]
        errors += _no_address(f"{place}.url", one.url)
        if name in _OWN_NAMES:
            errors.append(f"{place}: {name} is this site's own; choose another name.")
    return MappingProxyType(found)


def _third_party_cis(given: object, errors: list[str]) -> Mapping[str, ThirdPartyCi]:
    found: dict[str, ThirdPartyCi] = {}
    for name, place, values in _named("third_party_ci", given, errors):
        found[name] = one = cast(ThirdPartyCi, _section("third_party_ci", place, ThirdPartyCi, values, errors))
        if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]*", name):
            errors.append(f"{place}: a name is letters, digits, '.', '_' and '-'.")
        regexes = [("recheck", one.recheck), *(("projects", regex) for regex in one.projects)]
        errors += [f"{place}.{key}: {problem}" for key, regex in regexes if (problem := _no_regex(regex))]
        errors += _no_address(f"{place}.url", one.url)
    return MappingProxyType(found)


_OUTSIDE: Mapping[str, tuple[type, Callable[..., Iterable[str]]]] = {
    "replication": (Replication, replication_errors),
    "webhook": (Webhook, webhook_errors),
    "tracker": (Tracker, tracker_errors),
}


def _outside(section: str, given: object, errors: list[str]) -> Mapping[str, object]:
    """What goes out of a site under names: copies, webhooks, trackers."""
    found: dict[str, object] = {}
    section_class, wrong = _OUTSIDE[section]
    for name, place, values in _named(section, given, errors):
        found[name] = one = _section(section, place, section_class, values, errors)
        errors += [f"{place}.projects: {why}" for regex in getattr(one, "projects", ()) if (why := _no_regex(regex))]
        errors += wrong(place, one)
    return MappingProxyType(found)


def _no_address(place: str, url: str) -> Iterator[str]:
    if url and not re.fullmatch(r"https?://[^\s/]+(/\S*)?", url):
        yield f"{place}: {_quoted(url)}write http:// or https://."


def _quoted(value: str) -> str:
    """What was written, unless there may be a password in it."""
    return "" if "@" in value else f"{written(value)} cannot be used; "


def _no_regex(text: str) -> str:
    try:
        compiled(text)
    except ValueError as problem:
        return f"{written(text)} is no RE2 expression: {problem}."
    return ""


def _providers(given: object, errors: list[str]) -> tuple[Mapping[str, Provider], Mapping[str, str]]:
    """The providers that can be used, and what kind each is, with those whose kind is not known."""
    found: dict[str, Provider] = {}
    kinds: dict[str, str] = {}
    classes = dict(PROVIDERS)
    for name, place, values in _named("providers", given, errors):
        if not isinstance(values, dict):
            errors.append(f"{place}: this is a section; write [{place}] and its keys on the lines below it.")
            continue
        keys = dict(cast(dict[str, object], values))
        kind = kinds[name] = _kind(place, keys.pop("kind", None), errors)
        if name == "local":
            errors.append(f"{place}: this machine is always there, and set in [executor]; choose another name.")
        elif kind:
            found[name] = cast(Provider, _section(f"providers.{kind}", place, classes[kind], keys, errors))
            errors += [f"{place}.{key}: this is needed." for key in NEEDED[kind] if not keys.get(key)]
    return MappingProxyType(found), kinds


def _kind(place: str, given: object, errors: list[str]) -> str:
    """The kind of a provider, or the one that was meant; nothing where that is not clear."""
    names = [name for name, _ in PROVIDERS]
    if given in names:
        return str(given)
    near = difflib.get_close_matches(str(given), names, 1)
    what = f"{written(given)} is none of" if given is not None else "write what it is, one of"
    errors.append(f"{place}.kind: {what} {', '.join(names)}.{guess(str(given), names, known=False)}")
    return next(iter(near), "")


def _labels(given: object, errors: list[str]) -> Mapping[str, Mapping[str, object]]:
    labels: dict[str, Mapping[str, object]] = {}
    if not isinstance(given, dict):
        errors.append("labels: write one section for each label, such as [labels.small].")
        return labels
    for name, label in cast(dict[str, object], given).items():
        if isinstance(label, dict):
            labels[name] = MappingProxyType(cast(dict[str, object], label))
        else:
            errors.append(f"labels.{name}: write [labels.{name}] and its keys on the lines below it.")
    return MappingProxyType({name: _alike(name, labels, errors) for name in labels})


def _alike(name: str, labels: Mapping[str, Mapping[str, object]], errors: list[str]) -> Mapping[str, object]:
    """What a label says, above what the one says that it is `like`."""
    own = dict(labels[name])
    other = own.pop("like", None)
    if other is None:
        return labels[name]
    known = sorted(one for one, keys in labels.items() if one != name and "like" not in keys)
    if other not in known:
        near = guess(str(other), known, known=False)
        errors.append(f"labels.{name}.like: {written(other)} is no label that says all itself.{near}")
    return MappingProxyType({**labels.get(str(other), {}), **own})


def _value(item: Described, value: object) -> object:
    """A value as its field wants it; a `ValueError` says what to write."""
    match item.hint, value:
        case _, _ if item.unit == BYTES:
            return _size(value)
        case type() as hint, bool() if hint is bool:
            return value
        case type() as hint, int() if hint is int and not isinstance(value, bool):
            if item.least is not None and value < item.least:
                raise ValueError(f"{value} is too small; the least is {item.least}.")
            return value
        case type() as hint, str() if hint is str:
            if item.choices and value not in item.choices:
                near = guess(value, item.choices, known=False)
                raise ValueError(f"{written(value)} is none of {', '.join(item.choices)}.{near}")
            return value
        case _, list() if item.hint == tuple[str, ...]:
            texts = cast(list[object], value)
            if all(isinstance(text, str) for text in texts):
                return tuple(texts)
        case _:
            pass
    raise ValueError(
        f"{written(cast(object, value))} cannot be used; write {_KINDS[item.hint]}, such as {item.default_text}."
    )


_KINDS: dict[object, str] = {
    bool: "true or false",
    int: "a whole number",
    str: "a text in quotes",
    tuple[str, ...]: "a list of texts in brackets",
}


def _size(value: object) -> int:
    match = _SIZE.fullmatch(str(value)) if isinstance(value, int | str) and not isinstance(value, bool) else None
    if match is None or int(match[1]) == 0:
        raise ValueError(f'{written(value)} cannot be used; write a number of bytes, or a text such as "512M" or "2G".')
    return int(match[1]) * _UNITS[match[2].upper()]


def _disagreements(settings: Settings) -> list[str]:
    """What is wrong although each value alone could be right."""
    web = settings.web
    checks: Iterable[tuple[str, bool, str]] = (
        (
            "web.listen",
            _listens(web.listen),
            f'{_quoted(web.listen)}write an address and a port, such as "127.0.0.1:8080" or "[::]:443".',
        ),
        ("web.tls_key", bool(web.tls_key) == bool(web.tls_certificate), "HTTPS needs tls_certificate and tls_key."),
        (
            "dispatch.listen",
            _listens(settings.dispatch.listen),
            f'{_quoted(settings.dispatch.listen)}write an address and a port, such as "127.0.0.1:4222".',
        ),
        (
            "dispatch.nats",
            re.fullmatch(r"(embedded|(nats|tls)://[^\s/@]+)?", settings.dispatch.nats) is not None,
            f'{_quoted(settings.dispatch.nats)}write "embedded", or nats://HOST:PORT or tls://HOST:PORT.',
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
    errors += _no_address("web.url", web.url)
    errors += mail_errors(settings.mail)
    errors += accounts_errors(settings.accounts, settings.oidc, settings.mail)
    for key, text in (("listen", settings.ssh.listen), ("address", settings.ssh.address)):
        if text and not _listens(text):
            errors.append(f'ssh.{key}: {_quoted(text)}write a host and a port, such as "127.0.0.1:29418".')
    errors += [f"web.trusted_proxies: {text} is no address." for text in web.trusted_proxies if not _is_network(text)]
    names = [network.name for network in settings.irc]
    for number, network in enumerate(settings.irc, 1):
        if not network.host:
            errors.append(f"irc {number}.host: write the server to connect to.")
        if names.index(network.name) != number - 1:
            errors.append(f"irc {number}.name: {network.name} is another network's name; choose one of its own.")
        if bool(network.account) != bool(network.sasl_password_file):
            errors.append(f"irc {number}.account: SASL needs account and sasl_password_file.")
    return errors


def _listens(text: str) -> bool:
    host, colon, port = text.rpartition(":")
    return bool(host) and bool(colon) and port.isdigit() and int(port) < 65536


def _is_network(text: str) -> bool:
    try:
        ipaddress.ip_network(text, strict=False)
    except ValueError:
        return False
    return True
