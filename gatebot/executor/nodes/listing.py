# SPDX-License-Identifier: Apache-2.0
"""What people read of nodes, put together from executors, labels and builds.

Pure. Whether a label can be served is asked of the same function that gives nodes to builds.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence

from ...assignment import NodeChoice, NodeSpec
from ...reasons import Reason
from ..fleet.choosing import Member, Wish, empty, never, supplier_silent
from ..model import Label
from ..placing import Busy, Offer, Placement
from ..ports import BuildFacts
from .model import ExecutorState, Hold, LabelState, Node, Overview, ProviderState


def overview(
    members: Sequence[Member], silent: Mapping[str, str], labels: Mapping[str, Label], nodes: Iterable[Node]
) -> Overview:
    """All executors with their providers, all labels, and the nodes in the order of time.

    Of the `silent` executors is told since when they are.
    """
    told = tuple(sorted(nodes, key=lambda node: (node.hold is not None, node.since, node.id)))
    used = Counter((node.given.executor, node.given.provider) for node in told)
    executors = tuple(
        ExecutorState(
            member.name,
            member.name not in silent,
            tuple(_provider(name, offer, used[member.name, name]) for name, offer in sorted(member.offers.items())),
        )
        for member in members
    )
    return Overview(executors, tuple(_labels(members, silent, labels)), told)


def nodes_of(build: BuildFacts, hold: Hold | None = None) -> Iterator[Node]:
    """The nodes of a build that began."""
    since = hold.since if hold is not None else build.started
    if since is None:
        return
    for index, given in enumerate(build.nodes):
        id = build.build if index == 0 else f"{build.build}-{index}"
        yield Node(id, build.build, build.job, build.project, given, since, hold)


def _provider(name: str, offer: Offer, used: int) -> ProviderState:
    capacity = None if isinstance(offer.capacity, Reason) else offer.capacity
    return ProviderState(name, capacity, offer.problems, offer.trusted, used)


def _labels(members: Sequence[Member], silent: Mapping[str, str], labels: Mapping[str, Label]) -> Iterator[LabelState]:
    own = {name: label for member in members for name, label in member.labels.items()}
    for name in sorted({*labels, *own}):
        wish = Wish("", (NodeChoice((NodeSpec((name,), name),)),), post_review=True)
        know = [member for member in members if name in labels or name in member.labels]
        away = [one.name for one in know if one.name in silent and never(one, labels, wish) is None]
        founds = [(member.name, empty(member, labels, wish)) for member in know if member.name not in silent]
        served = tuple(executor for executor, found in founds if isinstance(found, Placement))
        lacking = [(executor, found.why) for executor, found in founds if not isinstance(found, Placement)]
        yield LabelState(
            labels[name] if name in labels else own[name],
            served,
            (*((one, supplier_silent(one, name, silent[one])) for one in away), *lacking),
            coming=not served and bool(away or any(isinstance(found, Busy) for _, found in founds)),
        )
