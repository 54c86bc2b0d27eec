# SPDX-License-Identifier: Apache-2.0
"""What nodes of a `nested` label have besides: a tun device and a /sys of their own network, for namespaces in them.

What they may besides (mounts, namespaces of their own users) is in `seccomp.py` and `bubblewrap.py`. Outside they are
what every node is: a uid that may nothing, a control group, no network of the machine.
"""

from __future__ import annotations

import os
import stat
from dataclasses import replace

from . import kernel
from .bubblewrap import Bind, Box

#: Where a device that every node may open is kept, out of sight of those that get none.
DEVICES = "devices"
_TUN = (10, 200)


def prepare(room: str, *, machine_root: bool) -> None:
    """Make the tun device; without the machine's root the one of the machine has to serve."""
    place = f"{room}/{DEVICES}"
    os.mkdir(place)
    if machine_root:
        kernel.mount_devices(place)
        os.mknod(f"{place}/tun", stat.S_IFCHR | 0o666, os.makedev(*_TUN))
        os.chmod(f"{place}/tun", 0o666)  # noqa: S103 - whoever can open it makes devices in his own network only


def opened(box: Box, room: str, node: str, network: int | None) -> Box:
    """The sandbox of a node as one that may make namespaces of its own."""
    own = f"{room}/{DEVICES}/tun"
    device = own if os.path.exists(own) else "/dev/net/tun"
    devices = (Bind(device, "/dev/net/tun"),) if os.path.exists(device) else ()
    place = f"{room}/nodes/{node}/sys"
    os.mkdir(place)
    binds = (*box.binds, Bind(place, "/sys")) if _sysfs(place, network) else box.binds
    return replace(box, binds=binds, devices=devices, nested=True)


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
