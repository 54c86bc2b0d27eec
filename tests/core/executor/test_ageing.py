# SPDX-License-Identifier: Apache-2.0
"""How long what builds left is kept: by result, by kind, by size; what is held stays."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from gatebot.executor.files.ageing import Due, Left, Policy, artifacts_go, due, log_goes

NOW = datetime(2026, 11, 28, tzinfo=UTC)


def left(build: str, days: int, *, passed: bool = True, size: int = 10, artifacts: int = 0, held: bool = False) -> Left:
    return Left(build, NOW - timedelta(days=days), passed, size, artifacts, held)


POLICY = Policy(passed=10, failed=20, artifacts=5)


def test_logs_go_by_result_and_artifacts_before_them() -> None:
    builds = [
        left("new", 1),
        left("stripped", 5),
        left("old", 10),
        left("failed", 19, passed=False),
        left("f", 20, passed=False),
    ]
    assert due(POLICY, builds, NOW) == Due(("f", "old"), ("failed", "stripped"))


def test_what_is_held_stays_whatever_its_age_and_size() -> None:
    assert due(Policy(1, 1, 1, total=1), [left("a", 99, held=True, size=99)], NOW) == Due()


def test_where_room_is_short_the_oldest_goes_first_and_no_more_than_needed() -> None:
    builds = [left("c", 1, size=30), left("a", 3, size=30), left("b", 2, size=30)]
    assert due(Policy(10, 10, 10, total=60), builds, NOW) == Due(("a",))
    assert due(Policy(10, 10, 10, total=59), builds, NOW) == Due(("a", "b"))
    builds = [left("a", 6, size=40, artifacts=35), left("b", 1, size=30)]
    assert due(Policy(10, 10, 5, total=40), builds, NOW) == Due((), ("a",))


@given(
    st.lists(st.tuples(st.integers(0, 30), st.booleans(), st.integers(0, 50), st.booleans()), max_size=12),
    st.integers(1, 200),
)
def test_what_stays_fits_and_nothing_goes_twice(told: list[tuple[int, bool, int, bool]], total: int) -> None:
    builds = [left(str(n), days, passed=ok, size=size, held=held) for n, (days, ok, size, held) in enumerate(told)]
    found = due(Policy(10, 20, 5, total), builds, NOW)
    assert not set(found.whole) & set(found.artifacts)
    assert sum(one.size for one in builds if not one.held and one.build not in found.whole) <= total


def test_artifacts_never_outlive_their_log() -> None:
    policy = Policy(passed=3, failed=9, artifacts=5)
    assert artifacts_go(policy, NOW, passed=True) == log_goes(policy, NOW, passed=True) == NOW + timedelta(days=3)
    assert artifacts_go(policy, NOW, passed=False) == NOW + timedelta(days=5)
