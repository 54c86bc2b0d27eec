# SPDX-License-Identifier: Apache-2.0
"""Where nodes come from, for every site and every job: against trying every way."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import product

from hypothesis import given
from hypothesis import strategies as st

from gatebot.architectures import Execution, canonical
from gatebot.assignment import NodeChoice, NodeSpec
from gatebot.executor.model import Label
from gatebot.executor.placing import Busy, Kind, Never, Offer, Placement, Site, place
from gatebot.executor.providers.model import Capacity, Platform
from gatebot.reasons import Reason
from gatebot.words import say

ARCHES, EXECUTIONS = ("x86_64", "arm64"), (Execution.NATIVE, Execution.EMULATED_USER)
PROVIDERS = ("local", "hosts")
IDS = (0, 1, 65_536)
platforms = st.lists(
    st.builds(Platform, st.sampled_from(ARCHES), st.sampled_from(EXECUTIONS), st.integers(0, 2), st.sampled_from(IDS)),
    min_size=1,
    max_size=4,
    unique_by=lambda one: (one.arch, one.execution),
).map(tuple)
capacities = st.builds(Capacity, platforms, st.integers(0, 4), nested=st.just(True), ranges=st.integers(0, 2))
offers = st.fixed_dictionaries({name: st.builds(Offer, capacities) for name in PROVIDERS})
labels = st.builds(
    Label,
    st.just("l"),
    arch=st.sampled_from(("", *ARCHES)),
    provider=st.sampled_from(PROVIDERS),
    execution=st.sampled_from(("", "any", "native", "emulated-user")),
    nested=st.booleans(),
)
sites = st.builds(
    Site,
    st.fixed_dictionaries({"a": labels, "b": labels}),
    offers,
    st.dictionaries(
        st.tuples(*map(st.sampled_from, (PROVIDERS, ARCHES, EXECUTIONS, IDS))), st.integers(0, 2), max_size=3
    ),
)
specs = st.builds(
    NodeSpec,
    st.just(("n",)),
    st.sampled_from("ab"),
    st.sampled_from(("", "amd64", "aarch64")),
    st.sampled_from(("", "any", "native", "emulated-user")),
)
choices = st.lists(specs, min_size=1, max_size=4).map(lambda found: NodeChoice(tuple(found)))


def passes(site: Site, kinds: Sequence[Kind], used: Counter[Kind]) -> bool:
    """Whether these nodes, on top of those in use, are within every limit of the providers that they are of."""
    total = used + Counter(kinds)
    for name, arch, execution, ids in kinds:
        capacity = site.offers[name].capacity
        assert isinstance(capacity, Capacity)
        own = next(one for one in capacity.platforms if (one.arch, one.execution) == (arch, execution))
        alike = sum(count for kind, count in total.items() if kind[:3] == (name, arch, execution))
        whole = sum(count for kind, count in total.items() if kind[0] == name)
        ranged = sum(count for kind, count in total.items() if kind[0] == name and kind[3] > 1)
        counted = ((alike, own.slots), (whole, capacity.slots), (ranged, capacity.ranges))
        if any(limit and count > limit for count, limit in counted[: 3 if ids > 1 else 2]):
            return False
    return True


def serves(site: Site, spec: NodeSpec, kind: Kind) -> bool:
    """Whether a kind is what a node and its label ask for; the best of its architecture where they are silent."""
    label, (name, arch, execution, ids) = site.labels[spec.label], kind
    capacity = site.offers[name].capacity
    assert isinstance(capacity, Capacity)
    own = next(one for one in capacity.platforms if (one.arch, one.execution) == (arch, execution))
    if ids != (own.ids if label.nested else 0):
        return False
    demands = {one for one in (spec.execution, label.execution) if one not in ("", "any")}
    arches = {canonical(one) for one in (spec.arch, label.arch) if one}
    if label.provider != name or not arches <= {arch} or not demands <= {execution.value}:
        return False
    fitting = [one for one in capacity.platforms if arches <= {one.arch} and demands <= {one.execution.value}]
    silent = not demands and "any" not in (spec.execution, label.execution)
    return (fitting[0].arch, fitting[0].execution) == (arch, execution) if silent else fitting[0].arch == arch


@given(sites, choices)
def test_every_answer_is_the_right_one(site: Site, choice: NodeChoice) -> None:
    """A placement fits, busy is what would fit on an idle site, never is what would not even there."""
    kinds = [
        (name, one.arch, one.execution, ids)
        for name, offer in site.offers.items()
        if isinstance(offer.capacity, Capacity)
        for one in offer.capacity.platforms
        for ids in {0, one.ids}
    ]
    ways = list(product(*([kind for kind in kinds if serves(site, spec, kind)] for spec in choice.nodes)))
    now = [way for way in ways if passes(site, way, Counter(site.used))]
    idle = [way for way in ways if passes(site, way, Counter())]
    found = place(site, "b", [choice], post_review=True)
    match found:
        case Placement():
            assert tuple(node.kind for node in found.nodes) in now
        case Busy(why, providers):
            assert (now, bool(idle)) == ([], True)
            assert isinstance(why, Reason)
            assert providers
            assert providers <= {site.labels[spec.label].provider for spec in choice.nodes}
        case Never(why):
            assert idle == []
            assert say(why)
