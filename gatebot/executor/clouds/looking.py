# SPDX-License-Identifier: Apache-2.0
"""Looks up what a cloud has: images, flavors, networks, groups, quota; nothing is changed by it.

What was looked up is kept for a moment, because many nodes are made of the same.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from ...errors import Unavailable
from ...reasons import Reason
from ..model import Label
from ..providers.answers import Object, tables
from . import choosing
from .asking import Cloud
from .model import Server
from .servers import Found

#: A service, a path, and what the answer has the things under.
_Listing: TypeAlias = tuple[str, str, str]
_IMAGES: _Listing = ("image", "/images", "images")
_FLAVORS: _Listing = ("compute", "/flavors/detail", "flavors")
_NETWORKS: _Listing = ("network", "/networks", "networks")
_GROUPS: _Listing = ("network", "/security-groups", "security_groups")
_FRESH = 60.0


@dataclass(slots=True)
class Looking:
    """What a cloud has for us. Everything raises `Unavailable` with what cannot be told or is not there."""

    cloud: Cloud
    _known: dict[_Listing, tuple[float, Sequence[Object]]] = field(
        default_factory=dict[_Listing, "tuple[float, Sequence[Object]]"], init=False
    )

    async def found(self, image: str, label: Label, wanted: Server) -> Found:
        """What a server is made of."""
        picture = await self.image(image)
        flavors = await self._all(_FLAVORS)
        flavor = _sure(choosing.flavor_for(flavors, label, wanted.flavor or "", disk=not wanted.volume))
        networks = await self._all(_NETWORKS)
        network = _sure(choosing.network_for(networks, wanted.network or ""))
        outer, groups = "", None
        if wanted.floating_network:
            outer = _id(_sure(choosing.named("network", networks, wanted.floating_network)))
        if wanted.security_groups:
            known = await self._all(_GROUPS)
            groups = tuple(_id(_sure(choosing.named("security group", known, one))) for one in wanted.security_groups)
        arch = choosing.architecture_of(picture)
        return Found(_id(picture), _id(flavor), _id(network), groups, outer, arch)

    async def image(self, name: str) -> Object:
        """An image by its name or id."""
        return _sure(choosing.named("image", await self._all(_IMAGES), name))

    async def network(self, name: str) -> Object:
        """A network by its name or id; without one the only one."""
        return _sure(choosing.network_for(await self._all(_NETWORKS), name))

    async def slots(self, own: int, wanted: int, flavor: str) -> int:
        """How many servers there may be at once by the quota, the `own` ones among them; 0: as many as builds want."""
        need = choosing.Need()
        if flavor:
            need = choosing.need_of(_sure(choosing.named("flavor", await self._all(_FLAVORS), flavor)))
        return choosing.slots(await self.cloud.ask("compute", "GET", "/limits"), own, wanted, need)

    async def _all(self, listing: _Listing) -> Sequence[Object]:
        """All there are, as it was a moment ago; services answer with a page at a time."""
        now = asyncio.get_running_loop().time()
        at, known = self._known.get(listing, (0.0, ()))
        if known and now - at < _FRESH:
            return known
        service, path, name = listing
        found: dict[str, Object] = {}
        query: dict[str, str] = {}
        while True:
            page = tables((await self.cloud.ask(service, "GET", path, query=query)).get(name))
            fresh = {_id(one): one for one in page if _id(one) not in found}
            found |= fresh
            if not fresh or service == "network":
                break
            query = {"marker": next(reversed(fresh))}
        self._known[listing] = (now, tuple(found.values()))
        return tuple(found.values())


def _sure(found: Object | Reason) -> Object:
    if isinstance(found, Reason):
        raise Unavailable(reason=found)
    return found


def _id(found: Object) -> str:
    return str(found.get("id", ""))
