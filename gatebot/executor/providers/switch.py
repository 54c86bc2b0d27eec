# SPDX-License-Identifier: Apache-2.0
"""A private network for the nodes of one build: a bridge in the first one's namespace, the others plugged into it.

Nothing leads out of it. Jobs have no right to change it. Only the privileged process uses this.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Sequence

from . import kernel
from .checks import Refusal
from .model import private_address

_CARD = "eth0"


def join(networks: Sequence[int | None]) -> None:
    """Connect namespaces; each gets the address of its place in the row."""
    hub, *others = (network for network in networks if network is not None)
    if len(others) + 1 < len(networks):
        raise Refusal("a node is not there, or has no network of its own")
    if shutil.which("ip") is None:
        raise Refusal("nodes of one build cannot be connected: there is no program `ip` (Debian: iproute2)")
    plugs = [
        f"link add name port{index} type veth peer name {_CARD} netns /proc/self/fd/{network}\n"
        f"link set port{index} master {_CARD} up"
        for index, network in enumerate(others, 1)
    ]
    _inside(hub, [f"link add name {_CARD} type bridge", *plugs, *_up(0)], others)
    for index, network in enumerate(others, 1):
        _inside(network, _up(index), ())


def _up(index: int) -> list[str]:
    return [f"addr add {private_address(index)}/24 dev {_CARD}", f"link set {_CARD} up"]


def _inside(network: int, lines: Sequence[str], passed: Sequence[int]) -> None:
    """Run lines of `ip` in a namespace."""
    done = subprocess.run(
        ["ip", "-batch", "-"],
        input="\n".join(lines),
        pass_fds=[network, *passed],
        preexec_fn=lambda: kernel.enter(network),
        env={"PATH": os.environ.get("PATH", "/usr/bin:/bin")},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise Refusal(f"nodes of one build cannot be connected: {done.stderr.strip()[:300]}")
