# SPDX-License-Identifier: Apache-2.0
"""The bodies that make the parts of a node, and how far a server or a volume is.

Pure. Bodies are those of the oldest version that clouds still have (compute 2.1, network 2.0, block storage 3.0), so
that every cloud takes them.
"""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass

from ..providers.answers import Object, table, tables

INSTANCE, SITE, NODE = "gatebot.instance", "gatebot.site", "gatebot.node"
_WAITING = frozenset({"BUILD", "REBUILD", "REBOOT", "HARD_REBOOT", "UNKNOWN"})
_NO_HOST = "No valid host"


@dataclass(frozen=True, slots=True)
class State:
    """How far something is. `why` is what it waits for, or why it never will be; `full`: the cloud has no room now."""

    ready: bool = False
    hopeless: bool = False
    full: bool = False
    why: str = ""


@dataclass(frozen=True, slots=True)
class Found:
    """What of a cloud a server is made of, by id; `groups` None: the project's default. `arch` is the image's word."""

    image: str
    flavor: str
    network: str
    groups: Sequence[str] | None = None
    floating_network: str = ""
    arch: str = ""


def keypair(name: str, public: str) -> Object:
    """The body that brings a public key in."""
    return {"keypair": {"name": name, "public_key": public}}


def port(name: str, found: Found) -> Object:
    """The body that makes a port."""
    body: Object = {"name": name, "network_id": found.network, "description": name}
    if found.groups is not None:
        body["security_groups"] = list(found.groups)
    return {"port": body}


def floating(name: str, found: Found, port: str) -> Object:
    """The body that takes a floating address for a port."""
    return {"floatingip": {"floating_network_id": found.floating_network, "port_id": port, "description": name}}


def volume(name: str, size: int, found: Found, zone: str) -> Object:
    """The body that makes a volume with the image on it."""
    body: Object = {"name": name, "size": size, "imageRef": found.image}
    return {"volume": {**body, "availability_zone": zone} if zone else body}


def server(
    name: str, found: Found, *, port: str, volume: str, zone: str, user_data: str, marks: dict[str, str]
) -> Object:
    """The body that makes a server; `volume` empty: its disk is the flavor's."""
    body: Object = {
        "name": name,
        "flavorRef": found.flavor,
        "imageRef": "" if volume else found.image,
        "key_name": name,
        "networks": [{"port": port}],
        "metadata": marks,
        "user_data": base64.b64encode(user_data.encode()).decode(),
    }
    if volume:
        device = {"uuid": volume, "source_type": "volume", "destination_type": "volume", "boot_index": 0}
        body["block_device_mapping_v2"] = [{**device, "delete_on_termination": True}]
    if zone:
        body["availability_zone"] = zone
    return {"server": body}


def server_state(found: Object) -> State:
    """How far a server is."""
    status = str(found.get("status", ""))
    if status == "ACTIVE":
        return State(ready=True)
    task = str(found.get("OS-EXT-STS:task_state") or "")
    if status in _WAITING:
        return State(why=f"{status} {task}".strip())
    told = str(table(found, "fault").get("message") or "").strip()
    why = f"{status}: {told}" if told else status or "it is gone"
    return State(hopeless=True, full=_NO_HOST in told, why=why)


def volume_state(found: Object) -> State:
    """How far a volume is."""
    status = str(found.get("status", ""))
    if status == "available":
        return State(ready=True)
    return State(hopeless=not status or status.startswith("error"), why=f"the volume is {status or 'gone'}")


def address(port: Object) -> str:
    """The address of a port: of version 4 where it has one."""
    found = [str(one.get("ip_address", "")) for one in tables(port.get("fixed_ips"))]
    return min((one for one in found if one), key=lambda one: ":" in one, default="")
