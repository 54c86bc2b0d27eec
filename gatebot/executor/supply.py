# SPDX-License-Identifier: Apache-2.0
"""All providers of this executor as one: who gives each node of a build, who waits for one, and what is left behind.

Where a node comes from is decided in `placing.py`; here is counted what is in use. Builds that wait are served in the
order in which they came: a later one never takes what an earlier one waits for. A node that cannot be taken away counts
until it can. Providers are tried out beside everything else: who wants what they may be able to do waits for that.
"""

from __future__ import annotations

import asyncio
import logging
import platform
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from ..architectures import canonical
from ..assignment import NodeChoice, NodeWait
from ..clock import Clock
from ..errors import GatebotError, Refused
from ..reasons import Reason, reason
from .awaiting import Asking, waits
from .model import LOCAL, Label
from .placing import Busy, Kind, Limited, Never, Offer, Placed, Placement, Site, counted, place
from .providers.model import Capacity
from .providers.ports import Growing, Provider
from .trying import Trials

log = logging.getLogger(__name__)
_LOOK = 20.0
#: How long a node may take that is made here.
MAKING = 60.0


@dataclass(frozen=True, slots=True)
class Source:
    """A provider, and for whom it is. `trusted`: only for jobs that run after review.

    `changing`: what it can do may be something else after each node, and is looked at again. `lasting`: its nodes
    outlive this process, and the next one can be connected to them. `making` is how many seconds a node of it may take
    until commands can run.
    """

    provider: Provider
    trusted: bool = False
    changing: bool = False
    lasting: bool = False
    making: float = MAKING


@dataclass(eq=False, slots=True)
class _Waiter:
    """A build that has no nodes yet. `told` is the last reason that it heard."""

    build: str
    choices: Sequence[NodeChoice]
    post_review: bool
    busy: Callable[[Reason], None]
    found: asyncio.Future[Placement | Never]
    since: datetime
    told: Reason | None = None


@dataclass(frozen=True, slots=True)
class _Left:
    """A node that is to go away; nothing is known of the `kind` of one that another server had."""

    provider: str
    kind: Kind | None = None


@dataclass(slots=True)
class Supply:
    """The nodes of this executor. `sources` are its providers by name; `labels` may change while it runs.

    `unready` says what a label lacks before there can be nodes of it; `patience` is for how many seconds a build waits
    for one alternative of its nodeset, 0: for ever.
    """

    sources: Mapping[str, Source]
    labels: Mapping[str, Label]
    clock: Clock
    unready: Callable[[Label], Reason | None] = lambda _: None
    patience: float = 0.0
    _nodes: dict[str, tuple[Placed, ...]] = field(default_factory=dict[str, "tuple[Placed, ...]"])
    _waiters: list[_Waiter] = field(default_factory=list[_Waiter])
    _leaving: dict[str, _Left] = field(default_factory=dict[str, "_Left"])
    _known: dict[str, tuple[Placed, ...]] = field(default_factory=dict[str, "tuple[Placed, ...]"])
    _lacked: frozenset[str] = frozenset()
    _trials: Trials = field(init=False)

    def __post_init__(self) -> None:
        """Nothing is spoken to yet."""
        providers = {name: source.provider for name, source in self.sources.items()}
        trusted = frozenset(name for name, source in self.sources.items() if source.trusted)
        self._trials = Trials(providers, trusted, self.clock, self._settle, self._recover)

    async def start(self, kept: Mapping[str, Sequence[Placed]]) -> Capacity | Reason:
        """Begin to probe every provider for real, and take away what a server before this one left there.

        Returns as soon as the local one is known, with what it said. Nodes that were `kept` for people stay, as far as
        they last.
        """
        for build, nodes in kept.items():
            lasting = tuple(one for one in nodes if one.provider in self.sources and self.sources[one.provider].lasting)
            if lasting:
                self._nodes[build] = self._known[build] = lasting
        self._lacked = frozenset(lacking_of(self))
        begun = {name: self._trials.first(name, self._named(name)) for name in self.sources}
        await begun[LOCAL]
        return self.offers[LOCAL].capacity

    @property
    def offers(self) -> Mapping[str, Offer]:
        """What each provider was found to be able to do."""
        return self._trials.offers

    @property
    def nodes(self) -> Mapping[str, tuple[Placed, ...]]:
        """The nodes that builds have, in order, those of kept ones among them."""
        return self._nodes

    @property
    def waiting(self) -> int:
        """How many builds wait for nodes."""
        return len(self._waiters)

    def waits(self) -> Mapping[str, NodeWait]:
        """What each build that has no nodes yet waits for."""
        asking = [Asking(one.build, one.choices, one.post_review, self._waited(one)) for one in self._waiters]
        return waits(self._site(), asking, self._nodes)

    def attach(self, build: str, node: Placed) -> None:
        """One more node of a build, which goes away with the others."""
        self._nodes[build] = (*self._nodes[build], node)

    def provider(self, name: str) -> Provider:
        """A provider by its name."""
        return self.sources[name].provider

    async def take(
        self, build: str, choices: Sequence[NodeChoice], *, post_review: bool, busy: Callable[[Reason], None]
    ) -> Placement:
        """The places of a build's nodes, which are its own until `destroy`; `busy` is told why it waits.

        Raises `Refused` at once where no provider can ever serve it.
        """
        future: asyncio.Future[Placement | Never] = asyncio.get_running_loop().create_future()
        waiter = _Waiter(build, choices, post_review, busy, future, self.clock.now())
        self._waiters.append(waiter)
        try:
            self._settle()
            found = await future
        finally:
            if waiter in self._waiters:
                self._waiters.remove(waiter)
                self._settle()  # others may have waited behind it
        if isinstance(found, Never):
            raise Refused(reason=found.why)
        return found

    async def freeze(self, build: str, frozen: bool = True) -> None:
        """Stop what runs on a build's nodes, or let it go on."""
        for node in self._nodes.get(build, ()):
            await self.provider(node.provider).freeze(node.node, frozen)

    async def destroy(self, build: str) -> None:
        """Take a build's nodes away; what cannot be now is tried again, and counts until it is gone."""
        nodes = self._nodes.pop(build, ())
        self._leaving |= {node.node: _Left(node.provider, node.kind) for node in nodes}
        await asyncio.gather(*(self._remove(node.node) for node in nodes))
        self._settle()

    async def run(self) -> None:
        """For ever: take away what could not be, and look at providers that could do nothing."""
        while True:
            await self.clock.sleep(_LOOK)
            for node in tuple(self._leaving):
                await self._remove(node)
            for name, offer in tuple(self.offers.items()):
                provider = self.provider(name)
                if isinstance(provider, Growing) and provider.has_more():
                    self._trials.again(name)
                elif name != LOCAL and (isinstance(offer.capacity, Reason) or self.sources[name].changing):
                    self._trials.look(name)
            self._settle()

    async def close(self, kept: Collection[str] = ()) -> None:
        """Take away every node but those of `kept` builds that can last, and let go of the providers."""
        await self._trials.close()
        for build, nodes in tuple(self._nodes.items()):
            if build not in kept or not any(self.sources[node.provider].lasting for node in nodes):
                await self.destroy(build)
        for source in self.sources.values():
            await source.provider.close()

    # -- what these are made of -----------------------------------------------------------------

    def _settle(self) -> None:
        """Serve who waits, in order."""
        lacking = frozenset(lacking_of(self))
        for name in (self._lacked - lacking) & self.labels.keys():
            self._trials.again(self.labels[name].provider)  # with its image it may be able to do more
        self._lacked = lacking
        held: set[Limited] = set()
        for waiter in tuple(self._waiters):
            site, waited = self._site(), self._waited(waiter)
            found = place(site, waiter.build, waiter.choices, post_review=waiter.post_review, waited=waited)
            if isinstance(found, Placement):
                promised = held.intersection(limit for node in found.nodes for limit in counted(node.kind))
                if promised:
                    providers = frozenset(node.provider for node in found.nodes)
                    found = Busy(reason("executor.nodes-promised"), providers, frozenset(promised))
            if isinstance(found, Busy):
                held |= found.holds
                if found.why != waiter.told:
                    waiter.told = found.why
                    waiter.busy(found.why)
                continue
            self._waiters.remove(waiter)
            if not waiter.found.cancelled():
                if isinstance(found, Placement):
                    self._nodes[waiter.build] = found.nodes
                waiter.found.set_result(found)

    def _every(self) -> Iterator[Placed]:
        yield from (node for nodes in self._nodes.values() for node in nodes)

    def _site(self) -> Site:
        leaving = [left.kind for left in self._leaving.values() if left.kind is not None]
        used = Counter([*leaving, *(node.kind for node in self._every())])
        return Site(self.labels, self.offers, used, lacking_of(self), self.patience)

    def _waited(self, waiter: _Waiter) -> float:
        return (self.clock.now() - waiter.since).total_seconds()

    def _named(self, name: str) -> tuple[str, ...]:
        """The architectures that labels of a provider name, first."""
        own = canonical(platform.machine())
        return tuple(dict.fromkeys(one.arch or own for one in self.labels.values() if one.provider == name))

    async def _recover(self, name: str) -> None:
        """Take away what is there although no build has it: a server that was killed left it."""
        try:
            owned = await self.provider(name).list_owned()
        except GatebotError as problem:
            log.warning("what the provider %s has left could not be listed: %s", name, problem)
            return
        known = {node.node for node in self._every()}
        for node in set(owned) - known:
            self._leaving.setdefault(node, _Left(name))
            await self._remove(node)
        for build, nodes in tuple(self._known.items()):
            if any(node.provider == name and node.node not in owned for node in nodes):
                del self._known[build]
                await self.destroy(build)  # without all of them there is nothing to look at

    async def _remove(self, node: str) -> None:
        left = self._leaving.get(node)
        if left is None:
            return
        try:
            await self.provider(left.provider).destroy(node)
        except GatebotError as problem:
            log.warning("the node %s could not be taken away; again in %s seconds: %s", node, _LOOK, problem)
        else:
            self._leaving.pop(node, None)  # while that took its time it may have been done once more
            if self.sources[left.provider].changing:
                await self._trials.probe(left.provider)


def lacking_of(supply: Supply) -> Mapping[str, Reason]:
    """The labels that there can be no nodes of yet, with what they wait for."""
    return {name: why for name, label in supply.labels.items() if (why := supply.unready(label)) is not None}
