# SPDX-License-Identifier: Apache-2.0
"""What the changes of a project need, in short: for the page of the project, before there is any change.

Pure. A requirement that asks for one vote is told as that vote; any other is shown as it is written.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from . import voting
from .expression import All, Atom, BadExpression, Node, Not, parse
from .model import Label, SubmitRequirement
from .told import GATED, VERIFIED, Electors
from .voting import NON_CONTRIBUTOR, NON_UPLOADER


@dataclass(frozen=True, slots=True)
class Wish:
    """One requirement. Without a `label` there is only `rule`; `groups` may cast the vote, or the gate casts it."""

    name: str
    rule: str
    label: str = ""
    value: int = 0
    groups: tuple[str, ...] = ()
    not_uploader: bool = False
    gate: bool = False


def wishes(
    requirements: Iterable[SubmitRequirement], labels: Iterable[Label], electors: Electors, *, gated: bool
) -> tuple[Wish, ...]:
    """What there is to be told of some requirements."""
    by_name = {label.name.lower(): label for label in labels}
    asked = [one for one in requirements if one.applicable_if != "is:false" and (gated or one.applicable_if != GATED)]
    return tuple(_wish(one, by_name, electors, gated=gated) for one in asked)


def _wish(one: SubmitRequirement, labels: dict[str, Label], electors: Electors, *, gated: bool) -> Wish:
    plain = Wish(one.name, one.submittable_if)
    try:
        vote = _vote(parse(one.submittable_if))
        ask = voting.read(vote.value) if vote is not None else None
    except BadExpression:
        return plain
    label = labels.get(ask.label.lower()) if ask is not None else None
    if ask is None or label is None or ask.sign not in ("=", ">=") or ask.value == "ANY" or ask.all_reviewers:
        return plain
    value = voting.number(ask.value, label)
    groups = (ask.group,) if ask.group else electors(label.name, value)
    others = ask.user in (NON_UPLOADER, NON_CONTRIBUTOR)
    if ask.count is not None or (ask.user and not others):
        return plain
    return Wish(one.name, "", label.name, value, groups, others, gated and label.name == VERIFIED)


def _vote(node: Node) -> Atom | None:
    """The one vote that an expression asks for; vetoes beside it are no matter here."""
    parts = node.parts if isinstance(node, All) else (node,)
    wanted = [part for part in parts if not isinstance(part, Not)]
    only = wanted[0] if len(wanted) == 1 else None
    vetoes = all(isinstance(part.part, Atom) for part in parts if isinstance(part, Not))
    return only if vetoes and isinstance(only, Atom) and only.operator == "label" else None
