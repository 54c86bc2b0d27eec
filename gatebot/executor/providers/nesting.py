# SPDX-License-Identifier: Apache-2.0
"""What nodes of a `nested` label have besides: tun and fuse, and a /sys of their own network, for namespaces in them.

What they may besides (mounts, namespaces of their own users) is in `seccomp.py` and `bubblewrap.py`. Outside they are
what every node is: a uid that may nothing, a control group, no network of the machine.
"""

from __future__ import annotations

import os
import stat
from dataclasses import replace

from . import kernel
from .bubblewrap import Bind, Box
from .subordinate import FIRST_INSIDE, RANGE

#: Where devices that every nested node may open are kept, out of sight of those that get none.
DEVICES = "devices"
#: Whoever opens them makes networks and file systems in namespaces of his own only.
_DEVICES = {"/dev/net/tun": (10, 200), "/dev/fuse": (10, 229)}


def prepare(room: str, *, machine_root: bool) -> None:
    """Make the devices; without the machine's root those of the machine have to serve."""
    place = f"{room}/{DEVICES}"
    os.mkdir(place)
    if machine_root:
        kernel.mount_devices(place)
        for path, number in _DEVICES.items():
            made = f"{place}/{os.path.basename(path)}"
            os.mknod(made, stat.S_IFCHR | 0o666, os.makedev(*number))
            os.chmod(made, 0o666)  # noqa: S103 - as it is everywhere


def tell_range(upper: str) -> None:
    """Where programs look which ids they may give to namespaces, written while the node is still nobody's."""
    os.makedirs(f"{upper}/etc", mode=0o755, exist_ok=True)
    for name in ("subuid", "subgid"):
        with open(f"{upper}/etc/{name}", "w") as file:
            file.write(f"job:{FIRST_INSIDE}:{RANGE}\n")


def opened(box: Box, room: str, node: str, network: int | None) -> Box:
    """The sandbox of a node as one that may make namespaces of its own."""
    made = {path: f"{room}/{DEVICES}/{os.path.basename(path)}" for path in _DEVICES}
    found = {path: own if os.path.exists(own) else path for path, own in made.items()}
    devices = tuple(Bind(device, path) for path, device in found.items() if os.path.exists(device))
    place = f"{room}/nodes/{node}/sys"
    os.mkdir(place)
    if _sysfs(place, network):  # read-only, nobody could mount one that is not, as `ip netns exec` does
        devices = (*devices, Bind(place, "/sys"))
    return replace(box, devices=devices, nested=True)


def _sysfs(place: str, network: int | None) -> bool:
    """Mount the /sys of a network, by a process that is in it; where the kernel refuses, the node has none."""
    process = os.fork()
    if process == 0:
        code = 1
        try:
            if network is not None:
                kernel.enter(network)
            kernel.mount_sysfs(place)
            code = 0
        finally:
            os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]) == 0
