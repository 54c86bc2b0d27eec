# SPDX-License-Identifier: Apache-2.0
"""Which image, flavor and network of a cloud are meant, and how many servers its quota lets us have.

Pure. What cannot be told is refused with what there is, so that somebody can write the right name.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ...architectures import canonical
from ...reasons import Reason, reason
from ..model import MIB, Label
from ..providers.answers import Object, number, table

_GIB = 1024 * MIB
_SHOWN = 10


@dataclass(frozen=True, slots=True)
class Need:
    """What one server takes of the quota."""

    cores: int = 1
    memory: int = 0


def need_of(flavor: Object) -> Need:
    """What a server of a flavor takes."""
    return Need(max(number(flavor.get("vcpus")), 1), number(flavor.get("ram")))


def named(what: str, found: Sequence[Object], wanted: str) -> Object | Reason:
    """The one that is meant by a name or an id; of several with that name the newest."""
    fitting = [one for one in found if wanted == one.get("id")] or [one for one in found if wanted == one.get("name")]
    if not fitting:
        return reason("executor.cloud-lacks", what=what, name=wanted, known=_names(found))
    return max(fitting, key=lambda one: str(one.get("created_at", "")))


def flavor_for(flavors: Sequence[Object], label: Label, wanted: str, *, disk: bool) -> Object | Reason:
    """The flavor of that name, or else the smallest that has what the label says; `disk`: also of its own disk."""
    if wanted:
        return named("flavor", flavors, wanted)

    def fits(one: Object) -> bool:
        room = not disk or number(one.get("disk")) * _GIB >= label.disk
        return number(one.get("ram")) * MIB >= label.memory and number(one.get("vcpus")) >= label.cpus and room

    fitting = [one for one in flavors if fits(one)]
    if not fitting:
        memory, cpus = -(-label.memory // MIB), math.ceil(label.cpus)
        return reason("executor.cloud-no-flavor", memory=memory, cpus=cpus, disk=-(-label.disk // _GIB))
    return min(fitting, key=lambda one: tuple(number(one.get(key)) for key in ("ram", "vcpus", "disk")))


def network_for(networks: Sequence[Object], wanted: str) -> Object | Reason:
    """The network of that name, or else the only one that is not external."""
    if wanted:
        return named("network", networks, wanted)
    inner = [one for one in networks if one.get("router:external") is not True]
    return inner[0] if len(inner) == 1 else reason("executor.cloud-which-network", known=_names(inner) or "-")


def architecture_of(image: Object) -> str:
    """What an image says of its architecture; empty: nothing."""
    told = image.get("hw_architecture") or image.get("architecture")
    return canonical(told) if isinstance(told, str) else ""


def slots(answer: Object, own: int, wanted: int, need: Need) -> int:
    """How many servers there may be at once, the `own` ones that are there among them; 0: as many as builds want.

    Never none because others have used the quota up: who asks then waits for it.
    """
    limits = table(table(answer, "limits"), "absolute")
    free = [
        (number(limits.get(most)) - number(limits.get(used))) // size
        for most, used, size in (
            ("maxTotalInstances", "totalInstancesUsed", 1),
            ("maxTotalCores", "totalCoresUsed", need.cores),
            ("maxTotalRAMSize", "totalRAMUsed", need.memory),
        )
        if size and most in limits and number(limits.get(most)) >= 0
    ]
    if not free:
        return wanted
    possible = own + max(min(free), 0)
    return max(min(possible, wanted) if wanted else possible, 1)


def _names(found: Iterable[Object]) -> str:
    names = sorted({str(one.get("name", "")) for one in found} - {""})
    return ", ".join(names[:_SHOWN]) + (", ..." if len(names) > _SHOWN else "")
