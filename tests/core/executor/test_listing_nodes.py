# SPDX-License-Identifier: Apache-2.0
"""What people read of labels and providers: who serves a label, who cannot yet, and who never can."""

from __future__ import annotations

from datetime import UTC, datetime

from gatebot.executor.fleet.choosing import HERE, Member
from gatebot.executor.model import Label
from gatebot.executor.nodes.listing import overview
from gatebot.executor.placing import Offer, tried
from gatebot.executor.providers.model import Capacity, Platform
from gatebot.reasons import reason
from gatebot.words import say

SINCE = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)
LABELS = {
    "arm": Label("arm", arch="arm64"),
    "mainframe": Label("mainframe", arch="s390x"),
    "machine": Label("machine", provider="vm"),
    "small": Label("small"),
}


def test_a_label_that_is_still_to_come_is_neither_served_nor_impossible() -> None:
    offers = {"local": Offer(Capacity((Platform("x86_64"),), 0)), "vm": Offer(tried(SINCE), trying=SINCE)}
    why = reason("executor.label-image-building", label="mainframe", since="09:10")
    here = Member(HERE, 1, offers, unready={"mainframe": why})
    found = overview([here], {}, LABELS, ())
    assert {one.label.name: (one.executors, one.coming) for one in found.labels} == {
        "arm": ((), False),
        "machine": ((), True),
        "mainframe": ((), True),
        "small": ((HERE,), False),
    }
    told = {one.label.name: say(one.whys[0][1]) for one in found.labels if one.whys}
    assert told["mainframe"] == "Waits for the image of the label mainframe, which is being built (since 09:10 UTC)."
    assert told["machine"] == (
        "Waits for the provider vm of the label machine, which is still being tried out (since 09:00 UTC)."
    )
    (executor,) = found.executors
    assert [say(problem) for one in executor.providers for problem in one.problems] == [
        "It is still being tried out (since 09:00 UTC)."
    ]


def test_a_label_that_only_a_silent_executor_serves_is_listed_with_since_when_it_is_silent() -> None:
    offers = {"local": Offer(Capacity((Platform("x86_64"),), 0))}
    far = Member("far", 0, offers, {"board": Label("board")})
    found = overview([Member(HERE, 1, offers), far], {"far": "09:10"}, {"small": Label("small")}, ())
    board, small = found.labels
    assert (board.label.name, board.executors, board.coming) == ("board", (), True)
    assert [(executor, say(why)) for executor, why in board.whys] == [
        ("far", "Waits for the executor far, which serves the label board and is silent since 09:10 UTC.")
    ]
    assert small.executors == (HERE,)
    assert [executor.alive for executor in found.executors] == [True, False]
