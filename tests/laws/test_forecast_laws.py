# SPDX-License-Identifier: Apache-2.0
"""Guesses of when a build gets its node: never before anybody has to leave, never after everybody has run alone."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from gatebot.pipeline.forecast import begins

SLOTS = st.integers(1, 6)
TIMES = st.lists(st.floats(0, 10_000), max_size=8)


@given(SLOTS, TIMES, TIMES)
def test_where_a_node_is_free_and_nobody_is_before_it_a_build_begins_at_once(
    slots: int, running: list[float], ahead: list[float]
) -> None:
    if len(running) + len(ahead) < slots:
        assert begins(slots, running, ahead) == 0.0


@given(SLOTS, TIMES, TIMES)
def test_nobody_waits_longer_than_if_all_ran_one_after_the_other(
    slots: int, running: list[float], ahead: list[float]
) -> None:
    assert 0.0 <= begins(slots, running, ahead) <= sum(running) + sum(ahead) + 1e-6


@given(SLOTS, TIMES, TIMES, st.floats(0, 10_000))
def test_one_more_before_it_never_makes_it_sooner(
    slots: int, running: list[float], ahead: list[float], one: float
) -> None:
    assert begins(slots, running, [*ahead, one]) >= begins(slots, running, ahead)


@given(SLOTS, TIMES, TIMES)
def test_one_more_node_never_makes_it_later(slots: int, running: list[float], ahead: list[float]) -> None:
    assert begins(slots + 1, running, ahead) <= begins(slots, running, ahead)


@given(TIMES, TIMES)
def test_on_one_node_it_begins_when_all_are_through(running: list[float], ahead: list[float]) -> None:
    now = running[:1]
    assert abs(begins(1, now, ahead) - sum(now) - sum(ahead)) < 1e-3
