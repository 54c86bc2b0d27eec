# SPDX-License-Identifier: Apache-2.0
"""Which hosts a job may reach through the egress proxy, as a pure decision.

An entry of the setting `mirrors` is a host (`index.example.org`), a host with its port (`git.example.org:8080`), all
hosts below a domain (`*.files.example.org`), or a network (`10.0.0.0/8`). A name that is allowed may still
not lead to this machine, a private network or a metadata service, unless that network is listed itself.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TypeAlias

from ..reasons import Reason, reason

Address: TypeAlias = ipaddress.IPv4Address | ipaddress.IPv6Address
_Net: TypeAlias = ipaddress.IPv4Network | ipaddress.IPv6Network


#: Where no stranger's job may go: this machine, private networks, metadata services, and what embeds them.
_INSIDE: tuple[_Net, ...] = tuple(
    ipaddress.ip_network(text)
    for text in (
        *("0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12"),
        *("192.0.0.0/24", "192.168.0.0/16", "198.18.0.0/15", "224.0.0.0/4", "240.0.0.0/4"),
        *("::/127", "64:ff9b::/96", "64:ff9b:1::/48", "2001::/32", "2002::/16", "fc00::/7", "fe80::/9", "ff00::/8"),
    )
)


def _address(text: str) -> Address | None:
    try:
        found = ipaddress.ip_address(text.strip("[]").partition("%")[0])
    except ValueError:
        return None
    mapped = found.ipv4_mapped if isinstance(found, ipaddress.IPv6Address) else None
    return mapped or found


def _inside(address: Address) -> bool:
    return any(address in network for network in _INSIDE if network.version == address.version)


@dataclass(frozen=True, slots=True)
class Mirrors:
    """The hosts and networks that are let through."""

    hosts: frozenset[str]
    networks: tuple[_Net, ...] = ()

    @classmethod
    def of(cls, entries: Iterable[str]) -> Mirrors:
        """Read the entries of the setting."""
        hosts: set[str] = set()
        networks: list[_Net] = []
        for entry in entries:
            try:
                networks.append(ipaddress.ip_network(entry.strip().strip("[]"), strict=False))
            except ValueError:
                hosts.add(entry.strip().lower().rstrip("."))
        return cls(frozenset(hosts), tuple(networks))

    def _listed(self, address: Address) -> bool:
        return any(address in network for network in self.networks if network.version == address.version)

    def refuse_host(self, host: str, port: int) -> Reason | None:
        """Why a connection to a host may not even be tried; None: it may."""
        name = host.lower().rstrip(".").strip("[]")
        address = _address(name)
        if address is not None and self._listed(address):
            return None
        above = name.split(".")
        wild = {f"*.{'.'.join(above[cut:])}" for cut in range(1, len(above))} if address is None else set[str]()
        if self.hosts & ({name, f"{name}:{port}"} | wild):
            return None
        return reason("executor.host-not-listed", host=name, port=port)

    def refuse_address(self, host: str, port: int, resolved: str) -> Reason | None:
        """Why the address a host's name leads to may not be connected to; None: it may."""
        address = _address(resolved)
        own = f"{address}:{port}" in self.hosts
        if address is not None and (own or not _inside(address) or self._listed(address)):
            return None
        return reason("executor.host-leads-inside", host=host, port=port, address=resolved)
