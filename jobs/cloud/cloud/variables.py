# SPDX-License-Identifier: Apache-2.0
"""A cloud's options out of a job's variables: ours (`cloud_...`) and those that DevStack jobs have.

Pure. Of `devstack_localrc` what has a meaning here is understood; what is not known is kept, listed and harmless.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import cast

from .options import LIGHT, WHOLE, Impossible, Options, chosen

_PROFILES = {"whole": WHOLE, "light": LIGHT}
_SWITCH = re.compile(r"^\s*(enable_service|disable_service)\s+(.+)$")


def options_of(variables: Mapping[str, object]) -> Options:
    """What the variables of a job say; raises `Impossible` with what to write instead."""
    profile = str(variables.get("cloud_profile", "whole"))
    if profile not in _PROFILES:
        raise Impossible(f"cloud_profile: '{profile}' is none of {', '.join(_PROFILES)}.")
    wanted = _names(variables, "cloud_services") or sorted(_PROFILES[profile])
    localrc = {str(name): str(value) for name, value in _mapping(variables, "devstack_localrc").items()}
    switches = {
        name: _flag(f"devstack_services.{name}", on) for name, on in _mapping(variables, "devstack_services").items()
    }
    switches |= _lines(variables.get("cloud_local_conf", ()))
    return Options(
        services=chosen(wanted, switches),
        fake=str(variables.get("cloud_virt_driver", localrc.get("VIRT_DRIVER", "libvirt"))) == "fake",
        password=localrc.get("ADMIN_PASSWORD", "secret"),
        region=localrc.get("REGION_NAME", "RegionOne"),
        debug=_flag("cloud_debug", variables.get("cloud_debug", True)),
        localrc=localrc,
    )


def _mapping(variables: Mapping[str, object], name: str) -> Mapping[str, object]:
    value = variables.get(name, {})
    if not isinstance(value, Mapping):
        raise Impossible(f"{name} is a mapping of names to values.")
    return cast("Mapping[str, object]", value)


def _names(variables: Mapping[str, object], name: str) -> list[str]:
    value = variables.get(name, [])
    if not isinstance(value, list):
        raise Impossible(f"{name} is a list of services.")
    return [str(one) for one in cast("list[object]", value)]


def _flag(name: str, value: object) -> bool:
    if isinstance(value, bool):
        return value
    if str(value).lower() in ("true", "false"):
        return str(value).lower() == "true"
    raise Impossible(f"{name} is true or false, not '{value}'.")


def _lines(given: object) -> dict[str, bool]:
    """`enable_service a b` and `disable_service a b`, as a local.conf has them."""
    lines = cast("list[object]", given) if isinstance(given, list) else str(given or "").splitlines() if given else []
    found: dict[str, bool] = {}
    for line in lines:
        match = _SWITCH.match(str(line))
        if match is not None:
            found |= {name.rstrip(","): match[1] == "enable_service" for name in match[2].split()}
    return found
