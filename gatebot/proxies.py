# SPDX-License-Identifier: Apache-2.0
"""How a request came: from which address, and whether by HTTPS, also behind reverse proxies.

What a proxy says of its client is believed only from the addresses of `web.trusted_proxies`; anybody
else could write it too. Passwords travel by HTTPS, or do not leave the machine.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from typing import TypeAlias

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

_Network: TypeAlias = ipaddress.IPv4Network | ipaddress.IPv6Network


def believed(trusted: Sequence[str]) -> Middleware:
    """The middleware, outermost, that gives requests of trusted proxies the address and scheme of their client."""
    networks = tuple(ipaddress.ip_network(text, strict=False) for text in trusted)

    @web.middleware
    async def believe(request: web.Request, handler: Handler) -> web.StreamResponse:
        if not _within(request.remote, networks):
            return await handler(request)
        remote, scheme = request.remote, request.scheme
        hops = [hop.strip() for hop in ",".join(request.headers.getall("X-Forwarded-For", [])).split(",")]
        for hop in reversed(hops):
            # The last that no proxy of ours wrote about another: what stands before it, its sender made up.
            if not _address(hop):
                break
            remote = hop
            if not _within(hop, networks):
                break
        told = request.headers.get("X-Forwarded-Proto", "").rpartition(",")[2].strip().lower()
        if told in ("http", "https"):
            scheme = told
        return await handler(request.clone(remote=remote or "", scheme=scheme))

    return believe


def is_private(request: web.Request) -> bool:
    """Whether nobody between the client and us can read this request: HTTPS, or from this very machine."""
    address = _address(request.remote or "")
    return request.secure or (address is not None and address.is_loopback)


def _address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        found = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return None
    mapped = found.ipv4_mapped if isinstance(found, ipaddress.IPv6Address) else None
    return mapped or found


def _within(text: str | None, networks: Sequence[_Network]) -> bool:
    address = _address(text or "")
    return address is not None and any(address in network for network in networks)
