# SPDX-License-Identifier: Apache-2.0
"""What is to land, as values: the order, the moves of references it takes, and how it ended.

Pure. An intent keeps the plan and the outcome as JSON; both directions are here, side by side.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from typing import TypedDict

from ..change import Landing, LandingChange
from ..reasons import Reason
from .mail.model import NO_WISH, Notify, Wish
from .model import ZERO, Intent, RefMove, branch_ref, change_ref

KIND = "land"


@dataclass(frozen=True, slots=True)
class Order:
    """A landing, and who answers for it: the gate's account, or the person who submits. `item` None: no gate tested.

    `wish` is what a person said of mail about it.
    """

    landing: Landing
    account: int
    item: str | None
    wish: Wish = NO_WISH


@dataclass(frozen=True, slots=True)
class Plan:
    """An order; `renewed` are the changes that get the landed commit as a new patch set."""

    order: Order
    renewed: tuple[int, ...]

    @property
    def key(self) -> str:
        """The same item with the same commits is the same landing; with others it is another one."""
        content = json.dumps([asdict(change) for change in self.order.landing.changes], sort_keys=True)
        return f"{self.order.landing.item}:{hashlib.sha256(content.encode()).hexdigest()[:16]}"


@dataclass(frozen=True, slots=True)
class Outcome:
    """Which changes merged, and what kept the others from it. Both only when a branch could not be moved back."""

    merged: tuple[int, ...]
    refused: Reason | None = None


def moves_of(plan: Plan) -> tuple[RefMove, ...] | None:
    """The references to move: those of new patch sets first, then each branch once. None: the commits make no chain."""
    kept = tuple(
        RefMove(c.project, change_ref(c.number, c.patch_set + 1), ZERO, c.commit, c.store)
        for c in plan.order.landing.changes
        if c.number in plan.renewed
    )
    branches: dict[tuple[str, str], RefMove] = {}
    for c in plan.order.landing.changes:
        before = branches.get((c.project, c.branch))
        if before is not None and before.new != c.expected:
            return None
        old = before.old if before else c.expected
        branches[c.project, c.branch] = RefMove(c.project, branch_ref(c.branch), old, c.commit, c.store)
    return (*kept, *branches.values())


class _Reason(TypedDict):
    kind: str
    params: list[list[str | int]]
    because: list[_Reason]


def outcome_text(outcome: Outcome) -> str:
    """An outcome as an intent keeps it."""
    refused = None if outcome.refused is None else _reason_json(outcome.refused)
    return json.dumps({"merged": outcome.merged, "refused": refused}, separators=(",", ":"))


def outcome_from(intent: Intent) -> Outcome:
    """How a closed intent ended."""
    said = json.loads(intent.outcome)
    refused = said["refused"]
    return Outcome(tuple(said["merged"]), None if refused is None else _reason(refused))


def to_payload(plan: Plan) -> str:
    """A plan as an intent keeps it."""
    return json.dumps(asdict(plan), separators=(",", ":"))


def from_payload(text: str) -> Plan:
    """The plan that an intent keeps."""
    said = json.loads(text)
    order, landing = said["order"], said["order"]["landing"]
    changes = tuple(LandingChange(**change) for change in landing["changes"])
    assumed = tuple((project, branch, commit) for project, branch, commit in landing.get("assumed", ()))
    whole = Landing(landing["item"], landing["pipeline"], changes, assumed)
    wish = order.get("wish") or asdict(NO_WISH)
    told = Wish(Notify(wish["level"]) if wish["level"] else None, *(tuple(wish[name]) for name in ("to", "cc", "bcc")))
    return Plan(Order(whole, order["account"], order["item"], told), tuple(said["renewed"]))


def _reason_json(why: Reason) -> _Reason:
    return {
        "kind": why.kind,
        "params": [[name, value] for name, value in why.params],
        "because": [_reason_json(cause) for cause in why.because],
    }


def _reason(said: _Reason) -> Reason:
    params = tuple((str(name), value) for name, value in said["params"])
    return Reason(said["kind"], params, tuple(_reason(cause) for cause in said["because"]))
