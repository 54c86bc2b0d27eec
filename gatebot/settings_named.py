# SPDX-License-Identifier: Apache-2.0
"""Sections of the settings that may be there several times: networks, connections, CIs, copies, hooks, trackers,
providers and labels, each under a name of its own; and what is wrong with one of them.

Pure. A new such section is a line of `READERS` and one of `NAMED`; its keys are classes of `settings_fields.py`.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from types import MappingProxyType
from typing import TypeAlias, TypeVar, cast

from .settings_checks import no_address, no_regexes
from .settings_fields import Connection, ThirdPartyCi
from .settings_irc import Irc
from .settings_outside import Replication, Tracker, Webhook, replication_errors, tracker_errors, webhook_errors
from .settings_providers import NEEDED, PROVIDERS, Provider
from .settings_reading import read_section
from .settings_sisters import Announce, Board, Status, announce_errors, board_errors, status_errors
from .settings_words import guess, written

NAMED = {
    "connections": "gerrit", "third_party_ci": "example", "replication": "mirror", "webhook": "example",
    "tracker": "bugs", "announce": "example", "status": "example", "board": "example",
    "providers": "hosts",
}  # fmt: skip
"""Sections that each have a name of their own, and one for the sake of example."""
_OWN_NAMES = ("gatebot", "timer", "zuul")

T = TypeVar("T")
Reader: TypeAlias = Callable[[object, list[str]], object]
"""Makes values of what the file says; what is wrong is added to the list."""


def _networks(given: object, errors: list[str]) -> tuple[Irc, ...]:
    if not isinstance(given, list):
        errors.append("irc: there can be several networks; write [[irc]] with two brackets.")
        return ()
    networks: list[Irc] = []
    for number, network in enumerate(cast(list[object], given), 1):
        networks.append(cast(Irc, read_section("irc", f"irc {number}", Irc, network, errors)))
    return tuple(networks)


def _named(section: str, given: object, errors: list[str]) -> Iterator[tuple[str, str, object]]:
    """Each of the sections `[SECTION.NAME]`: its name, its place, and what is in it."""
    if isinstance(given, dict):
        yield from ((name, f"{section}.{name}", one) for name, one in cast(dict[str, object], given).items())
    else:
        errors.append(f"{section}: write one section for each, such as [{section}.{NAMED[section]}].")


def _connection_errors(place: str, one: Connection) -> Iterator[str]:
    for key in ("url", "password_file", "ssh_key", "known_hosts"):
        if not getattr(one, key):
            yield f"{place}.{key}: this is needed."
    yield from no_address(f"{place}.url", one.url)
    if (name := place.partition(".")[2]) in _OWN_NAMES:
        yield f"{place}: {name} is this site's own; choose another name."


def _third_party_errors(place: str, one: ThirdPartyCi) -> Iterator[str]:
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]*", place.partition(".")[2]):
        yield f"{place}: a name is letters, digits, '.', '_' and '-'."
    yield from no_regexes(f"{place}.recheck", (one.recheck,))
    yield from no_regexes(f"{place}.projects", one.projects)
    yield from no_address(f"{place}.url", one.url)


def _each(section: str, section_class: type[T], wrong: Callable[[str, T], Iterable[str]]) -> Reader:
    """Reads the sections `[SECTION.NAME]`; `wrong` says what is wrong with one, given its place."""

    def read(given: object, errors: list[str]) -> Mapping[str, T]:
        found: dict[str, T] = {}
        for name, place, values in _named(section, given, errors):
            found[name] = one = cast(T, read_section(section, place, section_class, values, errors))
            errors += wrong(place, one) if isinstance(values, dict) else ()
        return MappingProxyType(found)

    return read


READERS: Mapping[str, Reader] = {
    "irc": _networks,
    "connections": _each("connections", Connection, _connection_errors),
    "third_party_ci": _each("third_party_ci", ThirdPartyCi, _third_party_errors),
    "replication": _each("replication", Replication, replication_errors),
    "webhook": _each("webhook", Webhook, webhook_errors),
    "tracker": _each("tracker", Tracker, tracker_errors),
    "announce": _each("announce", Announce, announce_errors),
    "status": _each("status", Status, status_errors),
    "board": _each("board", Board, board_errors),
}
"""How sections are read that may be there several times; every other one is there once."""


def providers_of(given: object, errors: list[str]) -> tuple[Mapping[str, Provider], Mapping[str, str]]:
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
            found[name] = cast(Provider, read_section(f"providers.{kind}", place, classes[kind], keys, errors))
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


def labels_of(given: object, errors: list[str]) -> Mapping[str, Mapping[str, object]]:
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
