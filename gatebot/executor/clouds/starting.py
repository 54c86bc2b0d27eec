# SPDX-License-Identifier: Apache-2.0
"""One server from nothing to where it can be reached: its parts in order, each made once, and the wait until it runs.

What is only full or away is asked for again; parts that are there already, because an answer was lost, are taken.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from ...errors import Unavailable
from ...reasons import Reason, reason
from ..providers.answers import Object
from ..providers.model import NodeRequest
from . import servers
from .holding import Holding
from .looking import Looking
from .model import Server
from .parts import FLOATING, KEYPAIR, PORT, SERVER, VOLUME, Kind
from .servers import Found, State
from .troubles import FULL, passing, pauses
from .trust import Keys, user_data

#: Hears what a server waits for.
Waits: TypeAlias = Callable[[Reason], None]
_POLL, _RETRY = 5.0, 30.0


@dataclass(frozen=True, slots=True)
class Started:
    """A server that runs, and where it is reached."""

    server: str
    address: str


@dataclass(slots=True)
class Starting:
    """Starts servers in one cloud. `site` is told to the cloud's people: whose server this is."""

    looking: Looking
    holding: Holding
    image: str
    site: str

    async def start(self, request: NodeRequest, wanted: Server, keys: Keys, waits: Waits) -> Started:
        """Return when it runs; `waits` hears why not yet. Raises `Unavailable` where that does not pass by itself."""
        again = False
        for pause in pauses(self.holding.pause, _RETRY):
            try:
                return await self._try(request, wanted, keys, waits, again)
            except Unavailable as problem:
                if problem.reason is None or not passing(problem.reason):
                    raise
                waits(problem.reason)
            again = True
            await asyncio.sleep(pause)
        raise AssertionError("pauses never end")

    async def _try(self, request: NodeRequest, wanted: Server, keys: Keys, waits: Waits, again: bool) -> Started:
        label = request.label
        image = self.image if label.image == "default" else label.image
        found = await self.looking.found(image, label, wanted)
        if found.arch not in ("", request.arch):
            raise Unavailable(reason=reason("executor.cloud-arch", image=image, is_for=found.arch, asked=request.arch))
        name, make = self.holding.name(request.node), self.holding.make
        await make(KEYPAIR, name, servers.keypair(name, keys.job_public), again=again)
        port = await make(PORT, name, servers.port(name, found), again=again)
        address = servers.address(port)
        if found.floating_network:
            body = servers.floating(name, found, str(port.get("id", "")))
            address = str((await make(FLOATING, name, body, again=again)).get("floating_ip_address", ""))
        volume = await self._volume(name, wanted, found, waits, again) if wanted.volume else ""
        body = servers.server(
            name,
            found,
            port=str(port.get("id", "")),
            volume=volume,
            zone=wanted.zone or "",
            user_data=user_data(keys, wanted.user or ""),
            marks={
                servers.INSTANCE: self.holding.instance,
                servers.SITE: self.site[:255],
                servers.NODE: request.node,
            },
        )
        server = await make(SERVER, name, body, again=again)
        await self._until(SERVER, name, server, servers.server_state, waits)
        return Started(str(server.get("id", "")), address)

    async def _volume(self, name: str, wanted: Server, found: Found, waits: Waits, again: bool) -> str:
        body = servers.volume(name, wanted.volume or 0, found, wanted.zone or "")
        made = await self.holding.make(VOLUME, name, body, again=again)
        if not (again and await self.holding.find(SERVER, name)):
            await self._until(VOLUME, name, made, servers.volume_state, waits)
        return str(made.get("id", ""))

    async def _until(
        self,
        kind: Kind,
        name: str,
        part: Object,
        read: Callable[[Object], State],
        waits: Waits,
    ) -> None:
        """Return when it is ready; one that never will be is taken away where another may find room."""
        for pause in pauses(self.holding.pause, _POLL):
            state = read(await self.holding.get(kind, part))
            if state.ready:
                return
            if state.full:
                await self.holding.remove_kind(kind, name)
                raise Unavailable(reason=reason(FULL, told=state.why))
            why = reason("executor.node-not-made", told=state.why)
            if state.hopeless:
                raise Unavailable(reason=why)
            waits(why)
            await asyncio.sleep(pause)
