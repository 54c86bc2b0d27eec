# SPDX-License-Identifier: Apache-2.0
"""Which executor takes a build: one whose providers can give every node of it, and of those the one with most room.

Pure. What a provider can give is decided by `placing.py`, for every executor alike. That nobody has room now is no
answer for ever; that nobody could ever, however empty, is, with everybody's reasons.
"""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import cast

from ...assignment import Assignment, NodeChoice
from ...reasons import Reason
from ..model import Label
from ..placing import Never, Offer, Site, place

HERE = ""
"""The name of the executor in the server's own process."""


@dataclass(frozen=True, slots=True)
class Member:
    """An executor as the choice sees it: `free` is how many builds it would take now, `labels` are its own ones."""

    name: str
    free: int
    offers: Mapping[str, Offer]
    labels: Mapping[str, Label] = field(default_factory=dict[str, Label])


@dataclass(frozen=True, slots=True)
class Wish:
    """The nodes of a build; `choices` are the alternatives."""

    build: str
    choices: tuple[NodeChoice, ...]
    post_review: bool

    @classmethod
    def of(cls, assignment: Assignment) -> Wish:
        """What a build wants."""
        job = assignment.job
        choices = job.alternatives or (NodeChoice(job.nodes, job.groups),)
        return cls(assignment.build, choices, assignment.post_review)


def never(member: Member, labels: Mapping[str, Label], wish: Wish) -> Reason | None:
    """Why an executor can never give these nodes; a label of its own wins over the site's."""
    known = ChainMap({**member.labels}, cast("dict[str, Label]", labels))
    site = Site(known, member.offers)
    found = place(site, wish.build, wish.choices, post_review=wish.post_review)
    return found.why if isinstance(found, Never) else None


def choose(members: Iterable[Member], labels: Mapping[str, Label], wish: Wish) -> str | None:
    """The executor that takes the build now; None: nobody has room. This process' own comes first among equals."""
    fit = [one for one in members if one.free > 0 and never(one, labels, wish) is None]
    return min(fit, key=lambda one: (-one.free, one.name)).name if fit else None


def nobody(members: Sequence[Member], labels: Mapping[str, Label], wish: Wish) -> tuple[Reason, ...]:
    """Why none of these can ever give the nodes, each reason once; nothing where one of them can."""
    reasons = [never(one, labels, wish) for one in members]
    return () if None in reasons else tuple(dict.fromkeys(why for why in reasons if why is not None))
