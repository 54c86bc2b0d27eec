# SPDX-License-Identifier: Apache-2.0
"""What builds that have no nodes yet wait for: of which label, behind whom, and who has what they want.

Pure. Whether a build waits is decided in `placing.py`; how long it may take is guessed by whoever knows how long jobs
take.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ..architectures import canonical
from ..assignment import NODELESS, NodeChoice, NodeSpec, NodeWait
from ..reasons import Reason
from .placing import Busy, Never, Placed, Placement, Site, place


@dataclass(frozen=True, slots=True)
class Asking:
    """A build that asks for nodes, for `waited` seconds now."""

    build: str
    choices: Sequence[NodeChoice]
    post_review: bool
    waited: float = 0.0


def waits(site: Site, asking: Sequence[Asking], nodes: Mapping[str, Sequence[Placed]]) -> dict[str, NodeWait]:
    """What each of these waits for, who came first being the first; `nodes` are those that builds have."""
    before: dict[str, list[str]] = {}
    found: dict[str, NodeWait] = {}
    for one in asking:
        placed = place(site, one.build, one.choices, post_review=one.post_review, waited=one.waited)
        match placed:
            case Busy(why, providers) if not providers:
                found[one.build] = NodeWait(str(why.get("label") or ""), "", (), (), 0, _otherwise(site, one), why)
                continue
            case Busy(providers=providers):
                pass
            case Placement(nodes=given):  # it is promised to those before it
                providers = frozenset(node.provider for node in given)
            case _:
                continue
        wait = _wait(site, one, providers, before, nodes)
        if wait is not None:
            found[one.build] = wait
        for provider in providers:
            before.setdefault(provider, []).append(one.build)
    return found


def _wait(
    site: Site,
    one: Asking,
    providers: frozenset[str],
    before: Mapping[str, Sequence[str]],
    nodes: Mapping[str, Sequence[Placed]],
) -> NodeWait | None:
    for choice in one.choices:
        for spec in choice.nodes or (NodeSpec((), NODELESS),):
            label = site.labels.get(spec.label)
            if label is None or label.provider not in providers:
                continue
            capacity = site.offers[label.provider].capacity
            if isinstance(capacity, Reason):
                continue
            arch = canonical(spec.arch or label.arch) or capacity.platforms[0].arch
            slots = capacity.slots or sum(each.slots for each in capacity.platforms if each.arch == arch)
            holders = tuple(
                build for build, given in nodes.items() for node in given if node.provider == label.provider
            )
            ahead = tuple(before.get(label.provider, ()))
            return NodeWait(label.name, arch, ahead, holders, slots, _otherwise(site, one))
    return None


def _otherwise(site: Site, one: Asking) -> float | None:
    """In how many seconds it takes another alternative, if there is one that can ever be."""
    able = [
        choice
        for choice in one.choices
        if not isinstance(place(site, one.build, (choice,), post_review=one.post_review), Never)
    ]
    return max(site.patience - one.waited, 0.0) if site.patience and len(able) > 1 else None
