# SPDX-License-Identifier: Apache-2.0
"""The labels that a site's settings describe, read from their tables and checked against the site's providers.

Pure. All that is wrong is told at once, each with its key, what was written and what to write. A label may only promise
what its provider keeps: a network that nobody shuts is not called `none`. What a label does not say of the network is
the first that its provider has.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import cast

from ..architectures import ALIASES, ANY, ARCHITECTURES, Execution, canonical
from ..errors import SettingsError
from ..settings_words import guess, written
from .clouds.model import server_from
from .model import DEFAULT_LABELS, LOCAL, MIB, Label, Network

#: The networks that nodes of each kind of provider can have.
NETWORKS: Mapping[str, tuple[Network, ...]] = {
    "local": (Network.MIRRORS, Network.NONE, Network.FULL),
    "static": (Network.FULL,),
    "container": (Network.FULL, Network.NONE),
    "qemu": (Network.MIRRORS, Network.NONE, Network.FULL),
    "kubernetes": (Network.FULL,),
    "openstack": (Network.FULL,),
}
#: Kinds of providers whose nodes can let jobs make namespaces of their own.
NESTING = frozenset({LOCAL, "qemu", "openstack"})
#: Kinds of providers whose nodes begin with images that are built here.
IMAGED = frozenset({LOCAL, "qemu"})

_SIZE = re.compile(r"(\d+)\s*([KMGT]?)(?:i?B)?", re.IGNORECASE)
_UNITS = {"": 1, "K": 1024, "M": MIB, "G": 1024 * MIB, "T": 1024 * 1024 * MIB}
#: As Debian's policy has it.
_PACKAGE = re.compile(r"[a-z0-9][a-z0-9+.-]+")
_KEYS: Mapping[str, str] = {
    "image": "Write the name of an image, or 'host'.",
    "network": "Write 'none', 'mirrors' or 'full'.",
    "memory": "Write a number of bytes, or for example '512M' or '2G'.",
    "disk": "Write a number of bytes, or for example '512M' or '2G'.",
    "cpus": "Write a number above 0.",
    "processes": "Write a whole number above 0.",
    "arch": f"Write one of {', '.join(ARCHITECTURES)}.",
    "provider": "Write the name of a section [providers.NAME], or 'local'.",
    "execution": f"Write one of {', '.join((*Execution, ANY))}.",
    "privileged": "Write true or false.",
    "nested": "Write true or false.",
    "packages": "Write a list of names of Debian packages.",
    "script": "Write the text of a shell script.",
    "server": "Write a table, such as {flavor = 'm1.small'}.",
}
#: What may be written for a key, where that is one of few words.
_WORDS: Mapping[str, Sequence[str]] = {
    "network": tuple(Network),
    "arch": (*ARCHITECTURES, *ALIASES),
    "execution": (*Execution, ANY),
}


def site_labels(labels: Mapping[str, Mapping[str, object]], kinds: Mapping[str, str]) -> dict[str, Label]:
    """The labels of the settings above the ones that every site has; `kinds` are those of its providers by name.

    Raises `SettingsError` with all that is wrong.
    """
    found, errors = _read(labels, kinds)
    if errors:
        raise SettingsError("\n".join(errors))
    return {**DEFAULT_LABELS, **found}


def label_errors(labels: Mapping[str, Mapping[str, object]], kinds: Mapping[str, str]) -> list[str]:
    """All that is wrong with the labels of the settings; of a provider without a kind nothing is known."""
    return _read(labels, kinds)[1]


def label_from(name: str, settings: Mapping[str, object]) -> Label:
    """The label that `[labels.NAME]` describes. Raises `SettingsError` with all that is wrong."""
    label, errors = _label(name, settings)
    if errors:
        raise SettingsError("\n".join(errors))
    return label


def _read(labels: Mapping[str, Mapping[str, object]], kinds: Mapping[str, str]) -> tuple[dict[str, Label], list[str]]:
    found: dict[str, Label] = {}
    errors: list[str] = []
    for name, keys in labels.items():
        label, wrong = _label(name, keys)
        if label.arch not in ("", *ARCHITECTURES):
            wrong.append(_unusable(f"labels.{name}.arch", "arch", keys["arch"]))
        wrong += _promises(label, keys, {LOCAL: LOCAL, **kinds})
        kind = kinds.get(label.provider, "")
        found[name] = label if "network" in keys or not kind else replace(label, network=NETWORKS[kind][0])
        errors += wrong
    return found, errors


def _label(name: str, settings: Mapping[str, object]) -> tuple[Label, list[str]]:
    """A label as far as it can be used, and what is wrong with the rest."""
    given: dict[str, object] = {}
    errors: list[str] = []
    for key, value in settings.items():
        where = f"labels.{name}.{key}"
        if key not in _KEYS:
            errors.append(f"{where}: there is no such key.{guess(key, _KEYS)}")
        elif key == "server" and isinstance(value, dict):
            try:
                given[key] = server_from(cast("dict[str, object]", value), where)
            except SettingsError as problem:
                errors.append(str(problem))
        elif (usable := _value(key, value)) is not None:
            given[key] = usable
        else:
            errors.append(_unusable(where, key, value))
    if settings.get("image", "default") != "default" and ("packages" in given or "script" in given):
        errors.append(
            f"labels.{name}.image: `packages` and `script` say what is in the default image besides. "
            "Take them away, or the image."
        )
    return Label(name, **given), errors  # pyright: ignore[reportArgumentType]  # each was checked above


def _unusable(where: str, key: str, value: object) -> str:
    near = guess(value, _WORDS[key], known=False) if key in _WORDS and isinstance(value, str) else ""
    return f"{where}: {written(value)} cannot be used. {_KEYS[key]}{near}"


def _value(key: str, value: object) -> object:
    """What a key's value means; None: it cannot be used."""
    match key, value:
        case (("image" | "provider"), str()):
            return value
        case "arch", str() if value:
            return canonical(value)
        case "execution", str() if value in (*Execution, ANY):
            return value
        case "network", str() if value in set(Network):
            return Network(value)
        case (("memory" | "disk"), int() | str()) if not isinstance(value, bool):
            match = _SIZE.fullmatch(str(value).strip())
            return int(match[1]) * _UNITS[match[2].upper()] if match is not None else None
        case "cpus", int() | float() if value > 0 and not isinstance(value, bool):
            return float(value)
        case "processes", int() if value > 0 and not isinstance(value, bool):
            return value
        case (("privileged" | "nested"), bool()):
            return value
        case "script", str() if value.strip():
            return value
        case "packages", list():
            return _packages(cast("list[object]", value))
        case _:
            return None


def _packages(given: Sequence[object]) -> tuple[str, ...] | None:
    """None where there is none, or one of them is no package."""
    found = tuple(one for one in given if isinstance(one, str) and _PACKAGE.fullmatch(one))
    return found if found and len(found) == len(given) else None


def _promises(label: Label, keys: Mapping[str, object], kinds: Mapping[str, str]) -> Iterator[str]:
    """What a label says that its provider does not keep."""
    place, kind = f"labels.{label.name}", kinds.get(label.provider)
    if kind is None:
        known = ", ".join(sorted(kinds))
        near = guess(label.provider, kinds, known=False)
        yield f"{place}.provider: there is no [providers.{label.provider}]; this site has {known}.{near}"
    if not kind:
        return
    whose = f"nodes of the provider {label.provider} ({kind})"
    if label.nested and kind not in NESTING:
        yield (
            f"{place}.nested: {whose} are as that host lets them be. "
            f"Leave it out, or give the label to a provider of the kind {' or '.join(sorted(NESTING))}."
        )
    if label.imaged and kind not in IMAGED:
        yield (
            f"{place}: `packages` and `script` are for images that are built here, of the kinds local and qemu; "
            f"{label.provider} is {kind}. Leave them out."
        )
    if "server" in keys and kind != "openstack":
        yield (
            f"{place}.server: {whose} are no servers of a cloud. "
            "Leave it out, or give the label to a provider of the kind openstack."
        )
    if "network" in keys and label.network not in NETWORKS[kind]:
        has = ", ".join(NETWORKS[kind])
        yield (
            f"{place}.network: a node of the provider {label.provider} ({kind}) cannot be shut off like this; "
            f"it has {has}. Write that, or another provider."
        )
