# SPDX-License-Identifier: Apache-2.0
"""Which executor takes a build: one whose providers can give every node of it, and of those the one with most room.

Pure. What a provider can give is decided by `placing.py`, for every executor alike. That nobody has room now is no
answer for ever; that nobody could ever, however empty, is, with everybody's reasons.
"""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import cast

from ...architectures import canonical
from ...assignment import NODELESS, Assignment, FrozenJob, NodeChoice, NodeSpec, NodeWait
from ...reasons import Reason, reason
from ..model import Label
from ..placing import Busy, Never, Offer, Placement, Site, place
from ..providers.model import Capacity

HERE = ""
"""The name of the executor in the server's own process."""


@dataclass(frozen=True, slots=True)
class Member:
    """An executor as the choice sees it: `free` is how many builds it would take now, `labels` are its own ones.

    `running` are those that it has, `unready` are labels that it has no image of yet.
    """

    name: str
    free: int
    offers: Mapping[str, Offer]
    labels: Mapping[str, Label] = field(default_factory=dict[str, Label])
    running: tuple[str, ...] = ()
    unready: Mapping[str, Reason] = field(default_factory=dict[str, Reason])


@dataclass(frozen=True, slots=True)
class Wish:
    """The nodes of a build; `choices` are the alternatives."""

    build: str
    choices: tuple[NodeChoice, ...]
    post_review: bool

    @classmethod
    def of(cls, assignment: Assignment) -> Wish:
        """What a build wants."""
        return replace(cls.of_job(assignment.job), build=assignment.build, post_review=assignment.post_review)

    @classmethod
    def of_job(cls, job: FrozenJob) -> Wish:
        """What every build of a job will want, and could have after review."""
        return cls("", job.alternatives or (NodeChoice(job.nodes, job.groups),), post_review=True)


def empty(member: Member, labels: Mapping[str, Label], wish: Wish) -> Placement | Never | Busy:
    """What an executor that has nothing else to do would give; a label of its own wins over the site's."""
    known = ChainMap({**member.labels}, cast("dict[str, Label]", labels))
    site = Site(known, member.offers, unready=member.unready)
    return place(site, wish.build, wish.choices, post_review=wish.post_review)


def never(member: Member, labels: Mapping[str, Label], wish: Wish) -> Reason | None:
    """Why an executor can never give these nodes."""
    found = empty(member, labels, wish)
    return found.why if isinstance(found, Never) else None


def choose(members: Iterable[Member], labels: Mapping[str, Label], wish: Wish) -> str | None:
    """The executor that takes the build now; None: nobody has room. This process' own comes first among equals.

    One that is still tried out, or builds an image, only takes what nobody can give yet.
    """
    able = [(one, found) for one in members if not isinstance(found := empty(one, labels, wish), Never)]
    ready = [one for one, found in able if isinstance(found, Placement)]
    fit = [one for one in ready or [one for one, _ in able] if one.free > 0]
    return min(fit, key=lambda one: (-one.free, one.name)).name if fit else None


def nobody(members: Sequence[Member], labels: Mapping[str, Label], wish: Wish) -> tuple[Reason, ...]:
    """Why none of these can ever give the nodes, each reason once, with whose it is where there are several.

    Nothing where one of them can.
    """
    whose: dict[Reason, list[str]] = {}
    for one in members:
        if (why := never(one, labels, wish)) is None:
            return ()
        whose.setdefault(why, []).append(one.name)
    return tuple(whose) if len(whose) < 2 else tuple(_told_by(names[0], why) for why, names in whose.items())


def _told_by(name: str, why: Reason) -> Reason:
    if name == HERE:
        return reason("executor.server-lacks", why)
    return reason("executor.executor-lacks", why, executor=name)


def waits(members: Sequence[Member], labels: Mapping[str, Label], wishes: Iterable[Wish]) -> dict[str, NodeWait]:
    """What builds wait for that nobody has room for, who came first being the first; a slot stands for its nodes."""
    found: dict[str, NodeWait] = {}
    before: list[tuple[str, frozenset[str]]] = []
    for wish in wishes:
        fit = [one for one in members if never(one, labels, wish) is None]
        if not fit or any(one.free > 0 for one in fit):
            continue
        names = frozenset(one.name for one in fit)
        holders = tuple(build for one in fit for build in one.running)
        ahead = tuple(build for build, theirs in before if theirs & names)
        label, arch = _first(fit[0], labels, wish)
        found[wish.build] = NodeWait(label, arch, ahead, holders, len(holders))
        before.append((wish.build, names))
    return found


def stranded(
    members: Sequence[Member], silent: Sequence[tuple[Member, str]], labels: Mapping[str, Label], wishes: Iterable[Wish]
) -> Iterator[tuple[str, NodeWait]]:
    """What builds wait for that only `silent` executors could serve; of these each with since when it is."""
    for wish in wishes:
        if any(never(one, labels, wish) is None for one in members):
            continue
        for one, since in silent:
            if never(one, labels, wish) is None:
                label, arch = _first(one, labels, wish)
                yield wish.build, NodeWait(label, arch, (), (), 0, lacks=supplier_silent(one.name, label, since))
                break


def supplier_silent(executor: str, label: str, since: str) -> Reason:
    """That an executor could serve a label if it were heard of."""
    return reason("executor.supplier-silent", executor=executor, label=label, since=since)


def _first(member: Member, labels: Mapping[str, Label], wish: Wish) -> tuple[str, str]:
    """The label of the first node, and the architecture that it has there."""
    spec = next((node for choice in wish.choices for node in choice.nodes), NodeSpec((), NODELESS))
    label = member.labels.get(spec.label) or labels.get(spec.label)
    offer = member.offers.get(label.provider) if label is not None else None
    best = offer.capacity.platforms[0].arch if offer is not None and isinstance(offer.capacity, Capacity) else ""
    return spec.label, canonical(spec.arch or (label.arch if label is not None else "")) or best
