# SPDX-License-Identifier: Apache-2.0
"""Which kept nodes may go, and which an executor should have: by executor, as rows and executors tell it."""

from __future__ import annotations

from gatebot.pipeline.autohold import Keeping, settled

ROWS = (
    Keeping("wanted", "far", ended=True, over=False),
    Keeping("late", "far", ended=True, over=True),
    Keeping("ending", "far", ended=False, over=False),
    Keeping("other", "near", ended=True, over=False),
    Keeping("own", "", ended=True, over=True),
)


def test_nodes_go_when_their_time_is_over_or_nobody_knows_of_them() -> None:
    over, _ = settled(ROWS, "far", ["wanted", "late", "ending", "unheard"])
    assert over == {"late", "unheard"}


def test_nodes_that_another_executor_should_have_are_none_of_this_one() -> None:
    over, there = settled(ROWS, "far", ["other"])
    assert (over, there) == ({"other"}, {"wanted", "late"})
    assert settled(ROWS, "", ["own"]) == ({"own"}, {"own"})


def test_a_build_that_still_ends_is_not_said_to_be_missing() -> None:
    _, there = settled(ROWS, "far", [])
    assert "ending" not in there
