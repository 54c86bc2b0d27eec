# SPDX-License-Identifier: Apache-2.0
"""Reasons for readers who may not see every change: the numbers go, with what is the matter with those changes."""

from __future__ import annotations

from gatebot.reasons import changes_named, reason, veil


def test_a_hidden_change_is_not_named_and_nothing_is_said_of_it() -> None:
    why = reason(
        "pipeline.not-enqueued",
        reason("pipeline.waits-for-change", reason("review.needs-vote", label="Code-Review", value="+2"), change=7),
        reason("pipeline.needs-abandoned", change=8),
        pipeline="gate",
    )
    assert changes_named(why) == {7, 8}
    told = veil(why, {7})
    assert told.because == (reason("pipeline.waits-for-change", change="•••"), why.because[1])
    assert changes_named(told) == {8}
    assert veil(why, {9}) is why


def test_numbers_in_a_row_are_hidden_together_and_texts_are_no_numbers() -> None:
    assert veil(reason("pipeline.reporter-failed", change="4, 5"), {5}).get("change") == "•••"
    assert changes_named(reason("x.y", change="main", on=3, other="9" * 30), None) == {3}
