# SPDX-License-Identifier: Apache-2.0
"""Where requests of a site may lead, and how long they wait after they failed.

Pure: an address and the chance of a pause are given.
"""

from __future__ import annotations

import ipaddress
from datetime import timedelta

_FIRST, _LONGEST = timedelta(seconds=10), timedelta(hours=1)


def is_local(address: str) -> bool:
    """Whether an address leads to this machine or to its link, where the metadata of clouds are served too."""
    found = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(found, ipaddress.IPv6Address) and found.ipv4_mapped is not None:
        found = found.ipv4_mapped
    return found.is_loopback or found.is_link_local or found.is_unspecified or found.is_multicast


def pause(tries: int, chance: float) -> timedelta:
    """How long to wait after the `tries`-th failure; `chance` (0 to 1) keeps many from coming at once."""
    whole = min(_LONGEST, _FIRST * 2 ** min(tries - 1, 20))
    return whole / 2 + whole / 2 * chance
