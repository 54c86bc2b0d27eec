# SPDX-License-Identifier: Apache-2.0
"""Tries out what providers can do, beside everything else, and keeps what was found.

As long as a provider is tried out for the first time, or again because it may be able to do more, its offer says since
when: who wants what it cannot do yet waits for that. Who gets nodes is decided elsewhere, each time that something is
found.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial

from ..clock import Clock
from ..errors import GatebotError
from ..reasons import Reason, reason
from ..words import say
from .placing import Offer, tried
from .providers.model import Capacity
from .providers.ports import Gradual, Provider

log = logging.getLogger(__name__)
#: A provider that does not answer is as good as one that is not there.
_PROBING = 60.0


@dataclass(slots=True)
class Trials:
    """`offers` is what each provider was found to be able to do; those of `trusted` ones are for reviewed changes.

    `found` hears of each change of them; `back` of a provider that can do something, which it could not before.
    """

    providers: Mapping[str, Provider]
    trusted: Collection[str]
    clock: Clock
    found: Callable[[], None]
    back: Callable[[str], Awaitable[None]]
    offers: dict[str, Offer] = field(default_factory=dict[str, Offer])
    _running: dict[str, asyncio.Task[None]] = field(default_factory=dict[str, "asyncio.Task[None]"])
    _due: set[str] = field(default_factory=set[str])
    _told: dict[str, Reason] = field(default_factory=dict[str, Reason])

    def first(self, name: str, architectures: Sequence[str]) -> asyncio.Task[None]:
        """Try a provider out for the first time, beginning with some architectures where it takes long."""
        provider = self.providers[name]
        if isinstance(provider, Gradual):
            provider.begin_with(architectures, partial(self._tell, name))
        self.again(name)
        return self._running[name]

    def again(self, name: str) -> None:
        """Try a provider out; until that is over, nothing is impossible that it might be able to do."""
        now, known = self.clock.now(), self.offers.get(name)
        if known is None:
            self.offers[name] = Offer(tried(now), name in self.trusted, now)
        else:
            self.offers[name] = replace(known, trying=known.trying or now)
        self._due.add(name)
        self.look(name)

    def look(self, name: str) -> None:
        """See what a provider can do now, beside everything else; what is known of it holds meanwhile."""
        if name not in self._running:
            self._due.add(name)
            self._running[name] = asyncio.create_task(self._run(name), name=f"probe of {name}")

    async def probe(self, name: str) -> None:
        """See what a provider can do now."""
        provider, before = self.providers[name], self.offers[name].capacity
        try:
            found = await asyncio.wait_for(provider.probe(), None if isinstance(provider, Gradual) else _PROBING)
        except TimeoutError:
            found = reason("executor.provider-silent", seconds=int(_PROBING))
        except GatebotError as problem:
            found = problem.reason or reason("executor.provider-failed", told=str(problem))
        except Exception as problem:
            log.exception("the provider %s could not be probed", name)
            found = reason("executor.provider-failed", told=repr(problem))
        self._tell(name, found)
        if isinstance(before, Reason) and isinstance(found, Capacity):
            await self.back(name)

    async def close(self) -> None:
        """Give up what goes on."""
        running = tuple(self._running.values())
        for one in running:
            one.cancel()
        await asyncio.gather(*running, return_exceptions=True)

    async def _run(self, name: str) -> None:
        try:
            while name in self._due:  # asked again meanwhile
                self._due.discard(name)
                await self.probe(name)
        finally:
            del self._running[name]
        self.offers[name] = replace(self.offers[name], trying=None)
        self.found()

    def _tell(self, name: str, found: Capacity | Reason) -> None:
        if isinstance(found, Reason) and found != self._told.get(name):
            self._told[name] = found
            log.warning("the provider %s can do nothing now: %s", name, say(found))
        elif isinstance(found, Capacity) and self._told.pop(name, None) is not None:
            log.info("the provider %s is back", name)
        self.offers[name] = replace(self.offers[name], capacity=found)
        self.found()
