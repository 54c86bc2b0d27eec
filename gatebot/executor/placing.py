# SPDX-License-Identifier: Apache-2.0
"""Which provider gives each node of a build: decided from what the job asks for and what providers can do now.

Pure. Alternatives of a nodeset are tried in order, and the first that is possible is kept to, as Zuul does: one that
no provider can ever serve gives way to the next at once, one whose nodes are all in use is waited for, as long as the
site has patience; then the first that is free is taken. Without a word
on the architecture a provider's best platform is meant; another execution is only taken where the job says `any`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from difflib import get_close_matches
from typing import TypeAlias

from ..architectures import ANY, Execution, canonical
from ..assignment import NODELESS, GivenNode, NodeChoice, NodeSpec
from ..reasons import Reason, reason
from .model import LOCAL, Label, Sandbox
from .providers.model import Capacity, Platform

#: A provider's name and what one of its nodes is: arch, execution, and of how many user ids, where that matters.
Kind: TypeAlias = tuple[str, str, Execution, int]
#: What has a limit: a provider, one of its platforms, its ranges of user ids.
Limited: TypeAlias = str | tuple[str, str, Execution] | tuple[str, str]


_RANGES = "ranges"
#: What nothing brings that can be installed.
_REAL = (Execution.NATIVE, Execution.KVM)


@dataclass(frozen=True, slots=True)
class Offer:
    """What a provider can do; a reason says why it can do nothing. `trusted`: only for jobs that run after review.

    `trying` is since when it is being tried out, where that goes on: it may be able to do more than is known.
    """

    capacity: Capacity | Reason
    trusted: bool = False
    trying: datetime | None = None

    @property
    def problems(self) -> tuple[Reason, ...]:
        """What people are told of what it cannot do."""
        known = (self.capacity,) if isinstance(self.capacity, Reason) else self.capacity.problems
        return known if self.trying is None else (*known[: isinstance(self.capacity, Capacity)], tried(self.trying))


def tried(since: datetime) -> Reason:
    """That a provider is still being tried out."""
    return reason("executor.provider-tried", since=f"{since:%H:%M}")


@dataclass(frozen=True, slots=True)
class Placed:
    """One node of a build: its id, what the job calls it, and who gives what.

    `ids` is how many user ids the job has for namespaces of its own; 0: it makes none, or the machine is its own.
    """

    node: str
    spec: NodeSpec
    label: Label
    provider: str
    arch: str
    execution: Execution
    ids: int = 0

    @property
    def kind(self) -> Kind:
        """What is counted."""
        return (self.provider, self.arch, self.execution, self.ids)

    @property
    def given(self) -> GivenNode:
        """What is told of it elsewhere."""
        what = (self.label.name, self.arch, self.execution.value, self.provider, self.spec.names)
        return GivenNode(*what, ids=self.ids)


@dataclass(frozen=True, slots=True)
class Placement:
    """The alternative that was taken, and its nodes in order; a job without nodes has one all the same."""

    choice: NodeChoice
    nodes: tuple[Placed, ...]


@dataclass(frozen=True, slots=True)
class Never:
    """No provider can ever serve this."""

    why: Reason


@dataclass(frozen=True, slots=True)
class Busy:
    """It is possible, but not now; `providers` are those whose nodes it waits for, if it is nodes.

    `holds` is what nobody who comes later may take of these meanwhile.
    """

    why: Reason
    providers: frozenset[str]
    holds: frozenset[Limited] = frozenset()

    def both(self, other: Busy) -> Busy:
        """It waits for the one or the other, whatever is free first."""
        return Busy(self.why, self.providers | other.providers, self.holds | other.holds)


@dataclass(frozen=True, slots=True)
class Site:
    """The labels and providers of this executor, and how many nodes of each kind are in use.

    `unready` says of labels that have no image yet what they wait for. `patience` is how many seconds a build waits for
    an alternative before it takes another; 0: for ever.
    """

    labels: Mapping[str, Label]
    offers: Mapping[str, Offer]
    used: Mapping[Kind, int] = field(default_factory=dict[Kind, int])
    unready: Mapping[str, Reason] = field(default_factory=dict[str, Reason])
    patience: float = 0.0


def place(
    site: Site, build: str, choices: Sequence[NodeChoice], *, post_review: bool, waited: float = 0.0
) -> Placement | Never | Busy:
    """The nodes of a build that has `waited` so many seconds, or why it has none."""
    refused: list[Reason] = []
    busy: Busy | None = None
    for choice in choices:
        found = _alternative(site, build, choice, post_review)
        match found:
            case Never(why):
                refused.append(why)
            case Busy() if site.patience and waited >= site.patience:
                busy = busy.both(found) if busy is not None else found
            case _:
                return found
    if busy is not None:
        return busy
    if len(refused) == 1:
        return Never(refused[0])
    return Never(reason("executor.no-alternative", *refused, count=len(refused)))


def _alternative(site: Site, build: str, choice: NodeChoice, post_review: bool) -> Placement | Never | Busy:
    specs = choice.nodes or (NodeSpec((), NODELESS),)
    wanted: list[tuple[Kind, ...]] = []
    unknown: Busy | None = None
    for spec in specs:
        match _kinds(site, spec, post_review):
            case Never() as never:
                return never
            case Busy() as busy:
                unknown = unknown or busy
            case kinds:
                wanted.append(kinds)
    if unknown is not None:
        return unknown
    limits = _limits(site)
    if _fitted(wanted, limits, {}) is None:
        return Never(_too_many(wanted, limits))
    if (waits := next((site.unready[spec.label] for spec in specs if spec.label in site.unready), None)) is not None:
        return Busy(waits, frozenset())  # it takes nothing from others meanwhile
    fitted = _fitted(wanted, limits, site.used)
    if fitted is None:
        return _busy(wanted, limits, site.used)
    nodes = tuple(
        Placed(build if index == 0 else f"{build}-{index}", spec, site.labels[spec.label], *kind)
        for index, (spec, kind) in enumerate(zip(specs, fitted, strict=True))
    )
    return Placement(choice, nodes)


def _kinds(site: Site, spec: NodeSpec, post_review: bool) -> tuple[Kind, ...] | Never | Busy:
    """What would serve for a node, best first; never nothing."""
    label = site.labels.get(spec.label)
    if label is None:
        known = sorted(site.labels)
        meant = [reason("executor.label-meant", label=near) for near in get_close_matches(spec.label, known, 1)]
        return Never(reason("executor.no-such-label", *meant, label=spec.label, known=", ".join(known)))
    offer = site.offers.get(label.provider)
    if offer is None:
        return Never(reason("executor.no-such-provider", label=label.name, provider=label.provider))
    if (refused := _refused(label, offer, spec, post_review)) is not None:
        return Never(refused)
    if isinstance(offer.capacity, Reason):
        if label.name in site.unready and label.provider != LOCAL:  # without images there is no virtual machine at all
            return Busy(site.unready[label.name], frozenset())
        why = reason("executor.provider-unusable", offer.capacity, label=label.name, provider=label.provider)
        return _unless_tried(offer, label, why)
    if label.nested and not offer.capacity.nested:
        helps = offer.capacity.problems or (_nesting(offer.capacity, label),)
        return Never(reason("executor.no-nesting", *helps, label=label.name, provider=label.provider))
    arch = canonical(spec.arch or label.arch)
    execution = _demand(spec) or _demand(label) or spec.execution or label.execution
    found = _fitting(offer.capacity.platforms, arch, execution)
    if found:
        return tuple((label.provider, one.arch, one.execution, one.ids if label.nested else 0) for one in found)
    if label.name in site.unready:
        return Busy(site.unready[label.name], frozenset())
    return _unless_tried(offer, label, _no_platform(offer.capacity, label, arch, execution))


def _refused(label: Label, offer: Offer, spec: NodeSpec, post_review: bool) -> Reason | None:
    """Why a job may not have nodes of a label, or asks for something that the label says they are not."""
    if label.privileged and not post_review:
        return reason("executor.label-privileged", label=label.name)
    if offer.trusted and not post_review:
        return reason("executor.provider-post-review", label=label.name, provider=label.provider)
    for asked, own in ((canonical(spec.arch), canonical(label.arch)), (_demand(spec), _demand(label))):
        if asked and own and asked != own:
            return reason("executor.label-is-other", label=label.name, own=own, asked=asked)
    return None


def _unless_tried(offer: Offer, label: Label, why: Reason) -> Never | Busy:
    """It is impossible for this reason, unless its provider may be found to be able to do more."""
    if offer.trying is None:
        return Never(why)
    since = f"{offer.trying:%H:%M}"
    return Busy(reason("executor.label-tried", label=label.name, provider=label.provider, since=since), frozenset())


def _no_platform(capacity: Capacity, label: Label, arch: str, execution: str) -> Reason:
    """That no node can be what is asked for, and what would bring it, if something here would."""
    have = ", ".join(f"{one.arch} {one.execution}" for one in capacity.platforms)
    told = {"label": label.name, "provider": label.provider, "asked": f"{arch} {execution}".strip(), "have": have}
    brings = [why for lacking, why in capacity.lacking if lacking == arch and execution not in _REAL]
    return reason("executor.no-such-platform-yet" if brings else "executor.no-such-platform", *brings, **told)


def _nesting(capacity: Capacity, label: Label) -> Reason:
    """What helps where nested nodes are no matter of what was tried."""
    if capacity.sandbox is Sandbox.NONE:
        return reason("executor.nesting-takes-sandbox", label=label.name)
    return reason("executor.nesting-elsewhere", label=label.name)


def _demand(what: NodeSpec | Label) -> str:
    """The one execution that is asked for; empty: it matters to nobody."""
    return "" if what.execution == ANY else what.execution


def _fitting(platforms: Sequence[Platform], arch: str, execution: str) -> list[Platform]:
    """The platforms of one architecture that serve, best first. `execution` empty: only the best that there is."""
    found = [one for one in platforms if arch in ("", one.arch) and execution in ("", ANY, one.execution)]
    found = [one for one in found if one.arch == found[0].arch]
    return found[:1] if execution == "" else found


# -- counting -----------------------------------------------------------------------------------


def _limits(site: Site) -> dict[Limited, int]:
    """How many nodes there may be of a provider, and of a kind; what is not there has no limit."""
    found: dict[Limited, int] = {}
    for name, offer in site.offers.items():
        if isinstance(offer.capacity, Reason):
            continue
        if offer.capacity.slots:
            found[name] = offer.capacity.slots
        if offer.capacity.ranges:
            found[name, _RANGES] = offer.capacity.ranges
        for one in offer.capacity.platforms:
            if one.slots:
                found[name, one.arch, one.execution] = one.slots
    return found


def counted(kind: Kind) -> tuple[Limited, ...]:
    """All limits that a node counts for."""
    provider, arch, execution, ids = kind
    of_all = ((provider, arch, execution), provider)
    return (*of_all, (provider, _RANGES)) if ids > 1 else of_all


def _fitted(
    wanted: Sequence[tuple[Kind, ...]], limits: Mapping[Limited, int], used: Mapping[Kind, int]
) -> tuple[Kind, ...] | None:
    """A kind for each node, so that no limit is passed: the first of all ways in the order of preference."""
    begun = Counter[Limited]()
    for kind, count in used.items():
        begun.update(dict.fromkeys(counted(kind), count))
    hopeless: set[frozenset[tuple[Limited, int]]] = set()

    def fit(index: int) -> tuple[Kind, ...] | None:
        if index == len(wanted):
            return ()
        state = frozenset([*(+begun).items(), ("", index)])
        if state in hopeless:
            return None
        for kind in wanted[index]:
            takes = counted(kind)
            if all(begun[one] < limits.get(one, begun[one] + 1) for one in takes):
                begun.update(takes)
                rest = fit(index + 1)
                begun.subtract(takes)
                if rest is not None:
                    return (kind, *rest)
        hopeless.add(state)
        return None

    return fit(0)


def _providers(wanted: Sequence[tuple[Kind, ...]]) -> Iterator[str]:
    """The providers of the nodes, each once, in order."""
    yield from dict.fromkeys(kinds[0][0] for kinds in wanted)


def _too_many(wanted: Sequence[tuple[Kind, ...]], limits: Mapping[Limited, int]) -> Reason:
    """The provider that cannot have so many nodes even when nobody else has any."""
    for provider in _providers(wanted):
        own = [kinds for kinds in wanted if kinds[0][0] == provider]
        if _fitted(own, limits, {}) is None:
            most = next(count for count in range(len(own), -1, -1) if _fitted(own[:count], limits, {}) is not None)
            return reason("executor.too-many-nodes", provider=provider, nodes=len(own), most=most)
    raise AssertionError("providers have no limits in common")


def _busy(wanted: Sequence[tuple[Kind, ...]], limits: Mapping[Limited, int], used: Mapping[Kind, int]) -> Busy:
    full = [
        provider
        for provider in _providers(wanted)
        if _fitted([kinds for kinds in wanted if kinds[0][0] == provider], limits, used) is None
    ]
    taken = sum(count for kind, count in used.items() if kind[0] == full[0])
    holds = frozenset(_short(provider, wanted, limits, used) for provider in full)
    return Busy(reason("executor.nodes-busy", provider=full[0], used=taken), frozenset(full), holds)


def _short(
    provider: str, wanted: Sequence[tuple[Kind, ...]], limits: Mapping[Limited, int], used: Mapping[Kind, int]
) -> Limited:
    """What a provider has too little of: ranges of user ids, where that is all; then others may have its nodes."""
    plain = [tuple((*kind[:3], 0) for kind in kinds) for kinds in wanted if kinds[0][0] == provider]
    return provider if _fitted(plain, limits, used) is None else (provider, _RANGES)
