# SPDX-License-Identifier: Apache-2.0
"""Where requests of a site may lead: never to itself or its link, unless its settings say so.

Pure: an address is given, never asked for.
"""

from __future__ import annotations

import ipaddress


def is_local(address: str) -> bool:
    """Whether an address leads to this machine or to its link, where the metadata of clouds are served too."""
    found = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(found, ipaddress.IPv6Address) and found.ipv4_mapped is not None:
        found = found.ipv4_mapped
    return found.is_loopback or found.is_link_local or found.is_unspecified or found.is_multicast
