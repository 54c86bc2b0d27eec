# SPDX-License-Identifier: Apache-2.0
"""Makes, finds and takes away the parts of nodes in a cloud, each by the name that all parts of a node have.

Nothing is remembered here: what is there is what the cloud says, also after this executor was killed.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from ...errors import Unavailable
from ...reasons import reason
from ..providers.answers import Object, table
from . import parts
from .asking import Cloud
from .parts import KINDS, Kind
from .troubles import REFUSED, pauses

_LEAVING = 300.0
_LONGEST = 10.0
_LINES = 1000


@dataclass(slots=True)
class Holding:
    """What one executor has in a cloud, under its mark. `pause`: how soon a cloud is asked again, at first."""

    cloud: Cloud
    instance: str
    pause: float = 0.5

    def name(self, node: str) -> str:
        """The name of all parts of a node."""
        return parts.name_of(self.instance, node)

    async def find(self, kind: Kind, name: str) -> Object | None:
        """The part of that kind with that name."""
        return next(iter(await self._named(kind, name)), None)

    async def make(self, kind: Kind, name: str, body: Object, *, again: bool) -> Object:
        """Make a part; `again`: it may be there already, because an answer was lost."""
        if again and (there := await self.find(kind, name)) is not None:
            return there
        return table(await self.cloud.ask(kind.service, "POST", kind.path, body), kind.one)

    async def get(self, kind: Kind, part: Object) -> Object:
        """The part as it is now; one that is gone is empty."""
        path = f"{kind.path}/{parts.identity(kind, part)}"
        return table(await self.cloud.ask(kind.service, "GET", path, missing={}), kind.one)

    async def console(self, server: str) -> str:
        """What a server wrote on its console, the end of it; nothing where a cloud has none."""
        body: Object = {"os-getConsoleOutput": {"length": _LINES}}
        try:
            told = await self.cloud.ask("compute", "POST", f"/servers/{server}/action", body, missing={})
        except Unavailable:
            return ""
        return str(told.get("output") or "")

    async def owned(self) -> frozenset[str]:
        """The nodes that have any part here."""
        return frozenset({node for kind in KINDS for node in await self.owned_of(kind)})

    async def owned_of(self, kind: Kind) -> frozenset[str]:
        """The nodes that have a part of that kind."""
        path, query = parts.everything(kind, self.instance)
        return parts.owned(
            kind, await self.cloud.ask(kind.service, "GET", path, query=query, missing={}), self.instance
        )

    async def remove(self, name: str) -> None:
        """Take all parts with that name away; returns when none is left."""
        for kind in KINDS:
            await self.remove_kind(kind, name)

    async def remove_kind(self, kind: Kind, name: str) -> None:
        """Take the parts of one kind away; what something else still uses is waited for."""
        deadline = asyncio.get_running_loop().time() + _LEAVING
        gone: set[str] = set()
        for pause in pauses(self.pause, _LONGEST):
            left = await self._named(kind, name)
            for identity in {parts.identity(kind, part) for part in left} - gone:
                if await self._delete(kind, identity):
                    gone.add(identity)
            if not left or (not kind.lingers and len(gone) == len(left)):
                return
            if asyncio.get_running_loop().time() > deadline:
                state = str(left[0].get("status", ""))
                raise Unavailable(reason=reason("executor.cloud-stays", what=kind.one, name=name, state=state))
            await asyncio.sleep(pause)

    async def _named(self, kind: Kind, name: str) -> tuple[Object, ...]:
        path, query = parts.question(kind, name)
        return parts.named(kind, await self.cloud.ask(kind.service, "GET", path, query=query, missing={}), name)

    async def _delete(self, kind: Kind, identity: str) -> bool:
        """Whether it goes; what is refused now may be allowed when what uses it is gone."""
        try:
            await self.cloud.ask(kind.service, "DELETE", f"{kind.path}/{identity}", missing={})
        except Unavailable as problem:
            if problem.reason is None or problem.reason.kind != REFUSED:
                raise
            return False
        return True
