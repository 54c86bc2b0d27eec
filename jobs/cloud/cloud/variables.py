# SPDX-License-Identifier: Apache-2.0
"""A cloud's options out of a job's variables: ours (`cloud_...`) and those that DevStack jobs have.

Pure. Of DevStack's what has a meaning here is understood; what has none is passed over.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import cast

from . import local_conf
from .ini import merged
from .options import PASSWORD, REGION, WHOLE, Guest, Impossible, Options, chosen

_DRIVERS = {"libvirt": False, "fake": True}
_NAME = re.compile(r"[\w.-]+")


def options_of(variables: Mapping[str, object], machine: str = "x86_64") -> Options:
    """What the variables of a job say, on such a machine; raises `Impossible` with what to write instead."""
    conf = local_conf.read(_text(variables, "cloud_local_conf"))
    localrc = conf.assigned | {name: str(value) for name, value in _table(variables, "devstack_localrc").items()}
    told = _table(variables, "devstack_services")
    switches = conf.switches | {name: _flag(f"devstack_services.{name}", on) for name, on in told.items()}
    driver = _text(variables, "cloud_virt_driver") or localrc.get("VIRT_DRIVER", "libvirt")
    if driver not in _DRIVERS:
        raise Impossible(f"cloud_virt_driver: '{driver}' is not there. There are: {', '.join(_DRIVERS)}.")
    release = _text(variables, "cloud_release") or "venv"
    if not _NAME.fullmatch(release):
        raise Impossible(f"cloud_release is the name of a directory in /opt/cloud of the image, not '{release}'.")
    return Options(
        services=chosen(_names(variables, "cloud_services") or sorted(WHOLE), switches),
        fake=_DRIVERS[driver],
        password=localrc.get("ADMIN_PASSWORD", PASSWORD),
        region=localrc.get("REGION_NAME", REGION),
        venv=f"/opt/cloud/{release}",
        debug=_flag("cloud_debug", variables.get("cloud_debug", True)),
        machine=machine,
        patience=_patience(variables.get("cloud_patience", 1)),
        guest=_guest(_table(variables, "cloud_guest")),
        overrides=_overrides(conf, _table(variables, "devstack_local_conf")),
    )


def _patience(told: object) -> float:
    if not isinstance(told, int | float) or isinstance(told, bool) or told < 1:
        raise Impossible(f"cloud_patience is how many times as long all may take, at least 1, not '{told}'.")
    return float(told)


def nodes(variables: Mapping[str, object], names: Sequence[str]) -> dict[str, str]:
    """The addresses of nodes, by which others of the build reach them."""
    known = _table(_table(variables, "gatebot"), "nodes")
    if unknown := [name for name in names if name not in known]:
        raise Impossible(f"There is no node {unknown[0]} in this build. There are: {', '.join(known)}.")
    if apart := [name for name in names if not known[name]]:
        raise Impossible(
            f"The node {apart[0]} cannot be a host of this cloud: the other nodes of the build have no way to it, as it"
            " is a virtual machine that nobody but gatebot gets into, or on another machine than they. Give all nodes"
            " of the nodeset labels of one provider whose nodes share a network."
        )
    return {name: str(known[name]) for name in names}


def _overrides(conf: local_conf.LocalConf, told: Mapping[str, object]) -> dict[str, dict[str, dict[str, str]]]:
    """Options by file: of the local.conf, and above them those of `devstack_local_conf`."""
    given: dict[str, dict[str, dict[str, str]]] = {}
    where = "devstack_local_conf.post-config"
    for file, sections in _mapping(where, told.get("post-config") or {}).items():
        for section, options in _mapping(f"{where}.{file}", sections).items():
            values = _mapping(f"{where}.{file}.{section}", options)
            given.setdefault(file, {})[section] = {name: str(value) for name, value in values.items()}
    below, above = local_conf.by_path(conf.options), local_conf.by_path(given)
    return {path: merged(below.get(path, {}), above.get(path, {})) for path in sorted({*below, *above})}


def _guest(told: Mapping[str, object]) -> Guest:
    ours = Guest()
    known = [one.name for one in fields(ours)]
    if unknown := sorted(set(told) - set(known)):
        raise Impossible(f"cloud_guest.{unknown[0]} is not known. There are: {', '.join(sorted(known))}.")
    memory = told.get("memory", ours.memory)
    if not isinstance(memory, int) or isinstance(memory, bool):
        raise Impossible(f"cloud_guest.memory is a number of MiB, not '{memory}'.")
    image, ready, user = (str(told.get(name, getattr(ours, name))) for name in ("image", "ready", "user"))
    return Guest(image, ready, user, memory)


def _table(variables: Mapping[str, object], name: str) -> Mapping[str, object]:
    return _mapping(name, variables.get(name) or {})


def _mapping(where: str, value: object) -> Mapping[str, object]:
    if not isinstance(value, Mapping):
        raise Impossible(f"{where} is a mapping of names to values.")
    return {str(name): inner for name, inner in cast("Mapping[object, object]", value).items()}


def _names(variables: Mapping[str, object], name: str) -> list[str]:
    value = variables.get(name) or []
    if not isinstance(value, list):
        raise Impossible(f"{name} is a list of services.")
    return [str(one) for one in cast("list[object]", value)]


def _text(variables: Mapping[str, object], name: str) -> str:
    value = variables.get(name) or ""
    if not isinstance(value, str):
        raise Impossible(f"{name} is a text.")
    return value


def _flag(name: str, value: object) -> bool:
    if isinstance(value, bool):
        return value
    if str(value).lower() in ("true", "false"):
        return str(value).lower() == "true"
    raise Impossible(f"{name} is true or false, not '{value}'.")
