# SPDX-License-Identifier: Apache-2.0
"""What builds without nodes wait for: the label, who is before them, and who has what they want."""

from __future__ import annotations

from gatebot.architectures import Execution
from gatebot.assignment import NodeChoice, NodeSpec, NodeWait
from gatebot.executor.awaiting import Asking, waits
from gatebot.executor.model import Label
from gatebot.executor.placing import Offer, Placed, Site
from gatebot.executor.providers.model import Capacity, Platform
from gatebot.reasons import reason

BOARD = Label("board", provider="boards", arch="arm64")
OFFERS = {"boards": Offer(Capacity((Platform("arm64"),), 2))}
SPEC = NodeSpec(("node",), "board")


def asks(build: str, label: str = "board") -> Asking:
    return Asking(build, (NodeChoice((NodeSpec(("node",), label),)),), post_review=True)


def has(build: str) -> tuple[Placed, ...]:
    return (Placed(build, SPEC, BOARD, "boards", "arm64", Execution.NATIVE),)


def test_who_came_first_is_before_the_others() -> None:
    kind = ("boards", "arm64", Execution.NATIVE, 0)
    site = Site({"board": BOARD}, OFFERS, {kind: 2})
    nodes = {"one": has("one"), "two": has("two")}
    assert waits(site, [asks("a"), asks("b")], nodes) == {
        "a": NodeWait("board", "arm64", (), ("one", "two"), 2),
        "b": NodeWait("board", "arm64", ("a",), ("one", "two"), 2),
    }


def test_what_can_never_be_waits_for_nothing() -> None:
    assert waits(Site({"board": BOARD}, OFFERS), [asks("a", "elsewhere")], {}) == {}


def test_what_a_label_lacks_is_waited_for_before_anybody_elses_nodes() -> None:
    why = reason("executor.label-image-building", label="board")
    site = Site({"board": BOARD}, OFFERS, unready={"board": why})
    assert waits(site, [asks("a"), asks("b")], {}) == {
        build: NodeWait("board", "", (), (), 0, lacks=why) for build in ("a", "b")
    }


def test_it_is_told_when_another_alternative_will_be_taken() -> None:
    kind = ("boards", "arm64", Execution.NATIVE, 0)
    emulated = NodeChoice((NodeSpec(("node",), "arm"),))
    labels = {"board": BOARD, "arm": Label("arm", arch="arm64", execution="emulated-user")}
    offers = {**OFFERS, "local": Offer(Capacity((Platform("arm64", Execution.EMULATED_USER, 1),), 1))}
    site = Site(labels, offers, {kind: 2}, patience=600.0)
    first = asks("a").choices[0]
    nodes = {"one": has("one"), "two": has("two")}

    def told(*choices: NodeChoice, waited: float) -> float | None:
        return waits(site, [Asking("a", choices, post_review=True, waited=waited)], nodes)["a"].otherwise

    assert told(first, emulated, waited=60.0) == 540.0
    assert told(first, waited=60.0) is None
    assert told(first, NodeChoice((NodeSpec(("node",), "nowhere"),)), waited=60.0) is None
