# SPDX-License-Identifier: Apache-2.0
"""What this host of the cloud is called, and how it comes to the others, if there are any."""

from __future__ import annotations

import os
import socket
import sys
from collections.abc import Sequence
from pathlib import Path

from . import link
from .link import CARDS, SERVICES
from .options import Options
from .processes import Processes


def name(options: Options, hosts: Path = Path("/etc/hosts")) -> None:
    """Give this host its name, and know those of all."""
    socket.sethostname(options.host)
    hosts.unlink(missing_ok=True)
    hosts.write_text(known(options))


def known(options: Options) -> str:
    """The file that tells the addresses of hosts."""
    own = f"127.0.0.1 localhost {options.host}\n"
    others = (f"{address} {host}\n" for host, address in options.addresses.items() if host != options.host)
    return own + "".join(others)


async def connect(options: Options, processes: Processes, sockets: Sequence[int]) -> None:
    """Make the cards to the other hosts, over sockets that were opened on the node for them."""
    peers = [address for host, address in options.hosts.items() if host != options.host]
    for card, way in zip(CARDS, sockets, strict=False):
        end = link.tap(card)
        await processes.run("ip", "ip", "link", "set", "dev", card.name, "mtu", str(card.mtu), "up")
        if card is SERVICES:
            own = f"{card.address(options.index)}/24"
            await processes.run("ip", "ip", "address", "add", own, "dev", card.name)
        copies = (sys.executable, "-P", link.__file__, str(end), str(way), *peers)
        await processes.start(card.name, *copies, passed=(end, way))
        os.close(end)
